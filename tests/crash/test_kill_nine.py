"""Guarantee: ``kill -9`` of server and worker at random moments loses no decision and no event."""

from __future__ import annotations

import base64
import os
import random
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from ipse.app import build_services, close_services
from ipse.settings import Settings
from ipse.storage.database import Database
from ipse.storage.tables import CaptureRow, DeliveryRow, EventRow, MediaRow, SessionRow
from tests.crash.processes import Killable, free_port
from tests.services.applications import RegisteredApplication, register_application
from tests.services.databases import Databases, in_own_loop
from tests.services.receiver import WebhookReceiver

pytestmark = [pytest.mark.slow, pytest.mark.models, pytest.mark.timeout(2400)]

STEP_UPS = int(os.environ.get("IPSE_CRASH_STEP_UPS", "200"))
SEED = 20261122
CLIENTS = 4
# Nothing is to be proved about speed here: the limits only end what would never end, on a slow machine too.
CALL_LIMIT_S = 300.0
ANSWER_LIMIT_S = 60.0
DELIVERY_LIMIT_S = 600.0
OUTCOMES = {
    "approve": "Approved",
    "decline_face_match_low_similarity": "Declined",
    "decline_liveness_attack": "Declined",
    "review_face_match_borderline": "In Review",
}


@dataclass
class Progress:
    """What the clients were told: these are promises that must survive every crash."""

    decided: dict[str, str] = field(default_factory=dict)
    repeated_calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    moved: threading.Condition = field(default_factory=threading.Condition)

    def note(self, session_id: str, status: str) -> None:
        with self.moved:
            self.decided[session_id] = status
            self.moved.notify_all()


class Integrator:
    """A client that repeats every call until it is answered, as the documentation tells integrators to.

    An answer with ``Retry-After`` asks for that as well: 409 when the call that got no answer is still at work.
    """

    def __init__(self, url: str, key: str, portrait: bytes, progress: Progress) -> None:
        self._client = httpx2.Client(base_url=url, timeout=ANSWER_LIMIT_S)
        self.headers = self._client.headers
        self._key, self._portrait, self._progress = key, portrait, progress

    def close(self) -> None:
        self._client.close()

    def step_up(self, number: int, scenario: str) -> None:
        """One step-up from creation to decision."""
        created = self._call(
            "/v3/session/",
            201,
            headers={"x-api-key": self._key, "idempotency-key": f"step-up-{number}"},
            json={
                "workflow_id": "wf_ato_step_up",
                "vendor_data": f"user-{number}",
                "portrait_image": base64.b64encode(self._portrait).decode(),
                "sandbox_scenario": scenario,
                "metadata": {"number": number},
            },
        )
        device = {"Session-Token": created["session_token"]}
        status = created["status"]
        while status in {"Not Started", "In Progress"}:
            state = self._call("/v1/capture/start/", 200, 409, headers=device)
            if state.get("step") is not None:
                node, attempt = state["step"]["node_id"], state["step"]["attempt"]
                submission = uuid.uuid5(uuid.UUID(created["session_id"]), f"{node} {attempt}").hex
                state = self._call(
                    f"/v1/capture/steps/{node}/",
                    200,
                    409,
                    headers=device,
                    files=[("frames", ("0.jpg", self._portrait, "image/jpeg"))],
                    data={"submission_key": submission},
                )
            status = state.get("status", status)
        self._progress.note(created["session_id"], status)

    def _call(self, url: str, *expected: int, **call: Any) -> Any:
        deadline = time.monotonic() + CALL_LIMIT_S
        while True:
            try:
                response = self._client.post(url, **call)
            except httpx2.TransportError:
                assert time.monotonic() < deadline, f"{url} was not answered for {CALL_LIMIT_S} s"
                with self._progress.lock:
                    self._progress.repeated_calls += 1
                time.sleep(0.2)
                continue
            if "retry-after" in response.headers and time.monotonic() < deadline:
                time.sleep(float(response.headers["retry-after"]))
                continue
            assert response.status_code in expected, f"{url}: {response.status_code} {response.text[:500]}"
            return response.json()


@dataclass(frozen=True)
class Stored:
    """What the database holds in the end."""

    sessions: list[SessionRow]
    events: list[EventRow]
    deliveries: list[DeliveryRow]
    captures: list[CaptureRow]
    media: list[MediaRow]
    missing_blobs: int


