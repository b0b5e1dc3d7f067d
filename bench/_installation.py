"""An installation of several real processes on PostgreSQL, and people who step up there, for the other benchmarks.

The images lie in a folder that all processes share; with a bucket instead, its server would take part of the processor
that is measured. PostgreSQL runs with ``fsync`` on, on this machine.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import platformdirs
import psutil

from http_latency import Arrivals, receiving
from ipse.app import build_services, close_services
from ipse.runtime.application import SandboxEngine
from ipse.samples.portraits import portraits
from ipse.samples.scenes import selfie
from ipse.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.crash.processes import free_port
from tests.scale.balancer import running_balancer
from tests.services.applications import register_application
from tests.services.postgres import Postgres, running_postgres

_RUN = "from ipse.cli.main import run; run()"
_READY_LIMIT_S = 600.0


@dataclass(frozen=True)
class Running:
    """What runs, and where."""

    url: str
    key: str
    """Of a sandbox application that runs the face engine."""
    scenario_key: str
    """Of one that answers by scenario, without models."""
    servers: Sequence[psutil.Process]
    workers: Sequence[psutil.Process]
    database: Postgres
    name: str
    images: Path
    arrivals: Arrivals

    def processor_s(self) -> dict[str, float]:
        """Seconds of processor that servers, workers and PostgreSQL have used so far."""
        return {
            "server": sum(_used(process) for process in self.servers),
            "worker": sum(_used(process) for process in self.workers),
            "PostgreSQL": sum(_used(process) for process in self._of_postgres()),
        }

    def resident_mib(self) -> dict[str, float]:
        """Memory of the servers and of the workers, all of a kind together."""
        return {
            "servers": sum(process.memory_info().rss for process in self.servers) / 2**20,
            "workers": sum(process.memory_info().rss for process in self.workers) / 2**20,
        }

    def _of_postgres(self) -> list[psutil.Process]:
        folder = str(self.database.folder)
        own = [child for child in psutil.Process().children() if any(folder in word for word in child.cmdline())]
        return [*own, *(one for process in own for one in process.children(recursive=True))]


def _used(process: psutil.Process) -> float:
    """Of a process and, once they have ended, of its children."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


@contextlib.contextmanager
def running(
    folder: Path, *, pairs: int, cores: Sequence[int] | None = None, inference_workers: int = 0, queue: int = 64
) -> Iterator[Running]:
    """Start ``pairs`` servers and as many workers; with ``cores`` the n-th pair may use only the n-th of them."""
    ports = [free_port() for _ in range(pairs + 1)]
    with running_postgres(fsync="on", synchronous_commit="on", full_page_writes="on") as postgres:
        name = postgres.create_database()
        images = folder / "images"
        images.mkdir(parents=True)
        url = f"http://127.0.0.1:{ports[-1]}"
        keys = {ring: base64.b64encode(secrets.token_bytes(32)).decode() for ring in ("ordinary", "biometric")}
        settings = Settings(
            data_dir=folder / "outside",
            database_url=postgres.url(name),
            blob_url=images.as_uri(),
            public_url=url,
            ordinary_master_key=keys["ordinary"],  # type: ignore[arg-type]
            biometric_master_key=keys["biometric"],  # type: ignore[arg-type]
        )
        key, scenario_key = asyncio.run(_prepare(settings))
        shared = {
            "IPSE_DATABASE_URL": settings.database_url,
            "IPSE_BLOB_URL": settings.blob_url,
            "IPSE_PUBLIC_URL": url,
            "IPSE_ORDINARY_MASTER_KEY": keys["ordinary"],
            "IPSE_BIOMETRIC_MASTER_KEY": keys["biometric"],
            "IPSE_RUN_WORKER": "false",
            "IPSE_RATE_LIMITS": "false",
            "IPSE_LOG_LEVEL": "ERROR",
            "IPSE_INFERENCE_WORKERS": str(inference_workers),
            "IPSE_INFERENCE_QUEUE": str(queue),
        }
        started: list[subprocess.Popen[bytes]] = []

        def start(command: str, number: int, **more: str) -> psutil.Process:
            own = {"IPSE_DATA_DIR": str(folder / f"{command}-{number}"), **more}
            with (folder / f"{command}-{number}.log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-c", _RUN, command], env={**os.environ, **shared, **own}, stdout=log, stderr=log
                )
            started.append(process)
            found = psutil.Process(process.pid)
            if cores is not None:
                found.cpu_affinity([cores[number % len(cores)]])
            return found

        try:
            servers = [start("serve", number, IPSE_PORT=str(ports[number])) for number in range(pairs)]
            workers = [start("worker", number) for number in range(pairs)]
            for port in ports[:pairs]:
                _wait(f"http://127.0.0.1:{port}/system/healthcheck", started, folder)
            arrivals = Arrivals()
            with running_balancer(ports[:pairs], ports[-1]), receiving(arrivals) as hook:
                for one in (key, scenario_key):
                    post(url, one, "/v3/webhook/destinations/", 201, json={"label": "bench", "url": hook})
                yield Running(url, key, scenario_key, servers, workers, postgres, name, images, arrivals)
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                process.kill()


async def _prepare(settings: Settings) -> tuple[str, str]:
    services = await build_services(settings, load_faces=False)
    try:
        real = await register_application(services, engine=SandboxEngine.REAL)
        scenarios = await register_application(services)
    finally:
        await close_services(services)
    return real.key, scenarios.key


