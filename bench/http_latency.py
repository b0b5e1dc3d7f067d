"""What HTTP, the database and the webhook add to the face engine: ``python bench/http_latency.py [--rounds N]``.

A real ``ipse serve`` runs beside this process with an empty SQLite database. Both do the same work on the same images,
taking turns, so that a ratio holds on any machine. Prints the goals of the project with what was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import platformdirs
import psutil
from sqlalchemy import update

from ipse.accounts.first_run import create_local_organization
from ipse.app import build_services, close_services
from ipse.biometrics.engine import FaceEngine
from ipse.checks.selfie import examine
from ipse.runtime.application import Mode
from ipse.samples.portraits import portraits
from ipse.samples.scenes import selfie
from ipse.settings import Settings
from ipse.storage.tables import ApplicationRow
from machine import description

_SERVE = "from ipse.cli.main import run; run()"
_CLIENTS = 4


@dataclass(frozen=True)
class Server:
    """A running ``ipse serve``."""

    url: str
    key: str
    process: psutil.Process
    ready_s: float


class Arrivals:
    """When the webhook with a session's decision arrived."""

    def __init__(self) -> None:
        self._arrived: dict[str, float] = {}
        self._changed = threading.Condition()

    def note(self, body: Mapping[str, object]) -> None:
        if "decision" in body:
            with self._changed:
                self._arrived.setdefault(str(body["session_id"]), time.perf_counter())
                self._changed.notify_all()

    def wait(self, session_id: str) -> float:
        with self._changed:
            if not self._changed.wait_for(lambda: session_id in self._arrived, 15):
                raise SystemExit(f"no webhook for session {session_id} within 15 s")
            return self._arrived[session_id]


