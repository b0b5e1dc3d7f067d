"""What was shown is what was signed: a face that was shown before one action never authorises another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from ipse.step_up.actions import canonical
from tests.services.actions import NODE, STILL, TRANSFER, create, show_face
from tests.services.challenges import Page, Phase

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

OTHER = {**TRANSFER, "amount": "9999.00"}


def film(phase: Phase, start_ms: float) -> Sequence[tuple[float, bytes]]:
    kind = phase["kind"] + str(phase.get("direction", ""))
    return [(start_ms + 100.0 * n, STILL + f"{kind}{start_ms}{n}".encode()) for n in range(1, 5)]


async def state(client: AsyncClient, session: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get("/v1/capture/session/", headers={"Session-Token": session["session_token"]})
    found: dict[str, Any] = answer.json()
    return found


async def active_workflow(client: AsyncClient) -> str:
    features = [{"feature": "LIVENESS", "config": {"face_liveness_method": "ACTIVE_3D"}}]
    made = await client.post("/v3/workflows/", json={"features": features})
    return str(made.json()["workflow_id"])


async def test_the_page_shows_the_whole_action_and_of_the_account_its_end(client: AsyncClient) -> None:
    action = {**TRANSFER, "reference": "Invoice 7", "details": {"Quantity": "3"}}
    session = await create(client, action, metadata={"trigger": "login", "payee": "Somebody else"})
    shown = await state(client, session)
    assert shown["action_hash"] == session["action_hash"] == canonical(action).hash
    assert shown["purpose"] == {
        "code": "transfer", "text": None, "amount": "1250", "currency": "EUR", "payee": "ACME GmbH",
        "account": "3000", "reference": "Invoice 7", "details": [{"label": "Quantity", "value": "3"}],
    }  # fmt: skip


async def test_an_action_in_ones_own_words_is_shown_in_them(client: AsyncClient) -> None:
    shown = await state(client, await create(client, {"type": "Sell shares"}))
    assert (shown["purpose"]["code"], shown["purpose"]["text"]) == (None, "Sell shares")


async def test_the_decision_shows_the_action_and_its_hash(client: AsyncClient) -> None:
    session = await create(client)
    await show_face(client, session["session_token"])
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    assert decision["action"] == dict(canonical(TRANSFER).value)
    assert decision["action_hash"] == session["action_hash"]


@pytest.mark.parametrize("action", [{"type": "transfer", "amount": "1,5"}, {}, "transfer", {"type": "x", "note": "y"}])
async def test_an_action_that_cannot_be_shown_is_refused_at_creation(client: AsyncClient, action: Any) -> None:
    answer = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", "action": action})
    assert answer.status_code == 400
    assert list(answer.json()) == ["action"]
    assert isinstance(answer.json()["action"][0], str)


async def test_a_page_that_does_not_say_what_it_showed_is_refused(client: AsyncClient) -> None:
    session = await create(client)
    for shown in ("", "0" * 64):
        answer = await show_face(client, session["session_token"], action_hash=shown)
        assert (answer.status_code, answer.json()["error_code"]) == (409, "OTHER_ACTION")
    assert (await show_face(client, session["session_token"])).json()["status"] == "Approved"


async def test_a_session_without_an_action_needs_no_hash_and_accepts_none(client: AsyncClient) -> None:
    session = await create(client, None)
    assert (await show_face(client, session["session_token"], action_hash="0" * 64)).status_code == 409
    assert (await show_face(client, session["session_token"])).json()["status"] == "Approved"


async def test_a_challenge_names_the_action_that_is_shown_beside_it(client: AsyncClient, clock: ManualClock) -> None:
    session = await create(client, workflow_id=await active_workflow(client))
    page = Page(client, clock, session["session_token"], [STILL])
    await page.start()
    assert (await page.ask(NODE, "ACTIVE_3D")).status_code == 409
    page.shown = session["action_hash"]
    assert (await page.ask(NODE, "ACTIVE_3D")).status_code == 200


async def test_changing_the_action_ends_a_challenge_that_was_answered_before_the_old_one(
    client: AsyncClient, clock: ManualClock
) -> None:
    workflow = await active_workflow(client)
    session = await create(client, workflow_id=workflow, vendor_data="user-7")
    page = Page(client, clock, session["session_token"], [STILL], shown=session["action_hash"])
    await page.start()
    view = (await page.ask(NODE, "ACTIVE_3D")).json()
    await page.answer(view, film)
    changed = await create(client, OTHER, workflow_id=workflow, vendor_data="user-7")
    assert changed["session_id"] == session["session_id"], "no face was taken yet"
    assert changed["action_hash"] == canonical(OTHER).hash
    assert (await page.submit(NODE, view["challenge"])).status_code == 409, "what it showed is no longer the action"
    page.shown = changed["action_hash"]
    assert (await page.submit(NODE, view["challenge"])).status_code == 410, "the challenge ended with the old action"
    view = (await page.ask(NODE, "ACTIVE_3D")).json()
    await page.answer(view, film)
    assert (await page.submit(NODE, view["challenge"])).json()["status"] == "Approved"


async def test_an_unfinished_session_is_handed_out_again_for_the_same_action_only(client: AsyncClient) -> None:
    first = await create(client, vendor_data="user-7")
    again = await create(client, {**TRANSFER, "amount": 1250}, vendor_data="user-7")
    assert again["session_id"] == first["session_id"]
    without = await create(client, None, vendor_data="user-7")
    assert (without["session_id"], without["action_hash"]) == (first["session_id"], None)
    assert (await state(client, first))["action_hash"] is None


async def test_after_a_face_was_shown_another_action_needs_a_session_of_its_own(client: AsyncClient) -> None:
    first = await create(client, vendor_data="user-7", sandbox_scenario="decline_liveness_attack")
    assert (await show_face(client, first["session_token"])).json()["status"] == "Declined"
    reopened = await client.patch(
        f"/v3/session/{first['session_id']}/update-status/",
        json={"new_status": "Resubmitted", "nodes_to_resubmit": ["LIVENESS"]},
    )
    assert reopened.json()["status"] == "Resubmitted", "unfinished again, and a face was shown in it"
    other = await create(client, OTHER, vendor_data="user-7")
    assert other["session_id"] != first["session_id"]
    assert (await state(client, first))["action_hash"] == first["action_hash"], "the old one keeps its action"
