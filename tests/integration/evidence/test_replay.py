"""Decisions replayed from the database: every session of a busy application, and what was tampered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.evidence import repository, service
from ipse.evidence.errors import EvidenceError
from ipse.evidence.replaying import Replayed
from ipse.evidence.replaying import graph_of as read
from ipse.runtime.application import Application
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.sessions import service as sessions
from ipse.storage.tables import ApplicationRow, ReportRow, SessionRow
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()
THRESHOLD = {"face_liveness_score_decline_threshold": 99.0, "face_liveness_score_review_threshold": 99.5}


async def replayed(services: Services, session_id: str, under: Mapping[str, Any] | None = None) -> Replayed:
    async with service.scope_of(services, session_id) as scope:
        session = await sessions.get(scope, session_id)
        if under is None:
            return await service.replay_session(scope, session)
        return await service.replay_under(scope, session, read(under))


async def run(client: AsyncClient, workflow: str = "wf_enrolment", **body: Any) -> str:
    created = await client.post("/v3/session/", json={"workflow_id": workflow, **body})
    assert created.status_code == 201, created.text
    await finish_session(client, created.json()["session_token"], [FRAME])
    return str(created.json()["session_id"])


async def graph_of(services: Services, session_id: str) -> dict[str, Any]:
    async with service.scope_of(services, session_id) as scope:
        pinned = await service.pinned(scope, await sessions.get(scope, session_id))
        return dict(pinned.graph)


async def test_every_decision_is_replayed_byte_for_byte(client: AsyncClient, services: Services) -> None:
    """Approved, declined, reviewed, stepped up, reloaded, corrected, overruled, repeated: all of them."""
    approved = await run(client, vendor_data="u", metadata={"trigger": "transfer", "amount": 12.5})
    step_up = await run(client, "wf_ato_step_up", vendor_data="u")
    declined = await run(client, sandbox_scenario="decline_liveness_attack")
    found = await replayed(services, approved)
    assert found.is_same, found.differences
    assert found.rerun.sha256 == found.recorded_sha256
    assert found.rerun.outcome["status"] == "Approved"
    assert (await replayed(services, step_up)).is_same
    again = await replayed(services, declined)
    assert again.is_same
    assert again.rerun.outcome["status"] == "Declined"

    overruled = await client.patch(f"/v3/session/{declined}/update-status/", json={"new_status": "Approved"})
    assert overruled.status_code == 200, overruled.text
    after = await replayed(services, declined)
    assert after.is_same, after.differences
    assert after.rerun.outcome["status"] == "Declined"
    assert after.by_hand == ("API_KEY changed the session from Declined to Approved.",)

    node = found.rerun.outcome["path"][0]
    corrected = await client.patch(
        f"/v3/session/{approved}/features/{node}/update-status/", json={"new_status": "In Review"}
    )
    assert corrected.status_code == 200, corrected.text
    resubmitted = await client.patch(
        f"/v3/session/{approved}/update-status/", json={"new_status": "Resubmitted", "nodes_to_resubmit": [node]}
    )
    assert resubmitted.status_code == 200, resubmitted.text
    reopened = await replayed(services, approved)
    assert reopened.is_same, reopened.differences
    token = (await client.get(f"/v3/session/{approved}/")).json()["session_token"]
    await finish_session(client, token, [FRAME])
    repeated = await replayed(services, approved)
    assert repeated.is_same, repeated.differences
    assert len(repeated.rerun.digests) > len(found.rerun.digests)


async def test_another_workflow_is_tried_on_the_same_evidence(client: AsyncClient, services: Services) -> None:
    session_id = await run(client)
    stored = await graph_of(services, session_id)
    same = await replayed(services, session_id, stored)
    assert same.is_same, same.differences
    async with service.scope_of(services, session_id) as scope:
        by_number = await service.replay_under(scope, await sessions.get(scope, session_id), "1")
    assert by_number.is_same


async def test_what_was_changed_in_the_database_is_shown(client: AsyncClient, services: Services) -> None:
    """A report, the status, the trace and the workflow, one after the other."""
    session_id = await run(client, sandbox_scenario="decline_liveness_attack")
    async with services.database.writing() as tx:
        row = await tx.scalar(select(ReportRow).where(ReportRow.session_id == session_id))
        assert row is not None
        kept = row.report
        row.report = {**kept, "score": 99.0}
    places = [one.place for one in (await replayed(services, session_id)).differences]
    assert places == [f"steps.{kept['node_id']}.report.score"]
    async with services.database.writing() as tx:
        session = await tx.get_one(SessionRow, session_id)
        session.status = "Approved"
        session.trace = [{**session.trace[0], "outcome": "Approved"}, *session.trace[1:]]
    places = [one.place for one in (await replayed(services, session_id)).differences]
    assert "status" in places
    assert any(place.startswith("trace") for place in places)
    async with services.database.writing() as tx:
        session = await tx.get_one(SessionRow, session_id)
        application = await tx.get_one(ApplicationRow, session.application_id)
        scope = Scope(tx, Application.of(application), services)
        content = await repository.workflow_content(scope, session.workflow_content or "")
        assert content is not None
        content.settings = {**content.settings, "max_retry_attempts": 0}
    with pytest.raises(EvidenceError, match="the session pinned"):
        await replayed(services, session_id)


async def test_the_input_of_one_session_is_not_taken_for_another(client: AsyncClient, services: Services) -> None:
    one, other = await run(client), await run(client)
    async with services.database.writing() as tx:
        first, second = await tx.get_one(SessionRow, one), await tx.get_one(SessionRow, other)
        first.evidence = {**first.evidence, "decision_input": second.evidence["decision_input"]}
    with pytest.raises(EvidenceError, match="another session"):
        await replayed(services, one)


async def test_the_decision_shows_no_input(client: AsyncClient) -> None:
    session_id = await run(client)
    decision = (await client.get(f"/v3/session/{session_id}/decision/")).json()
    assert "decision_input" not in decision["evidence"]
