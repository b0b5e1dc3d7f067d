"""Latency of the risk calls under load: ``bench/risk_latency.py [--rate 200] [--call ip] [--processes 2]``.

A real ``ipse serve`` runs beside this process with an empty SQLite database and a live application. Requests leave
when a Poisson clock says so, whether or not earlier ones were answered (open loop), and each is timed from the moment
it was due: a server that falls behind cannot hide it. Clients are plain asyncio streams over kept connections.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ipse.accounts.first_run import create_local_organization
from ipse.app import build_services, close_services
from ipse.devices import service as devices
from ipse.intelligence.facts import DeviceFacts
from ipse.lists import service as lists
from ipse.lists.values import EntryType, ListType
from ipse.runtime.application import Application, Mode
from ipse.runtime.scope import Scope
from ipse.settings import Settings
from ipse.storage.tables import ApplicationRow
from machine import description

_SERVE = "from ipse.cli.main import run; run()"
_CONNECTIONS = 64
_GOAL_MS = 20.0
_WARM_UP_S = 3.0

_PEOPLE = 500
_CHANCE = random.Random(1)
BODIES: dict[str, Callable[[], dict[str, object]]] = {
    "ip": lambda: {"ip_address": _address()},
    "ip of a person": lambda: {"ip_address": _address(), "vendor_data": f"user-{_CHANCE.randrange(_PEOPLE)}"},
    "email": lambda: {"email": f"user{_CHANCE.randrange(10**6)}@{_CHANCE.choice(('gmail.com', 'bank.es', 'gmx.de'))}"},
    "phone": lambda: {"phone_number": f"+346{_CHANCE.randrange(10**8):08d}"},
}
"""Name of a call -> what one request asks."""


@dataclass
class Measured:
    """Milliseconds of each answered request, and how many had which status."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connections:
    """Kept connections; one that is idle is used again, the last one first."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._free = asyncio.Semaphore(_CONNECTIONS)

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with self._free:
            while self._idle and self._idle[-1][0].at_eof():  # the server lets idle connections go after a while
                self._idle.pop()[1].close()
            pair = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
            yield pair
            self._idle.append(pair)

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in self._idle), return_exceptions=True)


@contextlib.contextmanager
def serving(processes: int = 1) -> Iterator[tuple[int, str, psutil.Process]]:
    """Start ``ipse serve`` on a fresh database; yield port, key of the live application and the (parent) process."""
    with tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = Settings(data_dir=Path(folder) / "data", port=port, public_url=f"http://127.0.0.1:{port}")
        key = asyncio.run(prepare(settings))
        environment = {
            "IPSE_DATA_DIR": str(settings.data_dir),
            "IPSE_PORT": str(port),
            "IPSE_PUBLIC_URL": settings.public_url,
            "IPSE_RATE_LIMITS": "false",
            "IPSE_LOG_LEVEL": "WARNING",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, "serve", "--processes", str(processes)],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            asyncio.run(_ready(port, process))
            yield port, key, psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a server and of the processes it started."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


async def prepare(settings: Settings) -> str:
    """Create the applications and a past: each person was seen three times, and a thousand networks are blocked."""
    services = await build_services(settings, load_faces=False)
    made = (await create_local_organization(services)).of_mode(Mode.LIVE)
    assert made is not None
    assert made.api_key is not None
    async with services.database.writing() as tx:
        row = await tx.get(ApplicationRow, made.id)
        assert row is not None
        scope = Scope(tx, Application.of(row), services)
        today = services.clock.now().date()
        for number in range(_PEOPLE):
            for _ in range(3):
                network = services.network.look_up(_address(), on=today)
                await devices.remember(scope, vendor_data=f"user-{number}", device=DeviceFacts(), network=network)
        blocked = await lists.system_list(scope, ListType.BLOCKLIST, EntryType.IP_ADDRESS)
        for value in {f"198.18.{_CHANCE.randrange(256)}.{_CHANCE.randrange(256)}/32" for _ in range(1000)}:
            tx.add(lists.entry_row(scope, blocked, value.removesuffix("/32")))
    await close_services(services)
    return made.api_key


async def _ready(port: int, process: subprocess.Popen[bytes]) -> None:
    started = time.perf_counter()
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            status, _ = await _send(Connections(port), _request("GET", "/system/healthcheck", port, "", None))
            if status == 200:
                return
        if process.poll() is not None or time.perf_counter() - started > 60:
            raise SystemExit("ipse serve did not become ready; run `ipse doctor`")
        await asyncio.sleep(0.05)


def _request(method: str, path: str, port: int, key: str, body: object) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-api-key: {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


async def _send(connections: Connections, request: bytes) -> tuple[int, bytes]:
    """Send one request; return status and body."""
    async with connections.one() as (reader, writer):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")), 0)
        return int(lines[0].split(" ")[1]), await reader.readexactly(length)


def without_pauses() -> None:
    """Keep this process from collecting garbage while it measures: its pauses would be counted as the server's."""
    gc.collect()
    gc.disable()


async def load(port: int, key: str, name: str, rate: float, seconds: float) -> Measured:
    """Send ``rate`` requests a second for ``seconds``, after a warm-up that is not counted."""
    without_pauses()
    path, connections, measured = f"/v3/{name.split(' ')[0]}/risk/", Connections(port), Measured()
    began = time.perf_counter()
    due, tasks = began, []

    async def ask(due: float) -> None:
        try:
            status, _ = await _send(connections, _request("POST", path, port, key, BODIES[name]()))
        except (OSError, asyncio.IncompleteReadError) as error:
            measured.statuses[type(error).__name__] += 1
            return
        if due - began >= _WARM_UP_S:
            measured.milliseconds.append((time.perf_counter() - due) * 1000)
            measured.statuses[str(status)] += 1

    while due - began < _WARM_UP_S + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(due)))
        due += _CHANCE.expovariate(rate)
    await asyncio.gather(*tasks)
    await connections.close()
    return measured


def _address() -> str:
    return (
        f"{_CHANCE.choice((45, 62, 78, 91, 145, 185, 193))}.{'.'.join(str(_CHANCE.randrange(256)) for _ in range(3))}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--call", choices=[*BODIES, "all"], default="all")
    parser.add_argument("--processes", type=int, default=1, help="processes of the server")
    asked = parser.parse_args()
    names = list(BODIES) if asked.call == "all" else [asked.call]
    print(description())
    print(
        f"{asked.rate:g} requests a second for {asked.seconds:g} s each, open loop; "
        f"{asked.processes} server process(es); load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    print(f"{'call':<16} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}   {'server':>7}  answers")
    with serving(asked.processes) as (port, key, process):
        for name in names:
            used, began = cpu_seconds(process), time.perf_counter()
            found = asyncio.run(load(port, key, name, asked.rate, asked.seconds))
            share = (cpu_seconds(process) - used) / (time.perf_counter() - began)
            p50, p95, p99 = (found.percentile(one) for one in (0.5, 0.95, 0.99))
            verdict = "met" if p99 <= _GOAL_MS and set(found.statuses) == {"200"} else "NOT MET"
            print(
                f"{name:<16} {p50:>6.1f}ms {p95:>6.1f}ms {p99:>6.1f}ms {max(found.milliseconds):>6.1f}ms   "
                f"{share:>4.0%} CPU  {dict(found.statuses)}  goal p99 <= {_GOAL_MS:g} ms: {verdict}"
            )
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
