"""The seed pages as scenarios, each against the shipped policy and over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from tests.integration.step_up.policy.conftest import ABROAD, CLOUD, EXIT, LAPTOP, LOGIN, MOBILE, PHONE, TRANSFER, Ask

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio


def _reasons(answer: dict[str, Any]) -> set[str]:
    return {reason["reason"] for reason in answer["reasons"]}


async def test_a_clean_returning_customer_is_not_asked_for_a_face(ada: str, ask: Ask) -> None:
    answer = await ask(TRANSFER)
    assert (answer["answer"], _reasons(answer)) == ("allow", {"clean"}), answer["reasons"]
    larger = await ask({**TRANSFER, "amount": "400"})
    assert larger["answer"] == "allow"
    suppressed = next(rule for rule in larger["rules"] if rule["rule"] == "large")
    assert suppressed["outcome"] == "suppressed"
    assert larger["workflow"] is None


async def test_credential_stuffing_from_a_data_centre_is_denied(ada: str, ask: Ask) -> None:
    answers = [
        await ask(LOGIN, vendor_data=f"victim-{number}", ip_address=CLOUD, device=None, user_agent="python-requests/2")
        for number in range(7)
    ]
    assert [answer["answer"] for answer in answers] == ["step_up"] * 5 + ["deny"] * 2
    assert _reasons(answers[0]) >= {"datacenter_login"}
    assert _reasons(answers[-1]) == {"credential_stuffing"}
    assert (await ask(LOGIN))["answer"] == "allow"


async def test_a_swapped_sim_on_a_new_device_needs_the_face(ada: str, ask: Ask, clock: ManualClock) -> None:
    swapped = {"sim_changed_at": (clock.now() - timedelta(hours=3)).isoformat()}
    answer = await ask(TRANSFER, device=PHONE, ip_address=MOBILE, context=swapped)
    assert answer["answer"] == "step_up"
    assert _reasons(answer) >= {"sim_changed", "new_device", "new_device_and_network"}
    assert answer["workflow"]["alias"] == "wf_ato_step_up"
    assert answer["method"] == "PASSIVE"
    at_home = await ask(TRANSFER, context=swapped)
    assert _reasons(at_home) == {"sim_changed"}


async def test_a_stolen_cookie_from_another_country_needs_the_face(ada: str, ask: Ask, clock: ManualClock) -> None:
    assert (await ask(LOGIN))["answer"] == "allow"
    clock.advance(timedelta(hours=1))
    answer = await ask(LOGIN, ip_address=ABROAD, device=LAPTOP)
    assert answer["answer"] == "step_up"
    assert _reasons(answer) >= {"new_country", "impossible_travel"}


async def test_a_payout_to_a_new_account_needs_the_face_until_one_was_completed(
    ada: str, ask: Ask, client: AsyncClient, settle: Any
) -> None:
    payout = {"type": "payout", "amount": "100", "currency": "EUR", "account": "DE89370400440532013000"}
    first = await ask(payout)
    assert (first["answer"], _reasons(first)) == ("step_up", {"first_seen_payee"})
    again = await ask(payout)
    assert _reasons(again) == {"first_seen_payee"}, "asking does not make a payee a known one"
    await settle(first["evaluation_id"])
    assert (await ask(payout))["answer"] == "allow"


async def test_a_password_reset_in_a_young_session_needs_the_face(ada: str, ask: Ask, clock: ManualClock) -> None:
    young = {"session_started_at": (clock.now() - timedelta(hours=2)).isoformat()}
    old = {"session_started_at": (clock.now() - timedelta(hours=30)).isoformat()}
    reset = {"type": "password_reset"}
    assert _reasons(await ask(reset, context=young)) == {"reset_on_young_session"}
    assert _reasons(await ask(reset)) == {"not_known"}
    assert (await ask(reset, context=old))["answer"] == "allow"


async def test_a_transfer_above_the_persons_daily_limit_needs_the_face(ada: str, ask: Ask) -> None:
    limit = {"daily_limit": {"amount": "100", "currency": "EUR"}}
    assert (await ask({**TRANSFER, "amount": "60"}, context=limit))["answer"] == "allow"
    assert _reasons(await ask({**TRANSFER, "amount": "60"}, context=limit)) == {"amount_over_limit"}
    dollars = await ask({**TRANSFER, "currency": "USD"}, context=limit)
    assert _reasons(dollars) == {"not_known"}, "amounts of two currencies are not compared"


async def test_somebody_behind_tor_needs_the_face(ada: str, ask: Ask) -> None:
    answer = await ask(LOGIN, ip_address=EXIT)
    assert answer["answer"] == "step_up"
    assert "anonymous_network" in _reasons(answer)


async def test_a_blocked_person_is_denied_and_gets_no_session(ada: str, ask: Ask, client: AsyncClient) -> None:
    blocked = await client.patch("/v3/users/ada/update-status/", json={"status": "BLOCKED"})
    assert blocked.status_code == 200
    answer = await ask(TRANSFER, create_session=True)
    assert (answer["answer"], answer["session"]) == ("deny", None)
    assert "blocked_user" in _reasons(answer)
