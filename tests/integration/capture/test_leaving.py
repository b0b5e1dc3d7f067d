"""Leaving a session: for now, with a report that stops the action, or by the way without biometrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.decision.features import Feature
from ipse.decision.reports import report_from_warnings
from ipse.decision.warnings import warn
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, ReportRow
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()
OTHER_WAY = "https://bank.example/branch"


async def create(client: AsyncClient, workflow_id: str = "wf_enrolment", **body: Any) -> dict[str, Any]:
    response = await client.post("/v3/session/", json={"workflow_id": workflow_id, **body})
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


async def with_other_way(client: AsyncClient) -> str:
    """A workflow that offers one; returns its id."""
    body = {"features": [{"feature": "LIVENESS", "config": {"non_biometric_alternative_url": OTHER_WAY}}]}
    response = await client.post("/v3/workflows/", json=body)
    assert response.status_code == 201, response.text
    workflow_id: str = response.json()["workflow_id"]
    return workflow_id


async def call(client: AsyncClient, path: str, session: dict[str, Any], **body: Any) -> Response:
    token = {"Session-Token": session["session_token"]}
    return await client.post(f"/v1/capture/{path}", headers=token, json=body or None)


async def decision_of(client: AsyncClient, session: dict[str, Any]) -> dict[str, Any]:
    decision: dict[str, Any] = (
        await client.get(f"/v3/session/{session['session_id']}/decision/?include=events")
    ).json()
    return decision


async def announced(services: Services, session: dict[str, Any]) -> list[str | None]:
    async with services.database.reading() as tx:
        found = await tx.scalars(
            select(EventRow.status)
            .where(EventRow.session_id == session["session_id"])
            .order_by(EventRow.session_version)
        )
        return list(found)


async def test_a_cancelled_session_waits_for_the_person(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    await call(client, "start/", session)
    for _ in range(2):
        left = await call(client, "cancel/", session, reason="cancelled")
        assert (left.status_code, left.json()["status"]) == (200, "In Progress")
    assert await announced(services, session) == ["Not Started", "In Progress"]
    trail = (await decision_of(client, session))["activity_reviews"]
    assert len(trail) == 2, "one change of status, one entry for both cancellations"
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == "Approved"


async def test_a_report_declines_at_once_and_the_integrator_learns_why(client: AsyncClient, services: Services) -> None:
    session = await create(client, metadata={"trigger": "transfer", "amount": "9000", "currency": "EUR"})
    left = await call(client, "cancel/", session, reason="not_me")
    assert (left.status_code, left.json()["status"], left.json()["step"]) == (200, "Declined", None)
    decision = await decision_of(client, session)
    assert [warning["risk"] for warning in decision["liveness_checks"][0]["warnings"]] == ["REPORTED_BY_PERSON"]
    assert decision["liveness_checks"][0]["warnings"][0]["log_type"] == "error"
    assert decision["evidence"]["left"]["reason"] == "not_me"
    assert await announced(services, session) == ["Not Started", "In Progress", "Declined"]
    again = await call(client, "cancel/", session, reason="not_me")
    assert again.status_code == 409


async def test_a_report_keeps_what_an_earlier_attempt_had_shown(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    await call(client, "start/", session)
    node, now = "feature_liveness", services.clock.now()
    tried = report_from_warnings(
        Feature.LIVENESS, node, score=12, warnings=(warn("LOW_LIVENESS_SCORE", node),), facts={"method": "PASSIVE"}
    )
    async with services.database.writing() as tx:
        tx.add(
            ReportRow(
                session_id=session["session_id"],
                node_id=node,
                feature="LIVENESS",
                status=tried.status,
                final=False,
                report=tried.to_json(),
                created_at=now,
                updated_at=now,
            )
        )
    await call(client, "cancel/", session, reason="not_me")
    (check,) = (await decision_of(client, session))["liveness_checks"]
    assert [warning["risk"] for warning in check["warnings"]] == ["LOW_LIVENESS_SCORE", "REPORTED_BY_PERSON"]
    assert (check["score"], check["method"]) == (12, "PASSIVE")


async def test_a_report_stands_at_the_step_of_the_face_even_when_another_comes_first(client: AsyncClient) -> None:
    enrolment = await create(client, vendor_data="u")
    await finish_session(client, enrolment["session_token"], [FRAME])
    session = await create(client, "wf_ip_gated_step_up", vendor_data="u")
    assert (await call(client, "cancel/", session, reason="not_me")).json()["status"] == "Declined"
    decision = await decision_of(client, session)
    assert [warning["risk"] for warning in decision["liveness_checks"][0]["warnings"]] == ["REPORTED_BY_PERSON"]
    assert decision["ip_analyses"] == []


async def test_a_report_leaves_the_enrolled_face_alone(client: AsyncClient) -> None:
    enrolment = await create(client, vendor_data="u")
    await finish_session(client, enrolment["session_token"], [FRAME])
    session = await create(client, "wf_ato_step_up", vendor_data="u")
    assert (await call(client, "cancel/", session, reason="not_me")).json()["status"] == "Declined"
    again = await create(client, "wf_ato_step_up", vendor_data="u")
    assert (await finish_session(client, again["session_token"], [FRAME]))["status"] == "Approved"


async def test_a_report_from_the_second_device_counts(client: AsyncClient) -> None:
    session = await create(client)
    url = (await call(client, "handoffs/", session)).json()["url"]
    opened = await client.post("/v1/capture/handoffs/open/", json={"token": url.rsplit("/", 1)[1]})
    phone = {"session_token": opened.json()["session_token"]}
    assert (await call(client, "cancel/", phone, reason="not_me")).json()["status"] == "Declined"
    decision = await decision_of(client, session)
    assert decision["evidence"]["left"]["device"] == "second"


async def test_the_other_way_is_offered_and_taken(client: AsyncClient, services: Services) -> None:
    session = await create(client, await with_other_way(client))
    state = (await call(client, "start/", session)).json()
    assert state["alternative"] == {"url": OTHER_WAY}
    left = await call(client, "cancel/", session, reason="alternative")
    assert (left.status_code, left.json()["status"]) == (200, "Abandoned")
    decision = await decision_of(client, session)
    assert decision["evidence"]["left"]["reason"] == "alternative"
    assert await announced(services, session) == ["Not Started", "In Progress", "Abandoned"]


async def test_there_is_no_other_way_unless_the_workflow_offers_one(client: AsyncClient) -> None:
    session = await create(client)
    assert (await call(client, "start/", session)).json()["alternative"] is None
    assert (await call(client, "cancel/", session, reason="alternative")).status_code == 409
    assert (await call(client, "start/", session)).json()["status"] == "In Progress"


async def test_a_resubmitted_session_records_the_other_way_and_runs_out_by_itself(
    client: AsyncClient, services: Services
) -> None:
    session = await create(client, await with_other_way(client), sandbox_scenario="decline_liveness_attack")
    await finish_session(client, session["session_token"], [FRAME])
    path = f"/v3/session/{session['session_id']}/update-status/"
    assert (await client.patch(path, json={"new_status": "Resubmitted"})).status_code == 200
    left = await call(client, "cancel/", session, reason="alternative")
    assert (left.status_code, left.json()["status"]) == (200, "Resubmitted")
    assert (await decision_of(client, session))["evidence"]["left"]["reason"] == "alternative"


async def test_an_address_that_is_no_https_url_cannot_be_offered(client: AsyncClient) -> None:
    config = {"non_biometric_alternative_url": "javascript:alert(1)"}
    response = await client.post("/v3/workflows/", json={"features": [{"feature": "LIVENESS", "config": config}]})
    assert response.status_code == 400
    assert "non_biometric_alternative_url" in response.text


async def test_an_unknown_reason_is_refused(client: AsyncClient) -> None:
    assert (await call(client, "cancel/", await create(client), reason="bored")).status_code == 400
