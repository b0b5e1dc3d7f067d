"""Reviews, resubmission, corrections, deletion, lists, and what the clock does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.runtime.services import Services
from ipse.sessions import clockwork
from ipse.storage.tables import CaptureRow, EventRow, FaceRow, MediaRow, ReportRow, ReviewRow
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()


async def decided(client: AsyncClient, **body: Any) -> dict[str, Any]:
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", **body})).json()
    await finish_session(client, created["session_token"], [FRAME])
    return dict(created)


async def status_of(client: AsyncClient, session_id: str) -> str:
    return str((await client.get(f"/v3/session/{session_id}/")).json()["status"])


async def update(client: AsyncClient, session_id: str, **body: Any) -> Any:
    return await client.patch(f"/v3/session/{session_id}/update-status/", json=body)


async def test_reviewer_overrules_and_the_decision_says_so(client: AsyncClient, services: Services) -> None:
    session = await decided(client)
    response = await update(client, session["session_id"], new_status="Declined", comment="wrong person")
    assert response.json()["session_id"] == session["session_id"]
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    assert decision["status"] == "Declined"
    assert decision["status_override"]["automatic_status"] == "Approved"
    assert decision["reviews"][-1]["comment"] == "wrong person"
    assert decision["reviews"][-1]["user"] == "API Client"
    async with services.database.reading() as tx:
        assert await tx.scalar(select(func.count()).where(EventRow.session_id == session["session_id"])) == 4


async def test_same_status_is_a_bare_list(client: AsyncClient) -> None:
    session = await decided(client)
    response = await update(client, session["session_id"], new_status="Approved")
    assert response.status_code == 400
    assert response.json() == ["The new status is the same as the current status."]


@pytest.mark.parametrize("status", ["Expired", "In Review", "approved", "APPROVED", ""])
async def test_other_statuses_cannot_be_set_by_hand(client: AsyncClient, status: str) -> None:
    session = await decided(client)
    response = await update(client, session["session_id"], new_status=status)
    assert response.status_code == 400
    assert "new_status" in response.json()


async def test_session_that_is_not_decided_cannot_be_overruled(client: AsyncClient) -> None:
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    response = await update(client, created["session_id"], new_status="Approved")
    assert response.status_code == 400
    assert "detail" in response.json()


@pytest.mark.parametrize("nodes", [None, ["feature_liveness"], ["LIVENESS"], [{"feature": "LIVENESS"}]])
async def test_resubmission_reopens_the_step_and_the_same_link(client: AsyncClient, nodes: Any) -> None:
    session = await decided(client, sandbox_scenario="decline_liveness_attack")
    response = await update(client, session["session_id"], new_status="Resubmitted", nodes_to_resubmit=nodes)
    assert response.status_code == 200, response.text
    assert await status_of(client, session["session_id"]) == "Resubmitted"
    final = await finish_session(client, session["session_token"], [FRAME])
    assert final["status"] == "Declined"


async def test_nothing_to_resubmit_is_said(client: AsyncClient) -> None:
    session = await decided(client)
    for nodes in (None, ["feature_nowhere"], [{"feature": "AML"}]):
        response = await update(client, session["session_id"], new_status="Resubmitted", nodes_to_resubmit=nodes)
        assert response.status_code == 400
        assert "nodes_to_resubmit" in response.json()


async def test_correcting_one_step_leaves_the_session_alone(client: AsyncClient, services: Services) -> None:
    session = await decided(client)
    path = f"/v3/session/{session['session_id']}/features/feature_liveness/update-status/"
    response = await client.patch(path, json={"new_status": "In Review"})
    assert response.json() == {
        "session_id": session["session_id"],
        "node_id": "feature_liveness",
        "feature_type": "LIVENESS",
        "new_status": "In Review",
    }
    assert await status_of(client, session["session_id"]) == "Approved"
    assert (await client.patch(path, json={"new_status": "In Review"})).status_code == 400
    assert (await client.patch(path, json={"new_status": "Expired"})).status_code == 400
    assert (
        await client.patch(path.replace("feature_liveness", "nope"), json={"new_status": "Declined"})
    ).status_code == 404
    async with services.database.reading() as tx:
        kinds = list(
            await tx.scalars(select(EventRow.webhook_type).where(EventRow.session_id == session["session_id"]))
        )
    assert kinds.count("data.updated") == 1


async def test_notes_never_change_the_status(client: AsyncClient) -> None:
    session = await decided(client)
    path = f"/v3/sessions/{session['session_id']}/reviews/"
    noted = await client.post(path, json={"comment": "looks fine", "new_status": "Declined"})
    assert noted.status_code == 201
    assert await status_of(client, session["session_id"]) == "Approved"
    assert (await client.post(path, json={})).status_code == 400
    listed = (await client.get(path)).json()
    assert listed["results"][0]["comment"] == "looks fine"
    assert listed["count"] == len(listed["results"]) == 3


async def test_deletion_destroys_what_belongs_to_the_session(client: AsyncClient, services: Services) -> None:
    session = await decided(client, vendor_data="u")
    kept = await decided(client, vendor_data="v")
    path = f"/v3/session/{session['session_id']}/delete/"
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 404
    assert (await client.get(f"/v3/session/{session['session_id']}/decision/")).status_code == 404
    async with services.database.reading() as tx:
        for table in (ReportRow, CaptureRow, ReviewRow, FaceRow, MediaRow):
            assert await tx.scalar(select(func.count()).where(table.session_id == session["session_id"])) == 0, table
            assert await tx.scalar(select(func.count()).where(table.session_id == kept["session_id"])), table
    token = {"Session-Token": session["session_token"]}
    assert (await client.get("/v1/capture/session/", headers=token)).status_code == 403


async def test_batch_deletion_skips_unknown_numbers(client: AsyncClient) -> None:
    first, second = await decided(client), await decided(client)
    response = await client.post("/v3/sessions/delete/", json={"session_numbers": [first["session_number"], "999"]})
    assert response.status_code == 204
    assert (await client.get("/v3/sessions/")).json()["count"] == 1
    refused: list[dict[str, Any]] = [{}, *({"session_numbers": numbers} for numbers in ([], ["x"], ["1.5"]))]
    for bad in refused:
        assert (await client.post("/v3/sessions/delete/", json=bad)).status_code == 400
    assert (await client.post("/v3/sessions/delete/", json={"delete_all": True})).status_code == 204
    assert (await client.get(f"/v3/session/{second['session_id']}/")).status_code == 404


async def test_clock_expires_abandons_and_outdates(
    clock: ManualClock, services: Services, make_application: MakeApplication, make_client: MakeClient
) -> None:
    client = make_client(await make_application(kyc_validity_days=30))
    unopened = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    opened = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    await client.post("/v1/capture/start/", headers={"Session-Token": opened["session_token"]})
    approved = await decided(client)
    assert await clockwork.sweep(services) == 0
    clock.advance(timedelta(days=7))
    assert await clockwork.sweep(services) == 2
    assert await status_of(client, unopened["session_id"]) == "Expired"
    assert await status_of(client, opened["session_id"]) == "Abandoned"
    assert await status_of(client, approved["session_id"]) == "Approved"
    clock.advance(timedelta(days=23))
    assert await clockwork.sweep(services) == 1
    assert await status_of(client, approved["session_id"]) == "Kyc Expired"
    assert await clockwork.sweep(services) == 0


async def test_clock_that_jumps_back_moves_nothing(client: AsyncClient, clock: ManualClock, services: Services) -> None:
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    clock.advance(timedelta(days=-400))
    assert await clockwork.sweep(services) == 0
    assert await status_of(client, created["session_id"]) == "Not Started"


async def test_list_is_newest_first_paged_and_filtered(client: AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await decided(client, vendor_data=name)
    page = (await client.get("/v3/sessions/", params={"limit": 2})).json()
    assert [row["session_number"] for row in page["results"]] == [3, 2]
    assert page["count"] == 3
    assert page["previous"] is None
    rest = (await client.get(page["next"].removeprefix("http://testserver"))).json()
    assert [row["session_number"] for row in rest["results"]] == [1]
    row = page["results"][0]
    assert row["features"] == [{"feature": "LIVENESS", "status": "Approved"}]
    assert row["additional_details"]["liveness"]["method"] == "PASSIVE"

    async def numbers(**params: Any) -> list[int]:
        response = await client.get("/v3/sessions/", params=params)
        assert response.status_code == 200, response.text
        return [item["session_number"] for item in response.json()["results"]]

    assert await numbers(vendor_data="b") == [2]
    assert await numbers(status="Approved,Declined") == [3, 2, 1]
    assert await numbers(status="approved") == []
    assert await numbers(search="2") == [2]
    assert await numbers(search=row["session_id"]) == [3]
    assert await numbers(search="%") == []
    assert await numbers(date_from="2026-11-20", date_to="2026-11-20") == [3, 2, 1]
    assert await numbers(date_from="2026-11-20T10:00:00+00:00") == [3, 2, 1]
    assert await numbers(date_to="2026-11-19") == []
    assert await numbers(session_kind="business") == []
    assert await numbers(warning="LIVENESS_FACE_ATTACK") == []
    assert await numbers(session_type="API") == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"session_kind": "robot"}, "session_kind"),
        ({"date_from": "yesterday"}, "date_from"),
        ({"didit_internal_id": "x"}, "didit_internal_id"),
        ({"api_service": "NOPE"}, "api_service"),
        ({"limit": "0"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"offset": "-1"}, "offset"),
    ],
)
async def test_bad_filters_name_themselves(client: AsyncClient, params: dict[str, str], field: str) -> None:
    response = await client.get("/v3/sessions/", params=params)
    assert response.status_code == 400
    assert field in response.json()


async def test_events_of_a_decision_show_the_history_and_the_trace(client: AsyncClient) -> None:
    session = await decided(client)
    body = (await client.get(f"/v3/session/{session['session_id']}/decision/", params={"include": "events"})).json()
    assert "session_kind" not in body
    assert [event["status"] for event in body["events"]] == ["In Progress", "Approved"]
    assert body["features"] == [{"feature": "LIVENESS", "node_id": "feature_liveness"}]
    assert body["trace"]
    assert body["session_type"] == "HOSTED"
