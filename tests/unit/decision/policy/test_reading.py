"""Everything that can be wrong with a policy is said, each with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ipse.decision.policy.problems import InvalidPolicy
from ipse.decision.policy.reading import MOST_RULES, read_policy
from ipse.decision.policy.shipped import default_content, default_policy
from ipse.decision.values import JsonValue
from tests.unit.decision.policy.policies import METHODS, content
from tests.unit.decision.strategies import JSON

OK: dict[str, Any] = {"field": "user.is_known", "operator": "equals", "value": True}


def _when(**when: Any) -> dict[str, Any]:
    return content({"when": when})


def _nested(depth: int) -> dict[str, Any]:
    return OK if depth == 0 else {"all": [_nested(depth - 1)]}


def _band(**band: Any) -> dict[str, Any]:
    return content(methods=[{**METHODS[0], **band}])


_TWO_BANDS = [{**METHODS[0], "up_to": {"amount": amount, "currency": "EUR"}} for amount in ("9", "9")]

TABLE: list[tuple[JsonValue, str, str]] = [
    ([], "", "not_an_object"),
    (content(rulez=[]), "rulez", "unknown_key"),
    (content(name=""), "name", "bad_name"),
    (content(name=7), "name", "bad_name"),
    (content(rules={}), "rules", "not_a_list"),
    (content(rules=[1]), "rules[0]", "not_an_object"),
    (content(*[{"when": OK}] * (MOST_RULES + 1)), "rules", "too_many"),
    (content({"when": OK, "than": "deny"}), "rules[0].than", "unknown_key"),
    (content({"when": OK, "id": ""}), "rules[0].id", "bad_id"),
    (content({"when": OK, "id": "blocked_user"}), "rules[0].id", "repeated_id"),
    (content({"when": OK, "id": "a"}, {"when": OK, "id": "a"}), "rules[1].id", "repeated_id"),
    (content({"when": OK, "then": "refuse"}), "rules[0].then", "bad_choice"),
    (content({"when": OK, "reason": 1}), "rules[0].reason", "bad_reason"),
    (content({"when": OK, "workflow": "wf"}), "rules[0].method", "bad_choice"),
    (content({"when": OK, "method": "PASSIVE"}), "rules[0].workflow", "no_workflow"),
    (content({"when": OK, "then": "deny", "method": "PASSIVE", "workflow": "wf"}), "rules[0]", "needless_method"),
    (content({"when": OK, "unless_clean": True}), "clean", "no_clean"),
    (content({"when": OK, "unless_clean": "yes"}), "rules[0].unless_clean", "not_a_truth_value"),
    (content({"when": OK, "then": "deny", "unless_clean": True}), "rules[0].unless_clean", "deny_is_final"),
    (content({"when": OK, "if_unknown": "allow"}), "rules[0].if_unknown", "bad_choice"),
    (content(otherwise="deny"), "otherwise", "bad_choice"),
    (content(clean={"any": [OK]}), "clean", "not_all"),
    (content(clean=OK), "clean", "not_all"),
    (content(clean={"all": [{}]}), "clean.all[0]", "bad_clause"),
    (content(methods=None), "methods", "not_a_list"),
    (content(methods=[]), "methods", "no_methods"),
    (_band(colour="red"), "methods[0].colour", "unknown_key"),
    (_band(up_to={"amount": "1", "currency": "EUR"}), "methods[0].up_to", "no_open_band"),
    (content(methods=[METHODS[0], METHODS[0]]), "methods[0].up_to", "bad_amount"),
    (_band(method="SMILE"), "methods[0].method", "bad_choice"),
    (_band(workflow=""), "methods[0].workflow", "no_workflow"),
    (content(methods=[*_TWO_BANDS, METHODS[0]]), "methods", "not_ascending"),
    (content({}), "rules[0].when", "not_an_object"),
    (_when(), "rules[0].when", "bad_clause"),
    (_when(all=[OK], any=[OK]), "rules[0].when", "bad_clause"),
    (_when(all=[OK], note="x"), "rules[0].when", "unknown_key"),
    (_when(all=[]), "rules[0].when.all", "bad_group"),
    (_when(any=OK), "rules[0].when.any", "bad_group"),
    (_when(any=[OK, 5]), "rules[0].when.any[1]", "not_an_object"),
    (content({"when": _nested(7)}), "rules[0].when" + ".all[0]" * 5, "too_deep"),
    (_when(**OK, values=1), "rules[0].when.values", "unknown_key"),
    (_when(**{**OK, "field": "user.shoe_size"}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": 5}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": "signals.ip.colour"}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": "action.details."}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": "velocity.user.transfer"}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": "velocity.cat.transfer.5"}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": "velocity.user.transfer.0"}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "field": "velocity.user.transfer.999999"}), "rules[0].when.field", "unknown_field"),
    (_when(**{**OK, "operator": "resembles"}), "rules[0].when.operator", "unknown_operator"),
    (_when(**{**OK, "operator": []}), "rules[0].when.operator", "unknown_operator"),
    (_when(**{**OK, "operator": "greater_than"}), "rules[0].when.operator", "unfit_operator"),
    (_when(**OK, value_field="signals.ip.is_vpn"), "rules[0].when", "two_values"),
    (
        _when(field="user.is_known", operator="equals", value_field="user.nothing"),
        "rules[0].when.value_field",
        "unknown_field",
    ),
    (_when(**{**OK, "value": "perhaps"}), "rules[0].when.value", "bad_value"),
    (_when(field="user.age_days", operator="less_than", value="many"), "rules[0].when.value", "bad_value"),
    (_when(field="user.age_days", operator="in", value=5), "rules[0].when.value", "bad_value"),
    (_when(field="action.type", operator="equals", value=5), "rules[0].when.value", "bad_value"),
    (_when(field="action.type", operator="regex", value="("), "rules[0].when.value", "bad_value"),
    (_when(field="action.amount", operator="less_than", value=5), "rules[0].when.currency", "no_currency"),
    (_when(**OK, currency="EUR"), "rules[0].when.currency", "needless_currency"),
    (_when(trigger="full_moon"), "rules[0].when.trigger", "unknown_trigger"),
    (_when(trigger=[]), "rules[0].when.trigger", "unknown_trigger"),
    (_when(trigger="new_device", hours=5), "rules[0].when.hours", "unknown_key"),
    (_when(trigger="velocity", window_minutes=5), "rules[0].when.count", "bad_parameter"),
    (_when(trigger="velocity", count=True, window_minutes=5), "rules[0].when.count", "bad_parameter"),
    (_when(trigger="velocity", count=1, window_minutes=200000), "rules[0].when.window_minutes", "bad_parameter"),
    (_when(trigger="velocity", count=1, window_minutes=5, by="moon"), "rules[0].when.by", "bad_parameter"),
    (_when(trigger="velocity", count=1, window_minutes=5, type=5), "rules[0].when.type", "bad_parameter"),
    (_when(trigger="sim_changed", hours=0), "rules[0].when.hours", "bad_parameter"),
    (_when(trigger="amount_over_limit", amount="much", currency="EUR"), "rules[0].when.amount", "bad_parameter"),
    (_when(trigger="amount_over_limit", amount="5"), "rules[0].when", "bad_parameter"),
    (_when(trigger="datacenter_login", types=[5]), "rules[0].when.types", "bad_parameter"),
    (_when(trigger="anonymous_network", kinds=["cloud"]), "rules[0].when.kinds", "bad_parameter"),
]


@pytest.mark.parametrize(("value", "path", "code"), TABLE)
def test_a_problem_is_named_with_its_place(value: JsonValue, path: str, code: str) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        read_policy(value)
    found = [problem.to_json() for problem in refused.value.problems]
    assert (path, code) in [(problem["path"], problem["code"]) for problem in found]
    assert all(str(problem["message"]).endswith(".") for problem in found)


def test_all_problems_are_said_at_once() -> None:
    broken = content({"when": {"trigger": "full_moon"}, "then": "refuse"}, name="", otherwise="perhaps")
    with pytest.raises(InvalidPolicy) as refused:
        read_policy(broken)
    assert len(refused.value.problems) == 4


def test_workflows_and_lists_that_do_not_exist_are_refused_where_they_are_known() -> None:
    tried = content(
        {"when": {"trigger": "listed", "name": "Mules"}}, {"when": {"trigger": "listed", "name": "Friends"}}
    )
    with pytest.raises(InvalidPolicy) as refused:
        read_policy(tried, workflows=["wf_other"], lists=["Friends"])
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("rules[0].when.name", "unknown_list"),
        ("methods[0].workflow", "unknown_workflow"),
    ]
    assert read_policy(tried, workflows=["wf_face"], lists=["Friends", "Mules"]).rules[0].reason == "rule0"


def test_a_policy_may_use_every_kind_of_clause() -> None:
    when = {
        "any": [
            {"field": "action.amount", "operator": "is_not_empty"},
            {"field": "action.amount", "operator": "in", "value": ["5", 6], "currency": "eur"},
            {"field": "user.blocklisted", "operator": "contains", "value": "ip_address"},
            {"field": "user.age_days", "operator": "less_than", "value_field": "user.session_age_hours"},
            {"field": "action.type", "operator": "regex", "value": "^pay"},
            {"field": "signals.ip.is_vpn", "operator": "equals", "value": False},
            {"trigger": "listed", "list_type": "allowlist", "types": ["user"]},
        ]
    }
    read = read_policy(content({"when": when, "then": "deny", "reason": "why"}))
    assert read.rules[0].reason == "why"


def test_the_shipped_policy_has_no_problems() -> None:
    assert default_policy().name == "default"
    assert default_content()["description"]


@given(JSON)
def test_json_of_any_shape_is_read_or_refused(value: JsonValue) -> None:
    for odd in (value, {"name": "x", "rules": [value], "methods": [value], "clean": value}):
        try:
            read_policy(odd)
        except InvalidPolicy as refused:
            assert refused.problems  # noqa: PT017 - a policy of chance may also be fine


@given(JSON)
def test_clauses_of_any_shape_are_read_or_refused(value: JsonValue) -> None:
    for odd in (value, {"all": [value]}, {"field": value, "operator": value}, {"trigger": "listed", "types": value}):
        try:
            read_policy(content({"when": odd}))
        except InvalidPolicy as refused:
            assert refused.problems  # noqa: PT017
