"""Policies over HTTP: published versions never change, and nothing is published that cannot work."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.decision.policy.shipped import default_content
from ipse.jobs.worker import SCHEDULES
from ipse.runtime.services import Services
from ipse.step_up.policies import MOST_POLICIES, forget_old_evaluations
from ipse.storage.tables import EvaluationRow
from tests.integration.step_up.policy.conftest import LOGIN, TRANSFER, Ask

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

URL = "/v3/step-up/policies/"


def _policy(name: str = "mine", **parts: Any) -> dict[str, Any]:
    methods = [{"up_to": None, "method": "PASSIVE", "workflow": "wf_ato_step_up"}]
    return {"name": name, "rules": [], "methods": methods, "otherwise": "step_up", **parts}


def _deny(action_type: str) -> list[dict[str, Any]]:
    when = {"field": "action.type", "operator": "equals", "value": action_type}
    return [{"id": "never", "when": when, "then": "deny", "reason": "never"}]


async def _create(client: AsyncClient, policy: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await client.post(URL, json={"policy": policy, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_first_policy_of_an_application_answers_instead_of_the_shipped_one(
    client: AsyncClient, ask: Ask
) -> None:
    assert (await ask(LOGIN))["policy"] == {"name": "default", "version": None}
    made = await _create(client, _policy(rules=_deny("login")))
    assert (made["is_default"], made["current_version"]) == (True, 1)
    answer = await ask(LOGIN)
    assert (answer["answer"], answer["policy"]) == ("deny", {"name": "mine", "version": 1})


async def test_a_named_policy_answers_where_it_is_asked_for(client: AsyncClient, ask: Ask) -> None:
    await _create(client, _policy())
    await _create(client, _policy("strict", rules=_deny("login")))
    assert (await ask(LOGIN))["answer"] == "step_up"
    assert (await ask(LOGIN, policy="strict"))["answer"] == "deny"
    assert (await ask(LOGIN, policy="default"))["policy"]["name"] == "default"


async def test_a_policy_nobody_published_is_refused(client: AsyncClient) -> None:
    body = {"action": LOGIN, "vendor_data": "ada", "policy": "nobody's"}
    answer = await client.post("/v3/step-up/evaluate/", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["policy"])


async def test_publishing_makes_a_version_and_the_earlier_ones_stay_as_they_were(client: AsyncClient, ask: Ask) -> None:
    first, second = _policy(), _policy(rules=_deny("login"))
    await _create(client, first, comment="the first")
    published = await client.post(f"{URL}mine/publish/", json={"policy": second})
    assert published.json()["current_version"] == 2
    again = await client.post(f"{URL}mine/publish/", json={"policy": second})
    assert again.json()["current_version"] == 2, "the same content is no new version"
    versions = (await client.get(f"{URL}mine/versions/")).json()["results"]
    assert [(one["version"], one["policy"]) for one in versions] == [(2, second), (1, first)]
    assert versions[1]["comment"] == "the first"
    assert (await ask(LOGIN))["answer"] == "deny"
    back = await client.patch(f"{URL}mine/", json={"current_version": 1})
    assert back.json()["policy"] == first
    assert (await ask(LOGIN))["policy"]["version"] == 1
    third = await client.post(f"{URL}mine/publish/", json={"policy": _policy(description="new")})
    assert third.json()["current_version"] == 3


async def test_another_policy_can_become_the_default_one(client: AsyncClient, ask: Ask) -> None:
    await _create(client, _policy())
    assert (await _create(client, _policy("other")))["is_default"] is False
    assert (await client.patch(f"{URL}other/", json={"is_default": True})).json()["is_default"] is True
    assert (await client.get(f"{URL}mine/")).json()["is_default"] is False
    assert (await ask(LOGIN))["policy"]["name"] == "other"
    assert [one["name"] for one in (await client.get(URL)).json()["results"]] == ["mine", "other"]


@pytest.mark.parametrize(
    ("parts", "path", "code"),
    [
        ({"rules": [{"id": "a", "when": {"trigger": "moon"}}]}, "rules[0].when.trigger", "unknown_trigger"),
        (
            {"rules": [{"id": "a", "when": {"trigger": "listed", "name": "Nobody"}}]},
            "rules[0].when.name",
            "unknown_list",
        ),
        (
            {"methods": [{"up_to": None, "method": "PASSIVE", "workflow": "wf_gone"}]},
            "methods[0].workflow",
            "unknown_workflow",
        ),
        (
            {"methods": [{"up_to": None, "method": "ACTIVE_3D", "workflow": "wf_ato_step_up"}]},
            "methods[0].method",
            "other_method",
        ),
    ],
)
async def test_a_policy_that_refers_to_nothing_is_refused_with_the_place(
    client: AsyncClient, parts: dict[str, Any], path: str, code: str
) -> None:
    answer = await client.post(URL, json={"policy": _policy(**parts)})
    assert answer.status_code == 400
    assert [(one["path"], one["code"]) for one in answer.json()["problems"]] == [(path, code)]
    assert (await client.get(URL)).json()["count"] == 0


async def test_a_policy_whose_table_tests_fail_is_not_published(client: AsyncClient) -> None:
    facts = {"action": {"type": "login"}}
    failing = [{"name": "login", "facts": facts, "expect": {"answer": "allow"}}]
    answer = await client.post(URL, json={"policy": _policy(), "cases": failing})
    assert answer.json()["problems"][0]["message"] == "login: answer is step_up, expected allow."
    passing = [{"facts": facts, "expect": {"answer": "step_up"}}]
    await _create(client, _policy(), cases=passing)


async def test_names_are_unique_and_a_version_belongs_to_its_policy(client: AsyncClient) -> None:
    await _create(client, _policy())
    assert "name" in (await client.post(URL, json={"policy": _policy()})).json()
    renamed = await client.post(f"{URL}mine/publish/", json={"policy": _policy("yours")})
    assert renamed.json()["problems"][0]["code"] == "other_name"
    assert (await client.patch(f"{URL}mine/", json={"current_version": 9})).status_code == 404


async def test_policies_are_bounded(client: AsyncClient) -> None:
    for number in range(MOST_POLICIES):
        await _create(client, _policy(f"number {number}"))
    assert (await client.post(URL, json={"policy": _policy()})).status_code == 400


async def test_policies_of_another_application_do_not_exist(
    client: AsyncClient, make_application: Callable[..., Any], make_client: Callable[..., AsyncClient]
) -> None:
    await _create(client, _policy())
    other = make_client(await make_application())
    for call in (
        other.get(f"{URL}mine/"),
        other.get(f"{URL}mine/versions/"),
        other.patch(f"{URL}mine/", json={"is_default": True}),
        other.post(f"{URL}mine/publish/", json={"policy": _policy()}),
    ):
        assert (await call).status_code == 404
    body = {"action": LOGIN, "vendor_data": "ada"}
    assert (await other.post("/v3/step-up/evaluate/", json=body)).json()["policy"]["name"] == "default"


async def test_the_shipped_policy_can_be_published_as_ones_own(client: AsyncClient, ask: Ask) -> None:
    own = {**copy.deepcopy(dict(default_content())), "name": "own"}
    await _create(client, own)
    assert (await ask(TRANSFER))["policy"] == {"name": "own", "version": 1}


async def test_old_evaluations_are_deleted(
    services: Services, application: RegisteredApplication, ask: Ask, clock: ManualClock
) -> None:
    await ask(LOGIN)
    clock.advance(timedelta(days=399))
    await ask(LOGIN)
    clock.advance(timedelta(days=2))
    await forget_old_evaluations(services)
    async with services.database.reading() as tx:
        assert (await tx.execute(select(func.count()).select_from(EvaluationRow))).scalar_one() == 1
    assert forget_old_evaluations in [schedule.run for schedule in SCHEDULES]
