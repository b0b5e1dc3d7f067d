"""Guarantees of an installation of several processes: two servers and two workers on PostgreSQL and an S3 store.

Real processes behind a balancer that gives every call to the next server. They share the database, the bucket and the
master keys, and nothing else: each has a data folder of its own.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from tests.crash.test_kill_nine import (
    OUTCOMES,
    Integrator,
    Progress,
    Stored,
    check_deliveries,
    check_events,
    read_back,
    subscribe,
)
from tests.scale.installation import Installation, Member, running_installation, together
from tests.services.databases import running_databases
from tests.services.pictures import flat_jpeg
from tests.services.receiver import WebhookReceiver
from tests.services.s3 import CREDENTIALS, running_s3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

STEP_UPS = int(os.environ.get("IPSE_TEST_SCALE_STEP_UPS", "40"))
CLIENTS = 4
# Nothing is proved about speed here: the limits only end what would never end.
LIMIT_S = 300.0
NODE = "feature_liveness"
FRAME = flat_jpeg()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("scale")
    with (
        pytest.MonkeyPatch.context() as environment,
        running_databases("postgresql", folder) as databases,
        databases.fresh(folder / "database") as url,
        running_s3(folder / "s3") as s3,
    ):
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        with running_installation(folder, url, s3) as running:
            yield running


@pytest.fixture
def calls(installation: Installation) -> Iterator[tuple[httpx2.Client, httpx2.Client]]:
    """A client for each server, past the balancer."""
    first, second = installation.servers
    headers = {"x-api-key": installation.application.key}
    with (
        httpx2.Client(base_url=first.url, headers=headers, timeout=60) as one,
        httpx2.Client(base_url=second.url, headers=headers, timeout=60) as other,
    ):
        yield one, other


def post(client: httpx2.Client, path: str, expected: int = 200, **call: Any) -> dict[str, Any]:
    answer = client.post(path, **call)
    assert answer.status_code == expected, f"{path}: {answer.status_code} {answer.text[:500]}"
    body: dict[str, Any] = answer.json()
    return body


def wait_for(what: str, found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not found():
        assert time.monotonic() < deadline, f"{what} did not happen within {LIMIT_S:g} s"
        time.sleep(0.2)


def test_a_challenge_begun_on_one_server_is_answered_on_the_other(calls: tuple[httpx2.Client, httpx2.Client]) -> None:
    one, other = calls
    liveness = {"feature": "LIVENESS", "config": {"face_liveness_method": "ACTIVE_3D"}}
    workflow = post(one, "/v3/workflows/", 201, json={"features": [liveness]})
    session = post(other, "/v3/session/", 201, json={"workflow_id": workflow["workflow_id"]})
    token = {"Session-Token": session["session_token"]}
    post(one, "/v1/capture/start/", headers=token)
    view = post(other, f"/v1/capture/steps/{NODE}/challenge/", headers=token, json={"method": "ACTIVE_3D"})
    received, recorded = time.perf_counter(), []
    while (phase := view["phase"]) is not None:
        one, other = other, one
        started = (time.perf_counter() - received) * 1000
        time.sleep(phase["min_ms"] / 1000 + 0.2)  # the person moves; the server's clock is the real one
        ended = (time.perf_counter() - received) * 1000
        frames = [FRAME + f"{view['index']} {number}".encode() for number in range(4)]
        recorded += frames
        shown = [*frames, FRAME] if view["index"] == 0 else frames
        times = [started + (ended - started) * (number + 1) / (len(shown) + 1) for number in range(len(shown))]
        view = post(
            one,
            f"/v1/capture/challenges/{view['challenge']}/phases/",
            headers=token,
            json={
                "index": view["index"],
                "started_ms": started,
                "ended_ms": ended,
                "frames": [
                    {"sha256": sha256(frame).hexdigest(), "at_ms": at} for frame, at in zip(shown, times, strict=True)
                ],
            },
        )
    final = post(
        other,
        f"/v1/capture/steps/{NODE}/",
        headers=token,
        data={"submission_key": uuid.uuid4().hex, "challenge": view["challenge"]},
        files=[("frames", ("0.jpg", FRAME, "image/jpeg"))]
        + [("challenge_frames", (f"{number}.jpg", frame, "image/jpeg")) for number, frame in enumerate(recorded)],
    )
    assert (final["outcome"], final["status"]) == ("finished", "Approved")


def test_a_hand_off_offered_by_one_server_is_taken_up_on_the_other(calls: tuple[httpx2.Client, httpx2.Client]) -> None:
    one, other = calls
    session = post(one, "/v3/session/", 201, json={"workflow_id": "wf_enrolment", "vendor_data": "moves"})
    desktop = {"Session-Token": session["session_token"]}
    post(other, "/v1/capture/start/", headers=desktop)
    offered = post(one, "/v1/capture/handoffs/", headers=desktop)
    opened = post(other, "/v1/capture/handoffs/open/", json={"token": offered["url"].rsplit("/", 1)[1]})
    assert opened["number"] == offered["number"]
    phone = {"Session-Token": opened["session_token"]}
    post(one, "/v1/capture/handoffs/confirm/", headers=phone)
    refused = other.post("/v1/capture/start/", headers=desktop)
    assert refused.status_code == 409, "only the phone captures now, whichever server is asked"
    final = post(
        other,
        f"/v1/capture/steps/{NODE}/",
        headers=phone,
        data={"submission_key": uuid.uuid4().hex},
        files=[("frames", ("0.jpg", FRAME, "image/jpeg"))],
    )
    assert final["status"] == "Approved"
    read = one.get(f"/v3/session/{session['session_id']}/decision/")
    assert read.json()["status"] == "Approved"


def test_retries_that_reach_both_servers_make_one_session(
    installation: Installation, calls: tuple[httpx2.Client, httpx2.Client]
) -> None:
    body = {"workflow_id": "wf_enrolment", "vendor_data": "retried"}

    def create(client: httpx2.Client) -> str:
        while True:
            answer = client.post("/v3/session/", json=body, headers={"idempotency-key": "the-same"})
            if answer.status_code == 409 and "retry-after" in answer.headers:  # the other server is still at it
                time.sleep(0.2)
                continue
            assert answer.status_code == 201, answer.text
            return str(answer.json()["session_id"])

    answers = together(*(lambda client=client: create(client) for client in calls * 4))
    assert len(set(answers)) == 1
    stored = installation.rows("SELECT count(*) FROM idempotency_keys WHERE key = 'the-same'")
    assert stored[0][0] == 1


def test_schedules_have_one_holder_and_another_takes_over_when_it_dies(installation: Installation) -> None:
    def holder() -> Member | None:
        """The worker that ran the task last, if it is one of those that live."""
        rows = installation.rows("SELECT holder FROM leases WHERE name = 'sessions.clock'")
        names = [row.holder for row in rows]
        return next((w for w in installation.workers if w.process.pid and f"-{w.process.pid}-" in "".join(names)), None)

    wait_for("a run of the schedule", lambda: holder() is not None)
    first = holder()
    assert first is not None
    other = next(worker for worker in installation.workers if worker is not first)
    first.process.kill()
    wait_for("the take-over", lambda: holder() is other)
    first.process.start()

    # A process that died in mid-run: the task is its own until the lease ends, and somebody else's after that.
    leased = installation.rows(
        "UPDATE leases SET holder = 'gone', expires_at = clock_timestamp() + interval '8 seconds' "
        "WHERE name = 'sessions.clock' RETURNING expires_at"
    )
    early: list[bool] = []

    def taken_over() -> bool:
        row = installation.rows(
            "SELECT holder, clock_timestamp() < :ends AS early FROM leases WHERE name = 'sessions.clock'",
            ends=leased[0].expires_at,
        )[0]
        if row.holder != "gone":
            early.append(row.early)
        return bool(row.holder != "gone")

    wait_for("the take-over of an expired lease", taken_over)
    assert early == [False]


def test_killing_any_server_or_worker_loses_nothing(
    installation: Installation, receiver: WebhookReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = subscribe(installation.servers[0].url, installation.application.key, receiver.url)
    progress = Progress()
    began = time.monotonic()
    step_ups = StepUps(installation, progress)
    # Workers first: what a dead one had in hand comes back when its lease has run out, 30 s later.
    victims = (installation.workers[0], installation.servers[0], installation.workers[1], installation.servers[1])
    with ThreadPoolExecutor(CLIENTS) as pool:
        work = [pool.submit(step_ups.one, number) for number in range(STEP_UPS)]
        for place, victim in enumerate(victims, start=1):
            wait_for("progress", lambda: len(progress.decided) >= STEP_UPS * place // 6 or failed(work))  # noqa: B023
            victim.process.kill()
            victim.process.start()
        for future in work:
            future.result()
    worked = time.monotonic() - began
    extra = share_of_work(installation, step_ups)
    wait_for("the delivery of every event", lambda: pending(installation) == 0)
    seconds = time.monotonic() - began

    stored = of_sessions(read_back(installation.settings), set(progress.decided))
    with capsys.disabled():
        print(
            f"\n[2 servers, 2 workers] {len(progress.decided)} step-ups in {worked:.0f} s, all delivered after "
            f"{seconds:.0f} s, each process killed once: {len(stored.sessions)} sessions, {len(stored.events)} events, "
            f"{len(receiver.requests)} webhooks, {progress.repeated_calls} calls repeated; calls of servers and "
            f"attempts of workers since their restart: {extra}"
        )
    check_decisions(stored, progress)
    check_events(stored)
    check_deliveries(stored, receiver, secret)


class StepUps:
    """Clients that repeat what was not answered; every call goes over a connection, and so to a server, of its own."""

    def __init__(self, installation: Installation, progress: Progress) -> None:
        self._installation, self._progress = installation, progress
        self._scenarios = sorted(OUTCOMES)

    def one(self, number: int) -> None:
        client = Integrator(self._installation.balancer.url, self._installation.application.key, FRAME, self._progress)
        client.headers["connection"] = "close"
        try:
            client.step_up(number, self._scenarios[number % len(self._scenarios)])
        finally:
            client.close()


def share_of_work(installation: Installation, step_ups: StepUps) -> dict[str, float]:
    """Go on until each process has done some work since it was started again; return how much."""
    found: dict[str, float] = {}
    number = STEP_UPS

    def shared() -> bool:
        nonlocal number
        step_ups.one(number)
        number += 1
        for server in installation.servers:
            found[server.name] = server.metric("ipse_http_requests_total", method="POST")
        for worker in installation.workers:
            found[worker.name] = worker.metric("ipse_webhook_attempts_total", result="delivered")
        return all(found.values())

    wait_for("work by every process", shared)
    return found


def failed(work: list[Any]) -> bool:
    return any(future.done() and future.exception() for future in work)


def pending(installation: Installation) -> int:
    return int(installation.rows("SELECT count(*) FROM deliveries WHERE state = 'pending'")[0][0])


def of_sessions(stored: Stored, sessions: set[str]) -> Stored:
    """Leave out what other tests made."""
    return replace(
        stored,
        sessions=[row for row in stored.sessions if row.id in sessions],
        events=[row for row in stored.events if row.session_id in sessions],
        captures=[row for row in stored.captures if row.session_id in sessions],
    )


def check_decisions(stored: Stored, progress: Progress) -> None:
    """What a client was told is what is stored, each step-up exists once, and every image can be read."""
    assert {row.id: row.status for row in stored.sessions} == progress.decided
    assert {row.id: OUTCOMES[str(row.sandbox_scenario)] for row in stored.sessions} == progress.decided
    assert max(Counter(row.session_number for row in stored.sessions).values()) == 1
    assert set(Counter((row.session_id, row.node_id, row.attempt) for row in stored.captures).values()) == {1}
    assert len(stored.media) >= len(progress.decided)
    assert stored.missing_blobs == 0
