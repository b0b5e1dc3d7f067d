"""The capture API in a sandbox that answers by scenario: the flow, its refusals, and repeated submissions."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()


async def create(client: AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", **body})
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


async def submit(client: AsyncClient, token: str, node: str, *frames: bytes, key: str | None = None) -> Response:
    return await client.post(
        f"/v1/capture/steps/{node}/",
        headers={"Session-Token": token},
        data={"submission_key": key or uuid.uuid4().hex},
        files=[("frames", (f"{n}.jpg", frame, "image/jpeg")) for n, frame in enumerate(frames)],
    )


async def start(client: AsyncClient, token: str) -> dict[str, Any]:
    response = await client.post("/v1/capture/start/", headers={"Session-Token": token})
    assert response.status_code == 200, response.text
    state: dict[str, Any] = response.json()
    return state


async def statuses_announced(services: Services, session_id: str) -> list[str | None]:
    async with services.database.reading() as tx:
        found = await tx.scalars(
            select(EventRow.status).where(EventRow.session_id == session_id).order_by(EventRow.session_version)
        )
        return list(found)


async def test_the_page_learns_who_asks_and_for_what(client: AsyncClient) -> None:
    brand = await client.patch("/v3/customization/", json={"app_public_name": "ACME Bank"})
    assert brand.status_code == 200, brand.text
    session = await create(
        client,
        metadata={"trigger": "transfer", "amount": "1250.00", "currency": "EUR", "payee": "Bo", "note": "secret"},
    )
    state = await start(client, session["session_token"])
    assert state["brand"]["name"] == "ACME Bank"
    assert state["purpose"] == {
        "code": "transfer",
        "text": None,
        "amount": "1250.00",
        "currency": "EUR",
        "payee": "Bo",
        "account": None,
        "reference": None,
        "details": None,
    }
    assert "secret" not in str(state)
    assert state["status"] == "In Progress"
    assert state["environment"] == "sandbox"
    assert state["step"]["feature"] == "LIVENESS"
    assert state["step"]["needs"] == ["selfie_frames"]
    assert "score" not in str(state)


async def test_reading_the_state_does_not_open_the_session(client: AsyncClient) -> None:
    session = await create(client)
    state = await client.get("/v1/capture/session/", headers={"Session-Token": session["session_token"]})
    assert state.json()["status"] == "Not Started"


async def test_every_change_of_status_is_announced_once_and_in_order(client: AsyncClient, services: Services) -> None:
    session = await create(client, vendor_data="u")
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == "Approved"
    assert final["outcome"] == "finished"
    assert await statuses_announced(services, session["session_id"]) == ["Not Started", "In Progress", "Approved"]


@pytest.mark.parametrize(
    ("scenario", "status", "risk"),
    [
        ("approve", "Approved", None),
        ("decline_liveness_attack", "Declined", "LIVENESS_FACE_ATTACK"),
        ("decline_document_expired", "Approved", None),  # acts on a feature this workflow does not run
    ],
)
async def test_scenarios_decide(client: AsyncClient, scenario: str, status: str, risk: str | None) -> None:
    session = await create(client, sandbox_scenario=scenario)
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == status
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    warnings = [w["risk"] for item in decision["liveness_checks"] for w in item["warnings"]]
    assert risk is None or risk in warnings
    assert decision["environment"] == "sandbox"


async def test_enrolment_serves_the_next_step_up(client: AsyncClient) -> None:
    enrolment = await create(client, vendor_data="u")
    await finish_session(client, enrolment["session_token"], [FRAME])
    step_up = await client.post("/v3/session/", json={"workflow_id": "wf_ato_step_up", "vendor_data": "u"})
    assert step_up.status_code == 201, step_up.text
    final = await finish_session(client, step_up.json()["session_token"], [FRAME])
    assert final["status"] == "Approved"
    decision = (await client.get(f"/v3/session/{step_up.json()['session_id']}/decision/")).json()
    assert decision["features"] == ["LIVENESS", "FACE_MATCH"]
    assert decision["face_matches"][0]["source_image_session_id"] in {enrolment["session_id"], None}


async def test_repeated_submission_repeats_the_answer_and_nothing_else(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    step = (await start(client, session["session_token"]))["step"]
    first = await submit(client, session["session_token"], step["node_id"], FRAME, key="k1")
    again = await submit(client, session["session_token"], step["node_id"], FRAME, key="k1")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert len(await statuses_announced(services, session["session_id"])) == 3


async def test_finished_session_takes_no_more_frames(client: AsyncClient) -> None:
    session = await create(client)
    await finish_session(client, session["session_token"], [FRAME])
    late = await submit(client, session["session_token"], "feature_liveness", FRAME)
    assert late.status_code == 409
    assert late.json()["status"] == "Approved"
    reopened = await client.post("/v1/capture/start/", headers={"Session-Token": session["session_token"]})
    assert reopened.status_code == 409


async def test_wrong_step_is_refused(client: AsyncClient) -> None:
    session = await create(client)
    await start(client, session["session_token"])
    response = await submit(client, session["session_token"], "feature_nowhere", FRAME)
    assert response.status_code == 409
    assert response.json()["node_id"] == "feature_liveness"


@pytest.mark.parametrize("token", [None, "", "short", "x" * 12, "AAAAAAAAAAAA"])
async def test_unknown_tokens_open_nothing(client: AsyncClient, token: str | None) -> None:
    headers = {} if token is None else {"Session-Token": token}
    for method, path in (("GET", "/v1/capture/session/"), ("POST", "/v1/capture/start/")):
        assert (await client.request(method, path, headers=headers)).status_code == 403


async def test_expired_link_takes_nothing(client: AsyncClient, clock: ManualClock) -> None:
    session = await create(client)
    clock.advance(timedelta(days=7, seconds=1))
    response = await client.post("/v1/capture/start/", headers={"Session-Token": session["session_token"]})
    assert response.status_code == 410


@pytest.mark.parametrize("frame", [b"", b"plainly not an image", FRAME[:200], b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
async def test_frames_that_are_no_images_are_refused_and_cost_no_attempt(client: AsyncClient, frame: bytes) -> None:
    session = await create(client)
    step = (await start(client, session["session_token"]))["step"]
    response = await submit(client, session["session_token"], step["node_id"], frame)
    assert response.status_code == 400
    assert "frames" in response.json()
    assert (await start(client, session["session_token"]))["step"]["attempt"] == 1


async def test_too_many_or_too_large_frames_are_refused(client: AsyncClient) -> None:
    session = await create(client)
    step = (await start(client, session["session_token"]))["step"]
    many = await submit(client, session["session_token"], step["node_id"], *[FRAME] * 11)
    large = await submit(client, session["session_token"], step["node_id"], FRAME + b"\x00" * (6 * 2**20))
    assert (many.status_code, large.status_code) == (400, 400)


async def test_arming_a_scenario_needs_the_token_of_that_session(client: AsyncClient) -> None:
    session, other = await create(client), await create(client)
    path = f"/v3/session/{session['session_id']}/sandbox/arm/"
    token = {"Session-Token": session["session_token"]}
    armed = await client.post(path, json={"scenario": "decline_liveness_attack"}, headers=token)
    assert armed.json() == {
        "session_id": session["session_id"],
        "scenario": "decline_liveness_attack",
        "status": "Not Started",
    }
    assert (await client.post(path, json={"scenario": "nope"}, headers=token)).status_code == 400
    foreign = {"Session-Token": other["session_token"]}
    assert (await client.post(path, json={"scenario": "approve"}, headers=foreign)).status_code == 404
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == "Declined"
    too_late = await client.post(path, json={"scenario": "approve"}, headers=token)
    assert too_late.status_code == 400
    assert isinstance(too_late.json(), list)


async def test_kyc_in_the_sandbox_approves_every_feature(client: AsyncClient) -> None:
    session = await create(client, workflow_id="wf_face_match_kyc")
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == "Approved"
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    assert [item["status"] for item in decision["id_verifications"]] == ["Approved"]


async def test_changing_a_published_workflow_in_place_does_not_reach_running_sessions(client: AsyncClient) -> None:
    made = (await client.post("/v3/workflows/", json={"features": [{"feature": "LIVENESS"}]})).json()
    session = await create(client, workflow_id=made["workflow_id"], sandbox_scenario="decline_liveness_attack")
    later = {"features": [{"feature": "AGE_ESTIMATION"}]}
    assert (await client.patch(f"/v3/workflows/{made['uuid']}/", json=later)).status_code == 200
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == "Declined"
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    assert decision["features"] == ["LIVENESS"]
    fresh = await create(client, workflow_id=made["workflow_id"])
    await finish_session(client, fresh["session_token"], [FRAME])
    decision = (await client.get(f"/v3/session/{fresh['session_id']}/decision/")).json()
    assert decision["features"] == ["AGE_ESTIMATION"]
