"""The real application behind a real uvicorn on a free loopback port, in a thread of the test process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from ipse.app import build, build_services, close_services
from ipse.biometrics.engine import FaceEngine
from ipse.runtime.application import Mode, SandboxEngine
from ipse.settings import Settings
from tests.services.applications import RegisteredApplication, register_application

_START_LIMIT_S = 120.0


@dataclass(frozen=True)
class RunningServer:
    """Where the server listens, and an application to call it with."""

    url: str
    settings: Settings
    application: RegisteredApplication
    """A sandbox application that answers by scenario."""
    real: RegisteredApplication
    """A sandbox application that runs the face engine."""
    live: RegisteredApplication

    @property
    def key(self) -> str:
        return self.application.key


@contextlib.contextmanager
def running_server(settings: Settings, faces: FaceEngine | None = None) -> Iterator[RunningServer]:
    """Serve ``settings`` with worker and system clock; ``public_url`` is set to the real address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = settings.model_copy(update={"public_url": url, "run_worker": True})
    registered: list[RegisteredApplication] = []
    failures: list[BaseException] = []
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        services = await build_services(settings, faces=faces, load_faces=False)
        try:
            registered.append(await register_application(services))
            registered.append(await register_application(services, engine=SandboxEngine.REAL))
            registered.append(await register_application(services, mode=Mode.LIVE))
            config = uvicorn.Config(
                build(settings, services), log_config=None, access_log=False, ws="none", lifespan="on"
            )
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not task.done():
                if server.started:
                    ready.set()
                if stop.is_set():
                    server.should_exit = True
                await asyncio.sleep(0.02)
            await task
        finally:
            await close_services(services)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # handed to the test, which raises it
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="ipse-test-server", daemon=True)
    started = time.monotonic()
    thread.start()
    try:
        assert ready.wait(_START_LIMIT_S), f"the server did not start within {time.monotonic() - started:.0f} s"
        if failures:
            raise failures[0]
        yield RunningServer(url, settings, *registered)
    finally:
        stop.set()
        thread.join(15)
        listener.close()
