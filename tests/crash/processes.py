"""`ipse serve` and `ipse worker` as separate processes that can be killed and started again."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

_RUN = "from ipse.cli.main import run; run()"
_READY_LIMIT_S = 300.0
_OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that is free now; the server gets the same one at every start.

    None of those that the system gives to outgoing connections: one of them could take it while the server is down,
    even a client that tries to reach the server (and would then reach itself).
    """
    lowest_outgoing = int(_OUTGOING_PORTS.read_text().split()[0]) if _OUTGOING_PORTS.is_file() else 32_768
    for port in random.sample(range(10_000, max(lowest_outgoing, 12_000)), 50):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("no port is free")


@dataclass
class Killable:
    """One ``ipse`` command that is restarted after each ``kill -9``."""

    command: str
    environment: dict[str, str]
    log: Path
    ready_url: str | None = None
    kills: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pid(self) -> int | None:
        """Of the process as it runs now; None before the first start."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start, and return as soon as it answers when it is a server."""
        with self._lock, self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _RUN, self.command],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if self.ready_url is not None:
            self._wait_until_ready(self.ready_url)

    def kill(self) -> None:
        """``kill -9`` of the process and of whatever it started."""
        with self._lock:
            assert self._process is not None
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        """End it for good, gently first."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                return
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _wait_until_ready(self, url: str) -> None:
        deadline = time.monotonic() + _READY_LIMIT_S
        while True:
            assert self._process is not None
            assert self._process.poll() is None, f"{self.command} ended: {self._tail()}"
            try:
                httpx2.get(url, timeout=2)
                return
            except httpx2.TransportError:
                assert time.monotonic() < deadline, f"{self.command} does not answer: {self._tail()}"
                time.sleep(0.05)

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]
