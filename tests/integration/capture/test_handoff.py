"""From a desktop to a phone and back: links work once, numbers are confirmed, one device captures, nobody hangs."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from sqlalchemy import func, select

from ipse.capture.authentication import RESULT_READABLE
from ipse.capture.handoffs import IDLE, OFFER
from ipse.clock import ManualClock
from ipse.edge.limits import OPEN_LINK
from ipse.runtime.services import Services
from ipse.storage.tables import HandoffRow
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()
NODE = "feature_liveness"
SECOND = {"user-agent": "Phone/1.0"}


async def create(client: AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", **body})
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


async def post(client: AsyncClient, path: str, token: str, **body: Any) -> Response:
    return await client.post(f"/v1/capture/{path}", headers={"Session-Token": token}, json=body or None)


async def state_of(client: AsyncClient, token: str) -> dict[str, Any]:
    response = await client.get("/v1/capture/session/", headers={"Session-Token": token})
    assert response.status_code == 200, response.text
    state: dict[str, Any] = response.json()
    return state


async def submit(client: AsyncClient, token: str) -> Response:
    return await client.post(
        f"/v1/capture/steps/{NODE}/",
        headers={"Session-Token": token},
        data={"submission_key": uuid.uuid4().hex},
        files=[("frames", ("0.jpg", FRAME, "image/jpeg"))],
    )


async def offer(client: AsyncClient, token: str) -> dict[str, Any]:
    response = await post(client, "handoffs/", token)
    assert response.status_code == 200, response.text
    offered: dict[str, Any] = response.json()
    return offered


async def open_link(client: AsyncClient, url: str) -> Response:
    return await client.post("/v1/capture/handoffs/open/", headers=SECOND, json={"token": url.rsplit("/", 1)[1]})


async def hand_over(client: AsyncClient, token: str, *, confirmed: bool = True) -> str:
    """The whole hand-off; returns the token of the second device."""
    opened = await open_link(client, (await offer(client, token))["url"])
    assert opened.status_code == 200, opened.text
    phone: str = opened.json()["session_token"]
    if confirmed:
        assert (await post(client, "handoffs/confirm/", phone)).status_code == 200
    return phone


async def test_a_session_is_finished_on_the_second_device_and_the_first_sees_the_result(client: AsyncClient) -> None:
    session = await create(client)
    desktop = session["session_token"]
    assert (await state_of(client, desktop))["handoff"] is None
    offered = await offer(client, desktop)
    assert offered["url"].startswith("http://testserver/h/")
    assert 10 <= int(offered["number"]) <= 99
    opened = (await open_link(client, offered["url"])).json()
    assert opened["number"] == offered["number"]
    phone = opened["session_token"]
    waiting = (await state_of(client, desktop))["handoff"]
    assert (waiting["state"], waiting["device"], waiting["number"]) == ("opened", "first", offered["number"])
    confirmed = (await post(client, "handoffs/confirm/", phone)).json()["handoff"]
    assert (confirmed["state"], confirmed["device"], confirmed["may_capture"]) == ("active", "second", True)
    assert not (await state_of(client, desktop))["handoff"]["may_capture"]
    final = await finish_session(client, phone, [FRAME])
    assert final["status"] == "Approved"
    seen = await state_of(client, desktop)
    assert (seen["status"], seen["step"], seen["handoff"]["may_capture"]) == ("Approved", None, False)


async def test_the_link_carries_the_language_of_the_session(client: AsyncClient) -> None:
    session = await create(client, language="ar")
    assert (await offer(client, session["session_token"]))["url"].startswith("http://testserver/ar/h/")


async def test_the_link_works_once(client: AsyncClient) -> None:
    url = (await offer(client, (await create(client))["session_token"]))["url"]
    assert (await open_link(client, url)).status_code == 200
    assert (await open_link(client, url)).status_code == 410


async def test_of_two_phones_that_open_the_link_at_once_one_wins(client: AsyncClient) -> None:
    url = (await offer(client, (await create(client))["session_token"]))["url"]
    codes: list[int] = []

    async def scan() -> None:
        codes.append((await open_link(client, url)).status_code)

    async with anyio.create_task_group() as both:
        both.start_soon(scan)
        both.start_soon(scan)
    assert sorted(codes) == [200, 410]


async def test_the_link_runs_out_after_five_minutes(client: AsyncClient, clock: ManualClock) -> None:
    url = (await offer(client, (await create(client))["session_token"]))["url"]
    clock.advance(OFFER)
    assert (await open_link(client, url)).status_code == 410


async def test_an_opened_link_that_nobody_confirms_runs_out(client: AsyncClient, clock: ManualClock) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop, confirmed=False)
    clock.advance(OFFER)
    assert (await post(client, "handoffs/confirm/", phone)).status_code == 409
    assert (await state_of(client, desktop))["handoff"]["state"] == "ended"


async def test_a_new_offer_ends_the_older_one(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    older = await offer(client, desktop)
    newer = await offer(client, desktop)
    assert (await open_link(client, older["url"])).status_code == 410
    assert (await open_link(client, newer["url"])).status_code == 200


async def test_a_new_offer_ends_a_capture_on_another_phone(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    lost = await hand_over(client, desktop)
    found = await hand_over(client, desktop)
    assert (await submit(client, lost)).status_code == 409
    assert (await state_of(client, lost))["handoff"]["state"] == "ended"
    assert (await state_of(client, found))["handoff"]["may_capture"]


async def test_until_the_numbers_are_confirmed_the_second_device_captures_nothing(client: AsyncClient) -> None:
    phone = await hand_over(client, (await create(client))["session_token"], confirmed=False)
    assert (await post(client, "start/", phone)).status_code == 409
    assert (await submit(client, phone)).status_code == 409


async def test_the_first_device_cannot_confirm_for_the_second_nor_the_second_hand_on(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop, confirmed=False)
    assert (await post(client, "handoffs/confirm/", desktop)).status_code == 409
    assert (await post(client, "handoffs/", phone)).status_code == 409


async def test_confirming_twice_changes_nothing(client: AsyncClient) -> None:
    phone = await hand_over(client, (await create(client))["session_token"])
    again = await post(client, "handoffs/confirm/", phone)
    assert (again.status_code, again.json()["handoff"]["state"]) == (200, "active")


async def test_while_the_second_device_is_active_the_first_cannot_capture(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    await hand_over(client, desktop)
    refused = await submit(client, desktop)
    assert refused.status_code == 409
    assert "another device" in refused.json()["detail"]
    assert (await post(client, "start/", desktop)).status_code == 409


async def test_going_on_at_the_first_device_ends_the_offer(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop, confirmed=False)
    assert (await post(client, "start/", desktop)).status_code == 200
    assert (await post(client, "handoffs/confirm/", phone)).status_code == 409
    assert (await submit(client, desktop)).json()["status"] == "Approved"


@pytest.mark.parametrize("ended_by", ["first", "second"])
async def test_either_device_ends_the_handoff_and_the_first_goes_on(client: AsyncClient, ended_by: str) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop)
    ended = await post(client, "handoffs/end/", desktop if ended_by == "first" else phone)
    assert (ended.status_code, ended.json()["handoff"]["state"]) == (200, "ended")
    assert (await submit(client, phone)).status_code == 409
    assert (await state_of(client, desktop))["handoff"]["may_capture"]
    assert (await post(client, "start/", desktop)).status_code == 200


async def test_ending_the_handoff_of_a_finished_session_or_of_none_changes_nothing(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    assert (await post(client, "handoffs/end/", desktop)).json()["handoff"] is None
    phone = await hand_over(client, desktop)
    await finish_session(client, phone, [FRAME])
    assert (await post(client, "handoffs/end/", desktop)).json()["handoff"]["state"] == "active"


async def test_a_silent_second_device_gives_the_session_back(client: AsyncClient, clock: ManualClock) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop)
    clock.advance(IDLE - timedelta(seconds=1))
    assert not (await state_of(client, desktop))["handoff"]["may_capture"]
    clock.advance(timedelta(seconds=1))
    assert (await state_of(client, desktop))["handoff"]["may_capture"]
    assert (await post(client, "start/", desktop)).status_code == 200
    assert (await state_of(client, phone))["handoff"]["state"] == "ended"


async def test_a_polling_second_device_keeps_the_session(client: AsyncClient, clock: ManualClock) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop)
    for _ in range(4):
        clock.advance(IDLE / 2)
        await state_of(client, phone)
    assert not (await state_of(client, desktop))["handoff"]["may_capture"]


async def test_the_second_device_reads_the_result_for_five_minutes(client: AsyncClient, clock: ManualClock) -> None:
    desktop = (await create(client))["session_token"]
    phone = await hand_over(client, desktop)
    await finish_session(client, phone, [FRAME])
    clock.advance(RESULT_READABLE - timedelta(seconds=1))
    assert (await state_of(client, phone))["status"] == "Approved"
    clock.advance(timedelta(seconds=1))
    late = await client.get("/v1/capture/session/", headers={"Session-Token": phone})
    assert late.status_code == 410
    assert (await state_of(client, desktop))["status"] == "Approved"


async def test_both_devices_are_on_record(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    await hand_over(client, session["session_token"])
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    devices = decision["evidence"]["handoff"]
    assert devices["second"]["user_agent"] == "Phone/1.0"
    assert set(devices) == {"first", "second", "confirmed_at"}
    async with services.database.reading() as tx:
        row = await tx.scalar(select(HandoffRow))
    assert row is not None
    assert {name: row.devices[name] for name in ("first", "second")} == {
        name: devices[name] for name in ("first", "second")
    }


async def test_tokens_are_stored_as_digests_only(client: AsyncClient, services: Services) -> None:
    desktop = (await create(client))["session_token"]
    url = (await offer(client, desktop))["url"]
    phone = (await open_link(client, url)).json()["session_token"]
    async with services.database.reading() as tx:
        row = await tx.scalar(select(HandoffRow))
    assert row is not None
    stored = str({column.name: getattr(row, column.name) for column in HandoffRow.__table__.columns})
    assert len(phone) == len(url.rsplit("/", 1)[1]) == 22
    assert phone not in stored
    assert url.rsplit("/", 1)[1] not in stored


async def test_a_workflow_may_keep_the_session_on_one_device(client: AsyncClient) -> None:
    body = {"features": [{"feature": "LIVENESS", "config": {"handoff_allowed": False}}]}
    made = (await client.post("/v3/workflows/", json=body)).json()
    session = await create(client, workflow_id=made["workflow_id"])
    assert (await post(client, "handoffs/", session["session_token"])).status_code == 403


async def test_a_finished_session_is_not_handed_over(client: AsyncClient) -> None:
    desktop = (await create(client))["session_token"]
    url = (await offer(client, desktop))["url"]
    await finish_session(client, desktop, [FRAME])
    assert (await post(client, "handoffs/", desktop)).status_code == 409
    assert (await open_link(client, url)).status_code == 410


@pytest.mark.parametrize("token", ["", "short", "A" * 22, "A" * 64])
async def test_unknown_links_open_nothing(client: AsyncClient, token: str) -> None:
    assert (await client.post("/v1/capture/handoffs/open/", json={"token": token})).status_code == 403


async def test_links_cannot_be_tried_out_in_numbers(client: AsyncClient) -> None:
    allowed = int(OPEN_LINK.limit.partition("/")[0])
    codes = [
        (await client.post("/v1/capture/handoffs/open/", json={"token": "A" * 22})).status_code
        for _ in range(allowed + 1)
    ]
    assert codes == [403] * allowed + [429]


async def test_deleting_the_session_deletes_what_is_known_of_its_devices(
    client: AsyncClient, services: Services
) -> None:
    session = await create(client)
    phone = await hand_over(client, session["session_token"])
    assert (await client.delete(f"/v3/session/{session['session_id']}/delete/")).status_code == 204
    async with services.database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(HandoffRow)) == 0
    gone = await client.get("/v1/capture/session/", headers={"Session-Token": phone})
    assert gone.status_code == 403
