"""Table tests of policies, and the comparison of two policies over recorded evaluations."""

from __future__ import annotations

from typing import Any

import pytest

from ipse.decision.policy.cases import differences, read_cases
from ipse.decision.policy.comparison import Recorded, compare
from ipse.decision.policy.problems import InvalidPolicy
from ipse.decision.values import JsonValue
from tests.unit.decision.policy.policies import facts, policy

NEW_DEVICE: dict[str, Any] = {"when": {"trigger": "new_device"}, "then": "step_up", "reason": "new_device"}
STRANGE = facts(signals={"history.is_known_device": False})


def test_a_table_that_holds_has_no_differences() -> None:
    cases = read_cases(
        [
            {"facts": facts(), "expect": {"answer": "allow", "reasons": ["no_rule"], "method": None}},
            {
                "name": "strange device",
                "facts": STRANGE,
                "expect": {"answer": "step_up", "reasons": ["new_device"], "method": "PASSIVE", "workflow": "wf_face"},
            },
        ]
    )
    assert differences(policy(NEW_DEVICE), cases) == ()


def test_a_difference_says_what_was_expected_and_what_came() -> None:
    cases = read_cases([{"name": "a", "facts": STRANGE, "expect": {"answer": "allow", "reasons": ["x", "b"]}}])
    assert [str(line) for line in differences(policy(NEW_DEVICE), cases)] == [
        "a: answer is step_up, expected allow",
        "a: reasons is ['new_device'], expected ['b', 'x']",
    ]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({}, "cases"),
        ([1], "cases[0]"),
        ([{"facts": {}}], "cases[0]"),
        ([{"facts": {}, "expect": {"answer": "maybe"}}], "cases[0]"),
        ([{"facts": {}, "expect": {"answer": "deny", "colour": "red"}}], "cases[0]"),
    ],
)
def test_a_case_that_cannot_be_used_is_named(value: JsonValue, path: str) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        read_cases(value)
    assert refused.value.problems[0].path == path


def _recorded(name: str, answer: str, seen: dict[str, Any]) -> Recorded:
    return Recorded(name, "2026-11-20T10:00:00Z", "user-1", answer, ("then",), seen)


def test_a_back_test_counts_answers_and_lists_what_changes() -> None:
    rows = [_recorded("one", "allow", facts()), _recorded("two", "allow", STRANGE)]
    found = compare(policy(NEW_DEVICE), rows)
    assert found.to_json() == {
        "evaluations": 2,
        "before": {"deny": 0, "step_up": 0, "allow": 2},
        "after": {"deny": 0, "step_up": 1, "allow": 1},
        "changed": [
            {
                "evaluation_id": "two",
                "evaluated_at": "2026-11-20T10:00:00Z",
                "vendor_data": "user-1",
                "before": "allow",
                "reasons_before": ["then"],
                "after": "step_up",
                "reasons_after": ["new_device"],
            }
        ],
    }


def test_a_back_test_against_the_current_policy_compares_the_two_policies() -> None:
    found = compare(policy(), [_recorded("one", "deny", STRANGE)], current=policy(NEW_DEVICE))
    assert (found.before["step_up"], found.after["allow"]) == (1, 1)
