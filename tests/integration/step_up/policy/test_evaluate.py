"""``POST /v3/step-up/evaluate/``: what is recorded and answered, and that it fails towards the face."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.vault import KeyVault
from ipse.step_up import evaluate, policies, velocity
from ipse.storage.database import Database
from ipse.storage.tables import EvaluationRow, PolicyVersionRow, SessionRow
from tests.integration.step_up.policy.conftest import HOME, LAPTOP, LOGIN, TRANSFER, Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

URL = "/v3/step-up/evaluate/"


def _reasons(answer: dict[str, Any]) -> list[str]:
    return [reason["reason"] for reason in answer["reasons"]]


async def _row(services: Services, evaluation_id: str) -> EvaluationRow:
    async with services.database.reading() as tx:
        row = await tx.get(EvaluationRow, evaluation_id)
    assert row is not None
    return row


async def test_an_evaluation_is_recorded_with_its_facts_and_without_the_account(
    services: Services, ada: str, ask: Ask
) -> None:
    answer = await ask(TRANSFER)
    row = await _row(services, answer["evaluation_id"])
    assert (row.answer, row.vendor_data, row.amount, row.currency) == ("allow", "ada", "40", "EUR")
    assert row.completed_at == row.evaluated_at
    assert row.facts["signals"]["ip"]["country"] == "ES"
    assert row.facts["action"] == {"type": "transfer", "amount": "40", "currency": "EUR", "has_payee": True}
    for secret in ("ES9121", "Rosa", LAPTOP["persistent_id"]):
        assert secret not in str(row.facts)
        assert secret not in (row.payee_key or "")


async def test_a_step_up_can_come_with_its_session_bound_to_the_action(
    services: Services, ask: Ask, client: AsyncClient
) -> None:
    methods = [{"up_to": None, "method": "PASSIVE", "workflow": "wf_enrolment"}]
    policy = {"name": "mine", "rules": [], "methods": methods, "otherwise": "step_up"}
    assert (await client.post("/v3/step-up/policies/", json={"policy": policy})).status_code == 201
    answer = await ask(TRANSFER, create_session=True, metadata={"order": 7}, callback="https://bank.example/done")
    session = answer["session"]
    assert session is not None, answer["reasons"]
    assert answer["answer"] == "step_up"
    assert session["workflow_id"] == answer["workflow"]["uuid"]
    assert (session["metadata"], session["vendor_data"]) == ({"order": 7}, "ada")
    assert (await client.get(f"/v3/session/{session['session_id']}/")).status_code == 200
    async with services.database.reading() as tx:
        row = await tx.get(SessionRow, session["session_id"])
    assert row is not None
    assert (row.evaluation_id, row.action_hash) == (answer["evaluation_id"], answer["action_hash"])
    evaluation = await _row(services, answer["evaluation_id"])
    assert (evaluation.session_id, evaluation.completed_at) == (row.id, None)


async def test_a_repeated_request_with_the_same_key_counts_once(services: Services, client: AsyncClient) -> None:
    body = {"action": LOGIN, "vendor_data": "ada", "ip_address": HOME, "device": LAPTOP}
    headers = {"Idempotency-Key": "once"}
    first, second = [await client.post(URL, json=body, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    async with services.database.reading() as tx:
        assert (await tx.execute(select(func.count()).select_from(EvaluationRow))).scalar_one() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"action": {"type": "transfer", "amount": "-5", "currency": "EUR"}},
        {"action": "transfer"},
        {"vendor_data": ""},
        {"ip_address": "localhost"},
        {"ip_address": "10.0.0.300"},
        {"ip_address": "10.0.0.0/8"},
        {"context": {"session_started_at": "yesterday"}},
        {"context": {"daily_limit": {"amount": "many", "currency": "EUR"}}},
        {"headers": {f"x-{number}": "1" for number in range(65)}},
        {"device": {"report": {"text": "x" * 40_000}}},
    ],
)
async def test_bad_input_is_refused_and_not_answered_with_a_face(client: AsyncClient, change: dict[str, Any]) -> None:
    body = {"action": LOGIN, "vendor_data": "ada", **change}
    answer = await client.post(URL, json=body)
    assert answer.status_code == 400
    assert list(answer.json()) == [next(iter(change))]


@pytest.mark.parametrize("address", [None, "192.168.1.1", "::1", "::ffff:45.10.0.7", "2001:db8::1"])
async def test_an_address_that_says_nothing_asks_for_the_face(ask: Ask, address: str | None) -> None:
    answer = await ask(LOGIN, ip_address=address, device=None)
    assert answer["answer"] == "step_up"
    assert "policy_failed" not in _reasons(answer)


@pytest.mark.parametrize("place", ["in_force", "gather", "evaluate"])
async def test_a_policy_that_fails_asks_for_the_face(
    services: Services, ada: str, ask: Ask, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("something broke")

    module = {"in_force": policies, "gather": evaluate, "evaluate": evaluate}[place]
    monkeypatch.setattr(module, place, fail)
    answer = await ask(TRANSFER)
    assert (answer["answer"], _reasons(answer)) == ("step_up", ["policy_failed"])
    assert answer["workflow"]["alias"] == "wf_ato_step_up"
    row = await _row(services, answer["evaluation_id"])
    assert (row.answer, row.completed_at) == ("step_up", None)


async def test_a_stored_policy_that_cannot_be_read_any_more_asks_for_the_face(
    services: Services, client: AsyncClient, ada: str, ask: Ask
) -> None:
    methods = [{"up_to": None, "method": "PASSIVE", "workflow": "wf_ato_step_up"}]
    policy = {"name": "mine", "rules": [], "methods": methods, "otherwise": "allow"}
    assert (await client.post("/v3/step-up/policies/", json={"policy": policy})).status_code == 201
    async with services.database.writing() as tx:
        row = (await tx.scalars(select(PolicyVersionRow))).one()
        row.content = {"name": "mine", "rules": [{"id": "old", "when": {"trigger": "gone"}}]}
    assert _reasons(await ask(LOGIN)) == ["policy_failed"]


async def test_an_answer_that_is_late_asks_for_the_face(ada: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(evaluate, "DEADLINE_S", 0.05)
    monkeypatch.setattr(velocity, "lock", late)
    assert (await ask(TRANSFER))["answer"] == "step_up"


async def test_a_database_that_takes_nothing_asks_for_the_face(
    services: Services, ada: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_transaction = Database.open

    async def refuse(self: Database, *, write: bool, quick: bool = False) -> Any:
        if write:
            raise OSError("the disk is full")
        return await open_transaction(self, write=write, quick=quick)

    monkeypatch.setattr(Database, "open", refuse)
    answer = await ask(TRANSFER)
    assert (answer["answer"], _reasons(answer)) == ("step_up", ["policy_failed"])


async def test_a_refused_session_leaves_the_answer_and_says_why(services: Services, ask: Ask) -> None:
    answer = await ask(TRANSFER, create_session=True)
    assert (answer["answer"], answer["session"]) == ("step_up", None)
    assert _reasons(answer)[-1] == "session_refused"
    assert "No stored face" in answer["reasons"][-1]["message"]
    assert (await _row(services, answer["evaluation_id"])).session_id is None


async def _hurry(client: AsyncClient, count: int) -> None:
    rule = {"trigger": "velocity", "type": "login", "count": count, "window_minutes": 10, "by": "user"}
    methods = [{"up_to": None, "method": "PASSIVE", "workflow": "wf_ato_step_up"}]
    rules = [{"id": "hurry", "when": rule, "then": "deny", "reason": "hurry"}]
    policy = {"name": "mine", "rules": rules, "methods": methods, "otherwise": "allow"}
    assert (await client.post("/v3/step-up/policies/", json={"policy": policy})).status_code == 201


async def test_the_window_of_a_velocity_moves_on(client: AsyncClient, ada: str, ask: Ask, clock: ManualClock) -> None:
    await _hurry(client, 2)
    assert [(await ask(LOGIN))["answer"] for _ in range(3)] == ["allow", "allow", "deny"]
    clock.advance(timedelta(minutes=11))
    assert (await ask(LOGIN))["answer"] == "allow"


async def test_a_clock_that_jumps_back_hands_out_no_fresh_allowance(
    client: AsyncClient, ada: str, ask: Ask, clock: ManualClock
) -> None:
    await _hurry(client, 2)
    for _ in range(2):
        await ask(LOGIN)
    clock.advance(timedelta(hours=-5))
    assert (await ask(LOGIN))["answer"] == "deny"


async def test_two_processes_count_together(
    services: Services, application: RegisteredApplication, client: AsyncClient, ada: str
) -> None:
    """Two sets of services on one database, as two processes have; exactly the allowed number gets through."""
    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    await _hurry(client, 3)
    second = replace(services, database=Database(services.settings.resolved_database_url))
    second.database.unlock(KeyVault(services.ordinary_ring, services.lookup))
    body = {"action": LOGIN, "vendor_data": "ada", "ip_address": HOME, "device": LAPTOP}
    headers = {"x-api-key": application.key}
    async with (
        AsyncClient(transport=ASGITransport(build(services.settings, services)), base_url="http://one") as one,
        AsyncClient(transport=ASGITransport(build(services.settings, second)), base_url="http://two") as two,
    ):
        calls = [server.post(URL, json=body, headers=headers) for server in (one, two) for _ in range(4)]
        answers = [answer.json()["answer"] for answer in await asyncio.gather(*calls)]
    await second.database.close()
    assert answers.count("allow") == 3
    assert answers.count("deny") == 5


async def test_completing_works_once_and_in_the_own_application_only(
    services: Services,
    application: RegisteredApplication,
    make_application: Callable[..., Any],
    ask: Ask,
    clock: ManualClock,
) -> None:
    evaluation_id = (await ask(TRANSFER))["evaluation_id"]
    stranger = await make_application()
    async with services.database.writing() as tx:
        await velocity.complete(Scope(tx, stranger.application, services), evaluation_id)
    assert (await _row(services, evaluation_id)).completed_at is None
    async with services.database.writing() as tx:
        await velocity.complete(Scope(tx, application.application, services), evaluation_id)
    done = (await _row(services, evaluation_id)).completed_at
    clock.advance(timedelta(hours=1))
    async with services.database.writing() as tx:
        await velocity.complete(Scope(tx, application.application, services), evaluation_id)
    assert (await _row(services, evaluation_id)).completed_at == done


async def test_a_payee_stays_known_after_the_keys_were_rotated(services: Services, ada: str, ask: Ask) -> None:
    services.ordinary_ring.rotate()
    assert (await ask(TRANSFER))["answer"] == "allow"
