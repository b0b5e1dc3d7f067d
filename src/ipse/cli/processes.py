"""Several server processes of one command, and their parent (``ipse serve --processes``).

One Python process uses one core. The parent opens the socket, prepares the installation and then only watches: a server
that dies is replaced, and when the parent is told to stop, so are they. What they share lies in the database.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from typing import Any, Final, NamedTuple

import structlog

from ipse.cli.failure import CommandError

log = structlog.get_logger(__name__)

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_SPAWN: Final = multiprocessing.get_context("spawn")
"""A fresh interpreter for each: threads of models and databases do not survive a fork."""


class _Member(NamedTuple):
    process: SpawnProcess
    ready: Event
    """Set once requests are answered."""


def run_in(count: int, target: Callable[..., None], *given: Any, grace_s: float) -> None:
    """Run ``target(*given, ready)`` in ``count`` processes until told to stop.

    ``target`` sets ``ready`` when it serves. What still runs ``grace_s`` seconds after the end was asked for is killed.

    Raises:
        CommandError: a process ended before it was ready; another one would, too.
    """
    told, tell = os.pipe()
    before = {number: signal.signal(number, lambda *_: os.write(tell, b".")) for number in STOP_SIGNALS}
    members = [_start(target, given) for _ in range(count)]
    try:
        while told not in (ended := wait([told, *(one.process.sentinel for one in members)])):
            for place, one in enumerate(members):
                if one.process.sentinel not in ended:
                    continue
                one.process.join()
                if not one.ready.is_set():
                    raise CommandError("A server process could not start; the log above says why.")
                log.error("serve.process_replaced", pid=one.process.pid, exit_code=one.process.exitcode)
                members[place] = _start(target, given)
    finally:
        _stop(members, grace_s)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(told)
        os.close(tell)


def _start(target: Callable[..., None], given: tuple[Any, ...]) -> _Member:
    ready = _SPAWN.Event()
    process = _SPAWN.Process(target=target, args=(*given, ready))
    process.start()
    return _Member(process, ready)


def _stop(members: list[_Member], grace_s: float) -> None:
    for one in members:
        one.process.terminate()
    for one in members:
        one.process.join(grace_s)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()


def when_parent_dies(stop: Callable[[], None]) -> None:
    """Call ``stop`` in the running loop when the process that started this one is gone, killed or not."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    loop, sentinel = asyncio.get_running_loop(), parent.sentinel

    def gone() -> None:
        loop.remove_reader(sentinel)
        stop()

    loop.add_reader(sentinel, gone)