def settings_for(data_dir: Path, url: str, port: int) -> Settings:
    return Settings(data_dir=data_dir, database_url=url, port=port, public_url=f"http://127.0.0.1:{port}")


def prepare(settings: Settings) -> RegisteredApplication:
    """Create the application before anything runs."""
    registered: list[RegisteredApplication] = []

    async def work() -> None:
        services = await build_services(settings, load_faces=False)
        registered.append(await register_application(services))
        await close_services(services)

    in_own_loop(work())
    return registered[0]


def read_back(settings: Settings) -> Stored:
    """Read every row that matters, and look for the blob of every image."""
    found: list[Stored] = []

    async def work() -> None:
        services = await build_services(settings, load_faces=False)
        async with services.database.reading() as tx:
            rows: list[list[Any]] = [
                list(await tx.scalars(select(table)))
                for table in (SessionRow, EventRow, DeliveryRow, CaptureRow, MediaRow)
            ]
        missing = 0
        for media in rows[4]:
            try:
                await services.blobs.get(media.blob_key)
            except Exception:  # any failure to read the image back counts as a lost image
                missing += 1
        found.append(Stored(rows[0], rows[1], rows[2], rows[3], rows[4], missing))
        await close_services(services)

    in_own_loop(work())
    return found[0]


def undelivered(settings: Settings) -> int:
    """Deliveries that the worker still has to make."""
    counts: list[int] = []

    async def work() -> None:
        database = Database(settings.resolved_database_url)
        async with database.reading() as tx:
            states = list(await tx.scalars(select(DeliveryRow.state)))
        counts.append(sum(state == "pending" for state in states))
        await database.close()

    in_own_loop(work())
    return counts[0]


