"""``ipse serve`` and ``ipse worker``."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Event, Semaphore
from typing import Any, TypeVar

import structlog
import uvicorn
from prometheus_client import start_http_server

from ipse.accounts.first_run import FirstRun, create_local_organization
from ipse.app import build, build_services, close_services
from ipse.cli import logs, output
from ipse.cli.failure import CommandError
from ipse.cli.first_run import as_facts, describe
from ipse.cli.processes import STOP_SIGNALS, run_in, when_parent_dies
from ipse.jobs.worker import run_worker
from ipse.runtime.application import Mode
from ipse.runtime.services import Services
from ipse.settings import Settings

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_GRACE_S = 10
"""How long open requests may take once the process was told to stop."""


def serve(host: str | None, port: int | None, *, processes: int = 1, as_json: bool) -> None:
    """Serve until told to stop; requests that have begun are answered first."""
    settings = Settings()
    listener = _listen(host or settings.host, settings.port if port is None else port)
    settings = _with_address(settings, listener)
    logs.configure(settings)
    with contextlib.closing(listener):
        if processes == 1:
            _run(_serve(settings, listener, None, as_json=as_json))
            return
        listener.listen()
        installation = _Installation(_run(_prepare(settings)))
        once = multiprocessing.get_context("spawn").Semaphore(1)
        run_in(processes, _serve_as_one_of, settings, listener, installation, as_json, once, grace_s=2 * _GRACE_S)


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


@dataclass(frozen=True, slots=True)
class _Installation:
    """What the parent of several processes prepared for them; ``run`` is None where others register."""

    run: FirstRun | None


async def _prepare(settings: Settings) -> FirstRun | None:
    """Bring database, keys and organisation about before several processes look for them at once."""
    services = await build_services(settings, load_faces=False)
    try:
        return await _first_run(settings, services)
    finally:
        await close_services(services)


def _serve_as_one_of(
    settings: Settings, listener: socket.socket, prepared: _Installation, as_json: bool, once: Semaphore, ready: Event
) -> None:
    """Serve in one of several processes; the first that is ready says so."""
    logs.configure(settings)
    try:
        _run(_serve(settings, listener, prepared, as_json=as_json, says=lambda: once.acquire(block=False), ready=ready))
    except CommandError as error:
        sys.exit(str(error))


async def _first_run(settings: Settings, services: Services) -> FirstRun | None:
    return await create_local_organization(services) if settings.is_local else None


async def _serve(
    settings: Settings,
    listener: socket.socket,
    prepared: _Installation | None,
    *,
    as_json: bool,
    says: Callable[[], bool] = lambda: True,
    ready: Event | None = None,
) -> None:
    services = await build_services(settings)
    try:
        run = await _first_run(settings, services) if prepared is None else prepared.run

        def serving() -> None:
            if ready is not None:
                ready.set()
            if says():
                _announce(settings, run, services.faces is not None, as_json=as_json)

        config = uvicorn.Config(
            build(settings, services),
            log_config=None,
            access_log=False,
            proxy_headers=False,  # X-Forwarded-For is judged by edge.client_address
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = _Server(config, serving)
        when_parent_dies(lambda: server.handle_exit(signal.SIGTERM, None))
        await server.serve(sockets=[listener])
    finally:
        await close_services(services)
    if server.failed:
        raise CommandError("The server could not start; the log above says why.")


class _Server(uvicorn.Server):
    """Says something once requests are answered."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self.failed = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals through the loop: uvicorn's own way raises them again once the server has stopped."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.failed = self.should_exit
        if not self.failed:
            self._ready()


def _announce(settings: Settings, run: FirstRun | None, faces: bool, *, as_json: bool) -> None:
    address = settings.public_url.rstrip("/")
    if as_json:
        output.print_json({"ready": True, "address": address, "faces": faces, **(as_facts(run) if run else {})})
        return
    if run is not None:
        describe(run)
    output.say(f"Ipse answers at {address}  (stop with Ctrl+C)")
    if settings.demo_shop:
        output.say(f"The demo shop is open at {address}/demo")
    else:
        output.say("A demo shop to try it with your own camera: set IPSE_DEMO_SHOP=true and open /demo.")
    if not faces:
        output.say("The face models are not installed: calls that need a face answer 503. Run `ipse models pull`.")
    sandbox = run.of_mode(Mode.SANDBOX) if run is not None else None
    key = (sandbox.api_key if sandbox is not None else None) or "$IPSE_KEY"
    output.say("A first step-up session in the sandbox:")
    output.say(f"  curl -s {address}/v3/session/ -H 'content-type: application/json' \\")
    output.say(f'    -H "x-api-key: {key}" \\')
    output.say("""    -d '{"workflow_id": "wf_enrolment", "vendor_data": "user-1"}'""")


def work() -> None:
    """Run the delivery worker and the schedules until told to stop."""
    settings = Settings()
    logs.configure(settings)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    services = await build_services(settings, load_faces=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        with _metrics(settings):
            log.info("worker.ready")
            await run_worker(services, stop)
    finally:
        await close_services(services)


@contextlib.contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """Answer on the worker's own port, if it has one: a monitor asks there whether it lives and what it did."""
    if not settings.worker_metrics_port:
        yield
        return
    try:
        server, thread = start_http_server(settings.worker_metrics_port, settings.host)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {settings.host} port {settings.worker_metrics_port}: {error.strerror or error}. "
            "Choose another with IPSE_WORKER_METRICS_PORT."
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}. Choose another with --port."
        ) from error
    return listener


def _with_address(settings: Settings, listener: socket.socket) -> Settings:
    """Without a configured public address, the one listened on is the address people use."""
    host, port = listener.getsockname()[:2]
    changes: dict[str, object] = {"port": port}
    if "public_url" not in settings.model_fields_set:
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        changes["public_url"] = f"http://{name}:{port}"
    return settings.model_copy(update=changes)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not available on every platform
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
