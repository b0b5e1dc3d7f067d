"""A load balancer for tests: each TCP connection goes to the next backend that accepts one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_CHUNK = 65_536


@dataclass
class Balancer:
    """Forwards what reaches ``port`` to ``backends`` (ports of this machine) in turn; a dead one is skipped.

    When no backend accepts, or the chosen one dies, the client's connection is closed: it is to repeat its call.
    """

    backends: Sequence[int]
    port: int = 0
    served: Counter[int] = field(default_factory=Counter)
    """Connections given to each backend."""
    _turn: int = 0
    _open: set[asyncio.Task[None] | None] = field(default_factory=set)
    """Keeps what is forwarded alive: asyncio itself holds the tasks of its streams but weakly."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, stop: asyncio.Event, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What is still open at the end is cut off; asyncio would complain of a connection that was cancelled.
        task = asyncio.current_task()
        self._open.add(task)
        with contextlib.closing(writer), contextlib.suppress(asyncio.CancelledError):
            for _ in self.backends:
                self._turn += 1
                backend = self.backends[self._turn % len(self.backends)]
                try:
                    from_backend, to_backend = await asyncio.open_connection("127.0.0.1", backend)
                except OSError:
                    continue
                self.served[backend] += 1
                with contextlib.closing(to_backend):
                    upwards = asyncio.create_task(_pump(reader, to_backend))
                    await _pump(from_backend, writer)
                    upwards.cancel()
                break
        self._open.discard(task)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until one side has gone."""
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            sink.write(chunk)
            await sink.drain()


@contextlib.contextmanager
def running_balancer(backends: Sequence[int], port: int) -> Iterator[Balancer]:
    """Run one in a thread of its own."""
    balancer = Balancer(backends, port)
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def work() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await balancer.serve(stop, ready)

    thread = threading.Thread(target=asyncio.run, args=(work(),), name="balancer", daemon=True)
    thread.start()
    assert ready.wait(30), "the balancer did not start"
    try:
        yield balancer
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)