def test_no_decision_and_no_event_is_lost_by_kill_nine(
    databases: Databases,
    tmp_path: Path,
    receiver: WebhookReceiver,
    portraits: Mapping[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with databases.fresh(tmp_path / "data") as url:
        settings = settings_for(tmp_path / "data", url, free_port())
        application = prepare(settings)
        environment = {
            "IPSE_DATA_DIR": str(settings.data_dir),
            "IPSE_DATABASE_URL": url,
            "IPSE_PORT": str(settings.port),
            "IPSE_PUBLIC_URL": settings.public_url,
            "IPSE_RUN_WORKER": "false",
            "IPSE_RATE_LIMITS": "false",
            "IPSE_LOG_LEVEL": "WARNING",
            # A receiver that a busy machine keeps waiting is no receiver that is down; after a timeout the worker
            # waits for a minute, and then for longer and longer.
            "IPSE_WEBHOOK_TIMEOUT_S": "30",
            # Scenarios need no models, and without them a killed process is back sooner: more kills in less time.
            "IPSE_MODELS_DIR": str(tmp_path / "no models"),
        }
        health = f"{settings.public_url}/system/healthcheck"
        server = Killable("serve", environment, tmp_path / "serve.log", ready_url=health)
        worker = Killable("worker", environment, tmp_path / "worker.log")
        started = time.monotonic()
        server.start()
        worker.start()
        try:
            secret = subscribe(settings.public_url, application.key, receiver.url)
            progress = run_step_ups(settings.public_url, application.key, portraits["obama_1"], server, worker)
            worked = time.monotonic() - started
            deadline = time.monotonic() + DELIVERY_LIMIT_S
            while (pending := undelivered(settings)) and time.monotonic() < deadline:
                time.sleep(0.5)
        finally:
            server.stop()
            worker.stop()
        seconds = time.monotonic() - started
        stored = read_back(settings)

    report = summary(stored, progress, receiver, server, worker, (worked, seconds))
    with capsys.disabled():
        print(f"\n[{databases.engine}] {report}")
    assert pending == 0, report
    assert server.kills > 0
    assert worker.kills > 0
    check_decisions(stored, progress)
    check_events(stored)
    check_deliveries(stored, receiver, secret)


def subscribe(url: str, key: str, target: str) -> str:
    answer = httpx2.post(
        f"{url}/v3/webhook/destinations/", headers={"x-api-key": key}, json={"label": "crash", "url": target}
    )
    assert answer.status_code == 201, answer.text
    secret: str = answer.json()["secret_shared_key"]
    return secret


def run_step_ups(url: str, key: str, portrait: bytes, server: Killable, worker: Killable) -> Progress:
    """Let several clients work while server and worker are killed again and again, most often in mid-request."""
    choice = random.Random(SEED)
    progress = Progress()
    scenarios = [choice.choice(sorted(OUTCOMES)) for _ in range(STEP_UPS)]
    integrators: SimpleQueue[Integrator] = SimpleQueue()
    for _ in range(CLIENTS):
        integrators.put(Integrator(url, key, portrait, progress))

    def one(number: int) -> None:
        integrator = integrators.get()
        try:
            integrator.step_up(number, scenarios[number])
        finally:
            integrators.put(integrator)

    with ThreadPoolExecutor(CLIENTS) as pool:
        work = [pool.submit(one, number) for number in range(STEP_UPS)]
        target = 0
        while target < STEP_UPS and not all(future.done() for future in work):
            target += choice.randint(10, 22)
            wait_until(progress, work, min(target, STEP_UPS))
            time.sleep(choice.uniform(0.0, 0.05))
            victims = choice.choice([[server], [worker], [server, worker]])
            for victim in victims:
                victim.kill()
            for victim in victims:
                victim.start()
        for future in work:
            future.result()
    for _ in range(CLIENTS):
        integrators.get().close()
    return progress


def wait_until(progress: Progress, work: list[Future[None]], count: int) -> None:
    """Wait until ``count`` sessions are decided, or until a client failed."""

    def reached() -> bool:
        return len(progress.decided) >= count or any(future.done() and future.exception() for future in work)

    with progress.moved:
        progress.moved.wait_for(reached, CALL_LIMIT_S)


def check_decisions(stored: Stored, progress: Progress) -> None:
    """What a client was told is what is stored, and each step-up exists once."""
    assert len(progress.decided) == STEP_UPS
    assert {row.id: row.status for row in stored.sessions} == progress.decided
    scenario_outcome = {row.id: OUTCOMES[str(row.sandbox_scenario)] for row in stored.sessions}
    assert scenario_outcome == progress.decided
    numbers = sorted(row.session_number for row in stored.sessions)
    assert numbers == list(range(numbers[0], numbers[0] + STEP_UPS))
    per_step = Counter((row.session_id, row.node_id, row.attempt) for row in stored.captures)
    assert set(per_step.values()) == {1}
    assert stored.missing_blobs == 0


def check_events(stored: Stored) -> None:
    """Every change of status has exactly one event, the decision among them."""
    by_session: dict[str | None, list[EventRow]] = defaultdict(list)
    for event in stored.events:
        by_session[event.session_id].append(event)
    for session in stored.sessions:
        events = sorted(by_session[session.id], key=lambda event: event.session_version or 0)
        assert [event.session_version for event in events] == list(range(1, session.version + 1))
        assert [event.status for event in events] == ["Not Started", "In Progress", session.status]
    assert len(stored.events) == sum(session.version for session in stored.sessions)


def check_deliveries(stored: Stored, receiver: WebhookReceiver, secret: str) -> None:
    """Every event is delivered, correctly signed, and in the order of its session."""
    assert Counter(delivery.state for delivery in stored.deliveries) == {"delivered": len(stored.events)}
    assert {delivery.event_id for delivery in stored.deliveries} == {event.id for event in stored.events}
    assert {request.body["event_id"] for request in receiver.requests} == {event.id for event in stored.events}
    assert all(request.signed_by(secret) for request in receiver.requests)
    first_seen: dict[str, list[int]] = defaultdict(list)
    for request in receiver.requests:
        version = request.body["session_version"]
        if version not in first_seen[request.body["session_id"]]:
            first_seen[request.body["session_id"]].append(version)
    assert all(versions == sorted(versions) for versions in first_seen.values())


def summary(
    stored: Stored,
    progress: Progress,
    receiver: WebhookReceiver,
    server: Killable,
    worker: Killable,
    seconds: tuple[float, float],
) -> str:
    distinct = len({request.body["event_id"] for request in receiver.requests})
    states = Counter(delivery.state for delivery in stored.deliveries)
    return (
        f"{len(progress.decided)} step-ups in {seconds[0]:.0f} s (all delivered after {seconds[1]:.0f} s) "
        f"with {server.kills} kills of the server and "
        f"{worker.kills} of the worker: {len(stored.sessions)} sessions, {len(stored.events)} events, "
        f"deliveries {dict(states)}, {len(receiver.requests)} webhooks received ({distinct} distinct, "
        f"{len(receiver.requests) - distinct} repeated after a crash), {progress.repeated_calls} calls repeated"
    )
