"""A verdict is given for an approved session only, for a short time, and works once, for the action that was shown."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.step_up import verdicts
from ipse.step_up.actions import canonical
from ipse.step_up.errors import AlreadyRedeemed
from ipse.storage.tables import EvaluationRow, SessionRow
from tests.conftest import MakeApplication, MakeClient
from tests.services.actions import TRANSFER, approved, create, minted, redeem
from tests.services.applications import RegisteredApplication

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

pytestmark = pytest.mark.anyio


def code(response: Response) -> tuple[int, Any]:
    return response.status_code, response.json().get("error_code")


async def mint(client: AsyncClient, session_id: str) -> Response:
    return await client.post("/v3/step-up/verdict/", json={"session_id": session_id})


async def decide_by_hand(client: AsyncClient, session_id: str, status: str) -> None:
    changed = await client.patch(f"/v3/session/{session_id}/update-status/", json={"new_status": status})
    assert changed.status_code == 200, changed.text


async def test_a_verdict_names_subject_action_session_status_method_and_time(
    client: AsyncClient, application: RegisteredApplication, clock: ManualClock
) -> None:
    session = await approved(client, vendor_data="user-42")
    verdict = await minted(client, session["session_id"])
    now = int(clock.now().timestamp())
    claims = verdict["claims"]
    jti, version = claims.pop("jti"), claims.pop("ver")
    assert claims == {
        "iss": "http://testserver",
        "aud": application.id,
        "sub": "user-42",
        "sid": session["session_id"],
        "act": canonical(TRANSFER).hash,
        "env": "sandbox",
        "status": "Approved",
        "method": "PASSIVE",
        "iat": now,
        "exp": now + 300,
    }
    assert jti
    assert version > 1
    assert session["action_hash"] == claims["act"]


async def test_redeeming_answers_the_claims_and_works_once(client: AsyncClient) -> None:
    session = await approved(client)
    verdict = await minted(client, session["session_id"])
    first = await redeem(client, verdict["token"])
    assert first.status_code == 200
    assert first.json() == {"valid": True, "claims": verdict["claims"], "evaluation_id": None}
    assert code(await redeem(client, verdict["token"])) == (409, "ALREADY_REDEEMED")
    assert code(await mint(client, session["session_id"])) == (409, "ALREADY_REDEEMED"), "one approval, one action"


@pytest.mark.parametrize(
    "action",
    [
        {**TRANSFER, "amount": "12500.00"},
        {**TRANSFER, "payee": "Someone else"},
        {**TRANSFER, "account": "GB11 3704 0044 0532 0130 00"},
        {**TRANSFER, "details": {"Note": "more"}},
        None,
    ],
    ids=["amount", "payee", "account", "details", "left-out"],
)
async def test_a_verdict_is_worth_nothing_for_another_action_and_is_not_used_up_by_it(
    client: AsyncClient, action: dict[str, Any] | None
) -> None:
    verdict = await minted(client, (await approved(client))["session_id"])
    assert code(await redeem(client, verdict["token"], action)) == (400, "ACTION_MISMATCH")
    assert (await redeem(client, verdict["token"], {**TRANSFER, "amount": 1250})).status_code == 200


async def test_a_session_without_an_action_and_a_subject_has_a_verdict_too_and_it_covers_no_action(
    client: AsyncClient,
) -> None:
    session = await approved(client, None, vendor_data=None)
    verdict = await minted(client, session["session_id"])
    assert not {"sub", "act"} & verdict["claims"].keys()
    assert code(await redeem(client, verdict["token"])) == (400, "ACTION_MISMATCH")
    assert (await redeem(client, verdict["token"], None)).status_code == 200


async def test_an_expired_verdict_is_refused_and_another_can_be_had_while_the_decision_is_fresh(
    client: AsyncClient, clock: ManualClock
) -> None:
    session = await approved(client)
    first = await minted(client, session["session_id"])
    clock.advance(timedelta(seconds=300))
    assert code(await redeem(client, first["token"])) == (400, "TOKEN_EXPIRED")
    second = await minted(client, session["session_id"])
    assert (await redeem(client, second["token"])).status_code == 200
    late = await approved(client)
    clock.advance(timedelta(seconds=900))
    assert code(await mint(client, late["session_id"])) == (409, "VERDICT_WINDOW_OVER")


async def test_only_the_latest_verdict_of_a_session_can_be_redeemed(client: AsyncClient) -> None:
    session = await approved(client)
    first, second = await minted(client, session["session_id"]), await minted(client, session["session_id"])
    assert code(await redeem(client, first["token"])) == (409, "VERDICT_REVOKED")
    assert (await redeem(client, second["token"])).status_code == 200


async def test_another_application_can_neither_mint_nor_redeem(
    client: AsyncClient, make_application: MakeApplication, make_client: MakeClient
) -> None:
    session = await approved(client)
    token = (await minted(client, session["session_id"]))["token"]
    foreign = make_client(await make_application())
    assert (await mint(foreign, session["session_id"])).status_code == 404
    assert code(await redeem(foreign, token)) == (400, "TOKEN_INVALID")
    assert (await redeem(client, token)).status_code == 200, "the attempt used nothing up"


async def test_no_credentials_no_verdict(client: AsyncClient, make_client: MakeClient) -> None:
    nobody = make_client(None)
    session = await approved(client)
    assert (await mint(nobody, session["session_id"])).status_code == 403
    assert (await redeem(nobody, (await minted(client, session["session_id"]))["token"])).status_code == 403


async def test_a_session_that_is_not_approved_has_no_verdict(client: AsyncClient) -> None:
    unfinished = await create(client)
    answer = await mint(client, unfinished["session_id"])
    assert code(answer) == (409, "NOT_APPROVED")
    assert answer.json()["status"] == "Not Started"
    declined = await approved(client)
    await decide_by_hand(client, declined["session_id"], "Declined")
    assert (await mint(client, declined["session_id"])).json()["status"] == "Declined"
    for nonsense in ("none", "00000000-0000-4000-8000-000000000000"):
        assert (await mint(client, nonsense)).status_code == 404


async def test_a_verdict_is_revoked_when_the_approval_is_taken_back_and_stays_so_when_it_returns(
    client: AsyncClient,
) -> None:
    session = await approved(client)
    token = (await minted(client, session["session_id"]))["token"]
    await decide_by_hand(client, session["session_id"], "Declined")
    assert code(await redeem(client, token)) == (409, "VERDICT_REVOKED")
    await decide_by_hand(client, session["session_id"], "Approved")
    assert code(await redeem(client, token)) == (409, "VERDICT_REVOKED")
    fresh = await minted(client, session["session_id"])
    assert (await redeem(client, fresh["token"])).status_code == 200


async def test_the_verdict_of_a_deleted_session_is_invalid(client: AsyncClient) -> None:
    session = await approved(client)
    token = (await minted(client, session["session_id"]))["token"]
    assert (await client.delete(f"/v3/session/{session['session_id']}/delete/")).status_code == 204
    assert code(await redeem(client, token)) == (400, "TOKEN_INVALID")


async def test_an_action_that_is_malformed_is_told_apart_from_another_action(client: AsyncClient) -> None:
    token = (await minted(client, (await approved(client))["session_id"]))["token"]
    answer = await redeem(client, token, {**TRANSFER, "amount": "1,250.00"})
    assert answer.status_code == 400
    assert answer.json()["action"][0].startswith("amount: ")


async def test_of_many_simultaneous_redemptions_exactly_one_wins(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    token = (await minted(client, (await approved(client))["session_id"]))["token"]

    async def attempt() -> bool:
        try:
            async with services.database.writing() as tx:
                await verdicts.redeem(Scope(tx, application.application, services), token, canonical(TRANSFER))
        except AlreadyRedeemed:
            return False
        return True

    assert sorted(await asyncio.gather(*(attempt() for _ in range(12)))) == [False] * 11 + [True]


async def test_redeeming_completes_the_evaluation_that_asked_for_the_face(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    session = await approved(client)
    evaluation_id = services.identifiers.uuid()
    async with services.database.writing() as tx:
        tx.add(
            EvaluationRow(
                id=evaluation_id,
                application_id=application.id,
                evaluated_at=clock.now(),
                action_type="transfer",
                action_hash=session["action_hash"],
                facts={},
                answer="step_up",
            )
        )
        await tx.flush()
        row = await tx.get(SessionRow, session["session_id"])
        assert row is not None
        row.evaluation_id = evaluation_id
    token = (await minted(client, session["session_id"]))["token"]
    assert (await redeem(client, token)).json()["evaluation_id"] == evaluation_id
    async with services.database.reading() as tx:
        done = await tx.get(EvaluationRow, evaluation_id)
        assert done is not None
        assert done.completed_at == clock.now()


async def test_a_saved_standalone_call_has_no_verdict(client: AsyncClient, services: Services) -> None:
    session = await approved(client)
    async with services.database.writing() as tx:
        row = await tx.get(SessionRow, session["session_id"])
        assert row is not None
        row.kind = "API"
    assert code(await mint(client, session["session_id"])) == (409, "NOT_A_SESSION")
