"""Guarantee: the community client ``didit-sdk`` 0.4.0 works unchanged; only its base URL and key are ours."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from didit import (
    CallbackMethod,
    Didit,
    DiditAPIError,
    DiditNotFoundError,
    DiditPermissionError,
    DiditSignatureError,
    DiditTimeoutError,
    ExpectedDetails,
    RequestOptions,
    SessionStatus,
)
from httpx2 import Client

from ipse.biometrics.engine import FaceEngine
from ipse.settings import Settings
from tests.services.databases import Databases
from tests.services.receiver import WebhookReceiver
from tests.services.server import RunningServer, running_server
from tests.services.step_up import finish_session_blocking

pytestmark = pytest.mark.models

STEP_UP = "wf_ato_step_up"


@pytest.fixture(scope="module")
def server(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, face_engine: FaceEngine
) -> Iterator[RunningServer]:
    """One server for all tests of this file."""
    data_dir = tmp_path_factory.mktemp("sdk") / "data"
    with databases.fresh(data_dir) as url:
        settings = Settings(data_dir=data_dir, database_url=url, inference_workers=2, log_level="WARNING")
        with running_server(settings, face_engine) as running:
            yield running


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIDIT_API_KEY", "DIDIT_BASE_URL", "DIDIT_WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)
    logging.getLogger("httpx").setLevel(logging.WARNING)


@pytest.fixture
def sdk(server: RunningServer) -> Iterator[Didit]:
    with Didit(server.key, base_url=f"{server.url}/v3", max_retries=0) as client:
        yield client


@pytest.fixture
def person(server: RunningServer) -> Iterator[Client]:
    """The capture device of the person."""
    with Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
def portrait(portraits: Mapping[str, bytes]) -> str:
    return base64.b64encode(portraits["obama_1"]).decode()


def start(sdk: Didit, portrait: str, scenario: str = "approve", vendor_data: str = "user-1") -> tuple[str, str]:
    """Create a step-up; return its id and the token that opens its capture page."""
    created = sdk.sessions.create(
        vendor_data,
        workflow_id=STEP_UP,
        portrait_image=portrait,
        sandbox_scenario=scenario,
        metadata={"action": "transfer", "amount": 12.5},
    )
    assert created.url is not None
    token = created.url.rsplit("/", 1)[-1]
    return created.session_id, token


def test_the_client_under_test_is_the_published_one() -> None:
    assert version("didit-sdk") == "0.4.0"


def test_a_session_is_created_and_read_back(sdk: Didit, portrait: str) -> None:
    created = sdk.sessions.create(
        "user-create",
        workflow_id=STEP_UP,
        portrait_image=portrait,
        callback="https://app.example/done",
        callback_method=CallbackMethod.BOTH,
        language="es",
        metadata={"flow": "login"},
        contact_details={"email": "ana@example.com"},
        expected_details=ExpectedDetails(first_name="Ana", nationality="ESP"),
    )
    assert created.status == SessionStatus.NOT_STARTED
    assert created.url is not None
    assert "/es/session/" in created.url
    read = sdk.sessions.get(created.session_id)
    assert (read.session_id, read.status, read.vendor_data) == (created.session_id, created.status, "user-create")


@pytest.mark.parametrize(
    ("scenario", "status"),
    [
        ("approve", SessionStatus.APPROVED),
        ("decline_face_match_low_similarity", SessionStatus.DECLINED),
        ("decline_liveness_attack", SessionStatus.DECLINED),
        ("review_face_match_borderline", SessionStatus.IN_REVIEW),
    ],
)
def test_polling_ends_with_the_decision(
    sdk: Didit, person: Client, portrait: str, portraits: Mapping[str, bytes], scenario: str, status: SessionStatus
) -> None:
    session_id, token = start(sdk, portrait, scenario, vendor_data=f"poll-{scenario}")
    # The person acts while the integrator is already polling.
    capture = threading.Thread(target=finish_session_blocking, args=(person, token, [portraits["obama_2"]]))
    capture.start()
    decision = sdk.sessions.poll_decision(session_id, timeout=20, interval=0.1, max_interval=0.2)
    capture.join()
    assert decision.status == status
    assert decision.session_id == session_id
    assert decision.vendor_data == f"poll-{scenario}"


def test_an_unfinished_session_keeps_the_poller_waiting(sdk: Didit, portrait: str) -> None:
    session_id, _ = start(sdk, portrait, vendor_data="waiting")
    with pytest.raises(DiditTimeoutError):
        sdk.sessions.poll_decision(session_id, timeout=0.4, interval=0.1)


def test_sessions_are_listed_by_person_status_and_time(
    sdk: Didit, person: Client, portrait: str, portraits: Mapping[str, bytes]
) -> None:
    approved, token = start(sdk, portrait, vendor_data="listed")
    finish_session_blocking(person, token, [portraits["obama_2"]])
    waiting, _ = start(sdk, portrait, vendor_data="listed")
    everything = sdk.sessions.list(vendor_data="listed")
    assert [item.session_id for item in everything.results] == [waiting, approved]
    assert everything.count == 2
    now = datetime.now(UTC)
    page = sdk.sessions.list(
        vendor_data="listed",
        status=SessionStatus.APPROVED,
        date_from=now - timedelta(hours=1),
        date_to=now + timedelta(hours=1),
        limit=1,
    )
    assert [item.session_id for item in page.results] == [approved]
    assert sdk.sessions.list(vendor_data="listed", date_to=now - timedelta(hours=1)).results == []


def test_a_reviewer_changes_the_status_and_asks_for_another_try(
    sdk: Didit, person: Client, portrait: str, portraits: Mapping[str, bytes]
) -> None:
    session_id, token = start(sdk, portrait, "review_face_match_borderline", vendor_data="reviewed")
    finish_session_blocking(person, token, [portraits["obama_2"]])
    updated = sdk.sessions.update_status(session_id, "Approved", comment="the same person")
    assert updated.session_id == session_id
    assert sdk.sessions.get_decision(session_id).status == SessionStatus.APPROVED
    sdk.sessions.update_status(session_id, "Declined")
    sdk.sessions.resubmit(session_id, ["feature_face_match:FACE_MATCH"], comment="please try once more")
    assert sdk.sessions.get_decision(session_id).status == SessionStatus.RESUBMITTED
    finish_session_blocking(person, token, [portraits["obama_2"]])
    assert sdk.sessions.get_decision(session_id).status == SessionStatus.IN_REVIEW
    with pytest.raises(DiditAPIError) as refused:
        sdk.sessions.update_status(session_id, "Approved", send_email=True, email_address="not an address")
    assert refused.value.status_code == 400


def test_every_webhook_passes_the_client_s_own_verification(
    server: RunningServer,
    sdk: Didit,
    person: Client,
    receiver: WebhookReceiver,
    portrait: str,
    portraits: Mapping[str, bytes],
) -> None:
    destination = person.post(
        "/v3/webhook/destinations/",
        headers={"x-api-key": server.key},
        json={"label": "SDK", "url": receiver.url, "webhook_version": "v3", "subscribed_events": ["status.updated"]},
    )
    assert destination.status_code == 201, destination.text
    secret = destination.json()["secret_shared_key"]
    session_id, token = start(sdk, portrait, "decline_face_match_low_similarity", vendor_data="hooked ü 😀")
    finish_session_blocking(person, token, [portraits["obama_2"]])
    final = receiver.wait_for_status(session_id, "Declined")

    payload = sdk.parse_webhook(final.raw, final.headers, secret=secret)
    assert (payload.session_id, payload.status, payload.vendor_data) == (session_id, "Declined", "hooked ü 😀")
    assert payload.decision is not None
    assert payload.decision.session_id == session_id
    assert payload.metadata == {"action": "transfer", "amount": 12.5}
    of_session = [r for r in receiver.requests if r.body["session_id"] == session_id]
    assert [r.body["status"] for r in of_session] == ["Not Started", "In Progress", "Declined"]
    for request in of_session:
        assert sdk.verify_webhook(request.raw, request.headers, secret=secret)
        assert request.signed_by(secret)
        for one in ("x-signature", "x-signature-v2"):
            only = {"x-timestamp": request.headers["x-timestamp"], one: request.headers[one]}
            assert sdk.verify_webhook(request.raw, only, secret=secret), one

    with pytest.raises(DiditSignatureError):
        sdk.parse_webhook(final.raw.replace(b"Declined", b"Approved"), final.headers, secret=secret)
    with pytest.raises(DiditSignatureError):
        sdk.parse_webhook(final.raw, final.headers, secret="another secret")
    removed = person.delete(
        f"/v3/webhook/destinations/{destination.json()['uuid']}/", headers={"x-api-key": server.key}
    )
    assert removed.status_code == 204


def test_errors_are_the_client_s_own_classes(server: RunningServer, sdk: Didit) -> None:
    with pytest.raises(DiditNotFoundError):
        sdk.sessions.get_decision("00000000-0000-4000-8000-000000000000")
    with pytest.raises(DiditAPIError) as refused:
        sdk.sessions.create("user-1", workflow_id="00000000-0000-4000-8000-000000000000")
    assert refused.value.status_code == 400
    with (
        Didit("wrong key", base_url=f"{server.url}/v3", max_retries=0) as stranger,
        pytest.raises(DiditPermissionError),
    ):
        stranger.sessions.list()


def test_an_idempotency_key_creates_one_session(sdk: Didit, portrait: str) -> None:
    options = RequestOptions(idempotency_key=f"create-{time.time_ns()}")
    made = [
        sdk.sessions.create(None, workflow_id=STEP_UP, portrait_image=portrait, options=options).session_id
        for _ in range(2)
    ]
    assert made[0] == made[1]


def test_the_healthcheck_is_understood(sdk: Didit) -> None:
    assert sdk.healthcheck().status == "ok"


def run_cli(key: str, server: RunningServer, *command: str) -> tuple[int, dict[str, Any]]:
    """The client's own command line, as a user runs it; returns exit status and what it printed as JSON."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("didit")), *command, "--json", "--base-url", f"{server.url}/v3"],
        env={**os.environ, "DIDIT_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = json.loads(done.stdout or done.stderr)
    return done.returncode, found.get("data", found)


def test_the_doctor_accepts_a_good_key_and_refuses_a_wrong_one(server: RunningServer) -> None:
    status, report = run_cli(server.key, server, "doctor", "--strict")
    assert (status, report["connectivity"], report["authenticated"]) == (0, "ok", True)
    status, refusal = run_cli("wrong", server, "doctor")
    assert status != 0
    assert "PERMISSION_DENIED" in json.dumps(refusal)


def test_the_catalogue_of_sandbox_scenarios_is_read_from_the_server(server: RunningServer) -> None:
    status, catalogue = run_cli(server.key, server, "sandbox", "scenarios", "--strict")
    assert (status, catalogue["count"]) == (0, 16)
    assert {"approve", "decline_liveness_attack", "review_face_match_borderline"} <= {
        scenario["slug"] for scenario in catalogue["scenarios"]
    }