def _wait(url: str, started: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    deadline = time.monotonic() + _READY_LIMIT_S
    said = "nothing"
    while True:
        with contextlib.suppress(httpx2.TransportError):
            answer = httpx2.get(url, timeout=30)
            said = answer.text
            if answer.status_code == 200:
                return
        if time.monotonic() > deadline or any(process.poll() is not None for process in started):
            logs = "\n".join(path.read_text("utf-8", "replace")[-1500:] for path in sorted(folder.glob("*.log")))
            raise SystemExit(f"a process did not become ready; its health check says {said}\n{logs}")
        time.sleep(0.1)


def post(url: str, key: str, path: str, expected: int, **call: object) -> dict[str, object]:
    """One call with a key; ends the program when the status is another."""
    answer = httpx2.post(f"{url}{path}", headers={"x-api-key": key}, timeout=60, **call)  # type: ignore[arg-type]
    if answer.status_code != expected:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    body: dict[str, object] = answer.json()
    return body


@dataclass
class Tally:
    """What came of calls: how often each status, how long each kind took, and what was wrong with refusals."""

    statuses: dict[int, int] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    decided: int = 0
    undated: int = 0
    """Refusals (503) without Retry-After."""
    broken: int = 0
    """Calls that got no answer at all."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, status: int, milliseconds: float, *, dated: bool) -> None:
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.milliseconds.setdefault(kind, []).append(milliseconds)
            self.undated += status == 503 and not dated

    def percentile(self, share: float, *kinds: str) -> float:
        """Of the calls of these kinds together, in milliseconds; 0 when there were none."""
        times = sorted(time for kind in kinds for time in self.milliseconds.get(kind, ()))
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


class Stepper:
    """People who step up with a portrait that is known and a selfie, over a connection of their own each."""

    def __init__(self, run: Running, clients: int, *, real: bool = True) -> None:
        pictures = portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples")
        self._portrait = base64.b64encode(pictures["obama_1"]).decode()
        self._selfie = selfie("obama_2", pictures["obama_2"], seed=2)
        self._key = {"x-api-key": run.key if real else run.scenario_key}
        self._local = threading.local()
        self._url = run.url
        self._limits = httpx2.Limits(max_keepalive_connections=1)
        features = {
            "features": [{"feature": "LIVENESS"}, {"feature": "FACE_MATCH"}],
            "face_liveness_max_attempts": 1,
        }
        self._workflow = post(run.url, self._key["x-api-key"], "/v3/workflows/", 201, json=features)["workflow_id"]
        self.pool = ThreadPoolExecutor(clients)

    def step_up(self, tally: Tally) -> str | None:
        """One step-up: session, start, selfie. Returns the session id; None when a call was refused."""
        try:
            body = {"workflow_id": self._workflow, "portrait_image": self._portrait, "vendor_data": uuid.uuid4().hex}
            session = self.call(tally, "create", "/v3/session/", headers=self._key, json=body)
            device = {"Session-Token": str(session["session_token"])}
            state = self.call(tally, "start", "/v1/capture/start/", headers=device)
            step = state["step"]
            assert isinstance(step, dict)
            self.call(
                tally,
                "selfie",
                f"/v1/capture/steps/{step['node_id']}/",
                headers=device,
                files=[("frames", ("selfie.jpg", self._selfie, "image/jpeg"))],
                data={"submission_key": uuid.uuid4().hex},
            )
        except _Refused:
            return None
        with tally.lock:
            tally.decided += 1
        return str(session["session_id"])

    def read(self, tally: Tally, session_id: str) -> None:
        """What an integrator does besides: read a decision, list sessions, ask whether a face is needed."""
        with contextlib.suppress(_Refused):
            self.call(tally, "decision", f"/v3/session/{session_id}/decision/", method="GET", headers=self._key)
            self.call(tally, "list", "/v3/sessions/?page_size=10", method="GET", headers=self._key)
            ask = {"action": {"type": "login"}, "vendor_data": session_id, "ip_address": "62.1.2.3"}
            self.call(tally, "evaluate", "/v3/step-up/evaluate/", headers=self._key, json=ask)

    def call(self, tally: Tally, kind: str, path: str, method: str = "POST", **call: object) -> dict[str, object]:
        began = time.perf_counter()
        try:
            answer = self._client().request(method, path, **call)  # type: ignore[arg-type]
        except httpx2.TransportError as error:
            with tally.lock:
                tally.broken += 1
            raise _Refused from error
        taken = (time.perf_counter() - began) * 1000
        tally.note(kind, answer.status_code, taken, dated="retry-after" in answer.headers)
        if answer.status_code >= 400:
            raise _Refused
        body: dict[str, object] = answer.json()
        return body

    def _client(self) -> httpx2.Client:
        if not hasattr(self._local, "client"):
            self._local.client = httpx2.Client(base_url=self._url, timeout=60, limits=self._limits)
        client: httpx2.Client = self._local.client
        return client


class _Refused(Exception):
    """The call did not do what it was to do; the tally says why."""


def capacity(stepper: Stepper, clients: int, seconds: float, *, reading: bool = False) -> tuple[float, Tally]:
    """Step-ups a second when ``clients`` people step up one after another without a pause.

    With ``reading`` each is followed by the calls of :meth:`Stepper.read`.
    """
    tally = Tally()
    end = time.perf_counter() + seconds

    def one() -> None:
        while time.perf_counter() < end:
            session = stepper.step_up(tally)
            if reading and session is not None:
                stepper.read(tally, session)

    began = time.perf_counter()
    for future in [stepper.pool.submit(one) for _ in range(clients)]:
        future.result()
    return tally.decided / (time.perf_counter() - began), tally
