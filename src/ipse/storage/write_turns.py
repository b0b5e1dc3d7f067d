"""Processes that write to one SQLite file take turns.

SQLite lets a writer that has to wait sleep and try again, up to 100 ms later; a process that writes without a pause
keeps another one out for seconds that way. Here they wait for a lock of the file system, which wakes them at once,
and in order: who waits holds the *turn*, so who has just written cannot be first again.

This is for speed and fairness only. That there is one writer is SQLite's own lock's business (``BEGIN IMMEDIATE``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, where SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]

LONGEST_WAIT_S: Final = 30.0
"""After that SQLite itself is asked, and says that the database is locked."""


class WriteTurns:
    """Who writes to one database file: one task of this process, and one process. Used like an ``asyncio.Lock``."""

    def __init__(self, database: Path | None) -> None:
        self._task = asyncio.Lock()
        self._turn = None if database is None else _open(database.with_name(f"{database.name}-turn"))
        self._write = None if database is None else _open(database.with_name(f"{database.name}-write"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ipse-write-turn")

    async def acquire(self) -> None:
        """Wait until nobody else writes, or is next."""
        await self._task.acquire()
        try:
            await self._wait_for_others()
        except BaseException:
            self._task.release()
            raise

    def release(self) -> None:
        """Let the next one write."""
        self._let_others()
        self._task.release()

    async def _wait_for_others(self) -> None:
        if self._turn is None or self._write is None or self._take_at_once():
            return
        waiting = asyncio.get_running_loop().run_in_executor(self._thread, self._wait)
        try:
            await asyncio.wait_for(asyncio.shield(waiting), LONGEST_WAIT_S)
        except TimeoutError:
            waiting.add_done_callback(lambda _: self._let_others())
        except BaseException:
            waiting.add_done_callback(lambda _: self._let_others())
            raise

    def _let_others(self) -> None:
        if self._write is not None:
            fcntl.flock(self._write, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files."""
        self._thread.shutdown(wait=False)
        for file in (self._turn, self._write):
            if file is not None:
                os.close(file)
        self._turn = self._write = None

    def _take_at_once(self) -> bool:
        assert self._turn is not None
        assert self._write is not None
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            fcntl.flock(self._write, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        return True

    def _wait(self) -> None:
        turn, write = self._turn, self._write
        if turn is None or write is None:
            return
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(write, fcntl.LOCK_EX)
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)


def _open(path: Path) -> int | None:
    if fcntl is None:  # pragma: no cover
        return None
    with contextlib.suppress(OSError):  # a folder that takes no files: SQLite's own waiting has to do
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return None
