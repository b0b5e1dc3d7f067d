"""A face in the shape of an SMS code: shown after the approval only, right once, locked after five wrong tries."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.step_up import otp
from ipse.step_up.otp_schemas import OtpCheck
from ipse.storage.tables import CaptureRow, VerdictRow
from tests.conftest import MakeApplication, MakeClient
from tests.services.actions import TRANSFER, create, redeem, show_face
from tests.services.applications import RegisteredApplication

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

HERE = {"workflow": "wf_enrolment"}


async def start(client: AsyncClient, **more: Any) -> dict[str, Any]:
    body = {"vendor_data": "user-42", "action": TRANSFER, **HERE, **more}
    answer = await client.post("/v3/step-up/otp/start/", json=body)
    assert answer.status_code == 201, answer.text
    started: dict[str, Any] = answer.json()
    return started


async def check(client: AsyncClient, otp_id: str, code: str) -> dict[str, Any]:
    answer = await client.post("/v3/step-up/otp/check/", json={"id": otp_id, "code": code})
    assert answer.status_code == 200, answer.text
    checked: dict[str, Any] = answer.json()
    return checked


def token_of(started: dict[str, Any]) -> str:
    return str(started["url"]).rsplit("/", 1)[1]


async def shown(client: AsyncClient, started: dict[str, Any]) -> str | None:
    """What the page shows after a reload."""
    state = await client.get("/v1/capture/session/", headers={"Session-Token": token_of(started)})
    code: str | None = state.json()["code"]
    return code


async def code_of(client: AsyncClient, started: dict[str, Any]) -> str:
    state = (await show_face(client, token_of(started))).json()
    assert state["status"] == "Approved"
    return str(state["code"])


def wrong(code: str) -> str:
    return str((int(code) + 1) % 10**8).zfill(8)


async def test_start_answers_like_an_sms_service_and_the_right_code_is_approved_once(client: AsyncClient) -> None:
    started = await start(client, locale="de")
    assert (started["status"], started["channel"]) == ("pending", "face")
    assert "/de/session/" in started["url"]
    code = await code_of(client, started)
    assert len(code) == 8
    assert code.isdigit()
    checked = await check(client, started["id"], f"{code[:4]} {code[4:]}")
    assert (checked["status"], checked["valid"]) == ("approved", True)
    claims = checked["verdict"]["claims"]
    assert (claims["jti"], claims["act"], claims["sub"]) == (started["id"], started["action_hash"], "user-42")
    again = await check(client, started["id"], code)
    assert (again["status"], again["valid"], again["verdict"]) == ("expired", False, None), "never approved twice"
    used = await redeem(client, checked["verdict"]["token"])
    assert used.json()["error_code"] == "ALREADY_REDEEMED", "the verdict of a code is evidence, not another approval"


async def test_no_code_exists_before_the_approval_and_none_is_compared(client: AsyncClient, services: Services) -> None:
    started = await start(client)
    assert await shown(client, started) is None
    for _ in range(6):
        assert (await check(client, started["id"], "00000000"))["status"] == "pending"
    code = await code_of(client, started)
    async with services.database.reading() as tx:
        row = await tx.scalar(select(VerdictRow))
        answers = [row.answer for row in await tx.scalars(select(CaptureRow))]
    assert row is not None
    assert row.wrong_codes == 0, "what was asked too early costs no try"
    assert code not in str(answers), "the code is stored nowhere"
    assert code not in str(vars(row))


async def test_the_code_stays_the_same_on_a_reload_and_after_a_rotation_of_the_key_ring(
    client: AsyncClient, services: Services
) -> None:
    started = await start(client)
    code = await code_of(client, started)
    assert await shown(client, started) == code
    services.ordinary_ring.rotate()
    assert await shown(client, started) == code
    assert (await check(client, started["id"], code))["status"] == "approved"


async def test_a_repeated_submission_shows_the_code_again(client: AsyncClient) -> None:
    started = await start(client)
    first = await show_face(client, token_of(started), submission_key="k1")
    headers = {"Session-Token": token_of(started)}
    again = await client.post(
        "/v1/capture/steps/feature_liveness/",
        headers=headers,
        data={"submission_key": "k1"},
        files=[("frames", ("0.jpg", b"x", "image/jpeg"))],
    )
    assert again.json() == first.json()


async def test_five_wrong_codes_lock_even_the_right_one(client: AsyncClient) -> None:
    started = await start(client)
    code = await code_of(client, started)
    statuses = [(await check(client, started["id"], wrong(code)))["status"] for _ in range(5)]
    assert statuses == ["pending", "pending", "pending", "pending", "locked"]
    assert (await check(client, started["id"], code))["status"] == "locked"
    assert await shown(client, started) is None


async def test_a_wrong_code_does_not_spoil_the_right_one(client: AsyncClient) -> None:
    started = await start(client)
    code = await code_of(client, started)
    for other in (wrong(code), "", "x" * 32, "\u0661" * 8):
        assert (await check(client, started["id"], other))["valid"] is False
    assert (await check(client, started["id"], code))["status"] == "approved"


async def test_a_code_works_for_as_long_as_the_decision_is_fresh(client: AsyncClient, clock: ManualClock) -> None:
    started = await start(client)
    code = await code_of(client, started)
    clock.advance(timedelta(seconds=900))
    assert await shown(client, started) is None
    assert (await check(client, started["id"], code))["status"] == "expired"


async def test_a_declined_face_is_denied_and_has_no_code(client: AsyncClient) -> None:
    started = await start(client)
    armed = await client.post(
        f"/v3/session/{started['session_id']}/sandbox/arm/",
        json={"scenario": "decline_liveness_attack"},
        headers={"Session-Token": token_of(started)},
    )
    assert armed.status_code == 200, armed.text
    state = (await show_face(client, token_of(started))).json()
    assert (state["status"], state["code"]) == ("Declined", None)
    assert (await check(client, started["id"], "12345678"))["status"] == "denied"


async def test_an_approval_that_is_taken_back_takes_its_code_along(client: AsyncClient) -> None:
    started = await start(client)
    code = await code_of(client, started)
    for status in ("Declined", "Approved"):
        body = {"new_status": status}
        await client.patch(f"/v3/session/{started['session_id']}/update-status/", json=body)
        assert (await check(client, started["id"], code))["status"] == "denied"
        assert await shown(client, started) is None


async def test_a_session_that_nobody_finished_expires(client: AsyncClient, clock: ManualClock) -> None:
    started = await start(client)
    clock.advance(timedelta(days=8))
    assert (await check(client, started["id"], "12345678"))["status"] == "expired"


async def test_starting_again_before_the_face_was_shown_answers_the_same_code_and_the_new_action(
    client: AsyncClient,
) -> None:
    first = await start(client)
    second = await start(client, action={**TRANSFER, "amount": "7"})
    assert second["id"] == first["id"]
    assert second["action_hash"] != first["action_hash"]
    code = await code_of(client, second)
    checked = await check(client, second["id"], code)
    assert checked["verdict"]["claims"]["act"] == second["action_hash"]


async def test_a_session_that_ends_with_a_code_has_no_other_verdict(client: AsyncClient) -> None:
    started = await start(client)
    await code_of(client, started)
    answer = await client.post("/v3/step-up/verdict/", json={"session_id": started["session_id"]})
    assert (answer.status_code, answer.json()["error_code"]) == (409, "ENDS_WITH_CODE")


async def test_other_sessions_show_no_code(client: AsyncClient) -> None:
    session = await create(client)
    assert (await show_face(client, session["session_token"])).json()["code"] is None


async def test_the_code_of_another_application_does_not_exist(
    client: AsyncClient, make_application: MakeApplication, make_client: MakeClient
) -> None:
    started = await start(client)
    code = await code_of(client, started)
    foreign = make_client(await make_application())
    for otp_id in (started["id"], "nonsense"):
        answer = await foreign.post("/v3/step-up/otp/check/", json={"id": otp_id, "code": code})
        assert answer.status_code == 404
    assert (await check(client, started["id"], code))["status"] == "approved"


async def test_of_many_simultaneous_checks_exactly_one_is_approved(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    started = await start(client)
    code = await code_of(client, started)

    async def attempt() -> str:
        async with services.database.writing() as tx:
            scope = Scope(tx, application.application, services)
            return (await otp.check(scope, OtpCheck(id=started["id"], code=code))).status

    found = await asyncio.gather(*(attempt() for _ in range(8)))
    assert sorted(found) == ["approved"] + ["expired"] * 7


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vendor_data": ""}, "vendor_data"),
        ({"action": {"type": "transfer", "amount": "-1"}}, "action"),
        ({"workflow": "nothing"}, "workflow_id"),
        ({"locale": "xx"}, "locale"),
        ({"callback": "javascript:alert(1)"}, "callback"),
    ],
)
async def test_a_start_that_cannot_work_says_what_to_change(
    client: AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v3/step-up/otp/start/", json={"vendor_data": "user-42", **HERE, **change})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


async def test_the_code_is_shown_at_the_device_that_showed_the_face_and_at_no_other(client: AsyncClient) -> None:
    started = await start(client)
    desktop = token_of(started)
    offered = await client.post("/v1/capture/handoffs/", headers={"Session-Token": desktop})
    link = offered.json()["url"].rsplit("/", 1)[1]
    opened = await client.post("/v1/capture/handoffs/open/", headers={"user-agent": "Phone/1.0"}, json={"token": link})
    phone = opened.json()["session_token"]
    await client.post("/v1/capture/handoffs/confirm/", headers={"Session-Token": phone})
    state = (await show_face(client, phone)).json()
    assert len(state["code"]) == 8
    assert await shown(client, started) is None, "the desktop learns the result and not the code"
    assert (await check(client, started["id"], state["code"]))["status"] == "approved"


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "🙂" * 8, "٣" * 8])
async def test_odd_text_is_a_wrong_code_or_a_bad_request_and_never_a_fault(client: AsyncClient, odd: str) -> None:
    started = await start(client)
    await code_of(client, started)
    for path, body in (
        ("otp/check/", {"id": started["id"], "code": odd}),
        ("otp/check/", {"id": odd, "code": "12345678"}),
        ("redeem/", {"token": odd, "action": {"type": odd}}),
        ("redeem/", {"token": f"{odd}.{odd}.{odd}"}),
        ("verdict/", {"session_id": odd}),
        ("otp/start/", {"vendor_data": "user-1", "action": {"type": "x", "details": {odd: odd}}, **HERE}),
    ):
        content, headers = json.dumps(body), {"content-type": "application/json"}
        answer = await client.post(f"/v3/step-up/{path}", content=content, headers=headers)
        assert answer.status_code in (200, 201, 400, 404), f"{path}: {answer.status_code} {answer.text}"
        assert answer.json().get("valid") is not True