@contextlib.contextmanager
def receiving(arrivals: Arrivals) -> Iterator[str]:
    """A webhook receiver on loopback; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()
            arrivals.note(json.loads(raw))

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_address[1]}/"
    finally:
        listener.shutdown()


@contextlib.contextmanager
def serving(inference_workers: int) -> Iterator[Server]:
    """Start ``ipse serve`` on an empty database with an application that runs the real engine."""
    with tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        url = f"http://127.0.0.1:{port}"
        settings = Settings(data_dir=Path(folder) / "data", port=port, public_url=url)
        key = asyncio.run(_prepare(settings))
        environment = {
            "IPSE_DATA_DIR": str(settings.data_dir),
            "IPSE_PORT": str(port),
            "IPSE_PUBLIC_URL": url,
            "IPSE_RATE_LIMITS": "false",
            "IPSE_LOG_LEVEL": "WARNING",
            "IPSE_INFERENCE_WORKERS": str(inference_workers),
        }
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, "serve"],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not _ready(url):
                if process.poll() is not None or time.perf_counter() - started > 60:
                    raise SystemExit("ipse serve did not become ready; run `ipse doctor`")
                time.sleep(0.01)
            yield Server(url, key, psutil.Process(process.pid), time.perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


async def _prepare(settings: Settings) -> str:
    services = await build_services(settings, load_faces=False)
    made = (await create_local_organization(services)).of_mode(Mode.SANDBOX)
    assert made is not None
    assert made.api_key is not None
    async with services.database.writing() as tx:
        await tx.execute(
            update(ApplicationRow)
            .where(ApplicationRow.id == made.id)
            .values(sandbox_engine="real", allow_private_webhooks=True)
        )
    await close_services(services)
    return made.api_key


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/system/healthcheck", timeout=1).status_code == 200
    except httpx2.TransportError:
        return False


def face_match(client: httpx2.Client, pair: tuple[bytes, bytes], *, save: bool) -> None:
    """One standalone call."""
    answer = client.post(
        "/v3/face-match/",
        files={"user_image": ("a.jpg", pair[0], "image/jpeg"), "ref_image": ("b.jpg", pair[1], "image/jpeg")},
        data={"save_api_request": "true" if save else "false"},
    )
    if answer.status_code != 200 or answer.json()["face_match"]["status"] != "Approved":
        raise SystemExit(f"face-match answered {answer.status_code}: {answer.text[:300]}")


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def measure_overhead(engine: FaceEngine, pair: tuple[bytes, bytes], rounds: int) -> tuple[Server, dict[str, float]]:
    """Median milliseconds of the same pair in process, over HTTP unsaved, and over HTTP with everything stored."""

    def in_process() -> None:
        first, second = (examine(engine, [image], liveness=False) for image in pair)
        assert first.template is not None
        assert second.template is not None
        engine.score(first.template, second.template)

    with (
        serving(1) as server,
        httpx2.Client(base_url=server.url, headers={"x-api-key": server.key}, timeout=30) as client,
    ):
        kinds: dict[str, Callable[[], None]] = {
            "in process": in_process,
            "HTTP, not saved": lambda: face_match(client, pair, save=False),
            "HTTP, saved with images and event": lambda: face_match(client, pair, save=True),
        }
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(rounds + 3):
            for name, work in kinds.items():
                taken = milliseconds(work)
                if number >= 3:  # the first rounds warm caches on both sides
                    times[name].append(taken)
        resident = server.process.memory_info().rss / 2**20
        medians = {name: statistics.median(values) for name, values in times.items()}
        return server, {**medians, "resident MiB": resident}


def measure_throughput(pair: tuple[bytes, bytes], workers: int, calls: int) -> float:
    """Face matches a second of one server with ``workers`` model threads and four callers."""
    with (
        serving(workers) as server,
        httpx2.Client(base_url=server.url, headers={"x-api-key": server.key}, timeout=60) as client,
        ThreadPoolExecutor(_CLIENTS) as pool,
    ):
        face_match(client, pair, save=False)
        started = time.perf_counter()
        list(pool.map(lambda _: face_match(client, pair, save=False), range(calls)))
        return calls / (time.perf_counter() - started)


def measure_step_up(reference: bytes, probe: bytes, rounds: int) -> list[float]:
    """Milliseconds from sending the selfie to the arrival of the signed verdict, one value for each step-up."""
    arrivals = Arrivals()
    times: list[float] = []
    with receiving(arrivals) as hook, serving(0) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        key = {"x-api-key": server.key}

        def post(path: str, expected: int, **call: object) -> dict[str, object]:
            answer = client.post(path, **call)  # type: ignore[arg-type]
            if answer.status_code != expected:
                raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:300]}")
            body: dict[str, object] = answer.json()
            return body

        post("/v3/webhook/destinations/", 201, headers=key, json={"label": "bench", "url": hook})
        workflow = {"features": [{"feature": "LIVENESS"}, {"feature": "FACE_MATCH"}], "face_liveness_max_attempts": 1}
        group = post("/v3/workflows/", 201, headers=key, json=workflow)["workflow_id"]
        body = {"workflow_id": group, "portrait_image": base64.b64encode(reference).decode()}
        for _ in range(rounds):
            session = post("/v3/session/", 201, headers=key, json=body)
            device = {"Session-Token": str(session["session_token"])}
            state = post("/v1/capture/start/", 200, headers=device)
            step = state["step"]
            assert isinstance(step, dict)
            sent = time.perf_counter()
            post(
                f"/v1/capture/steps/{step['node_id']}/",
                200,
                headers=device,
                files=[("frames", ("selfie.jpg", probe, "image/jpeg"))],
                data={"submission_key": uuid.uuid4().hex},
            )
            times.append((arrivals.wait(str(session["session_id"])) - sent) * 1000)
    return times


def line(name: str, value: str, goal: str, met: bool) -> None:
    print(f"{name:<52} {value:>12}   goal {goal:<10} {'met' if met else 'NOT MET'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="measured repetitions of each kind")
    rounds = parser.parse_args().rounds
    pictures = portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples")
    pair = (selfie("obama_1", pictures["obama_1"], seed=1), selfie("obama_2", pictures["obama_2"], seed=2))
    engine = FaceEngine.load(Settings().models_dir)
    print(description())
    print(f"two 1280x720 JPEGs of {len(pair[0]) // 1024} and {len(pair[1]) // 1024} kB, {rounds} rounds\n")

    server, found = measure_overhead(engine, pair, rounds)
    for name in ("in process", "HTTP, not saved", "HTTP, saved with images and event"):
        print(f"{name:<52} {found[name]:>9.1f} ms")
    ratio = found["HTTP, not saved"] / found["in process"]
    line("HTTP endpoint / in process", f"{ratio:.2f}x", "<= 1.10x", ratio <= 1.10)
    line("resident memory of the serving process", f"{found['resident MiB']:.0f} MiB", "<= 450 MB",
         found["resident MiB"] * 2**20 <= 450e6)  # fmt: skip
    line("start to ready", f"{server.ready_s:.2f} s", "<= 3 s", server.ready_s <= 3)

    one, two = (measure_throughput(pair, workers, rounds * 2) for workers in (1, 2))
    print(f"{'matches a second, one and two model threads':<52} {one:>5.1f} {two:>5.1f}")
    line("two model threads / one", f"{two / one:.2f}x", ">= 1.8x", two / one >= 1.8)

    times = sorted(measure_step_up(pictures["obama_1"], pair[1], rounds))
    p50, p99 = statistics.median(times), times[min(len(times) - 1, round(0.99 * len(times)))]
    print(f"{'selfie to webhook, p50':<52} {p50:>9.1f} ms")
    line("selfie to webhook, p99", f"{p99:.0f} ms", "< 2 s", p99 < 2000)


if __name__ == "__main__":
    main()
