"""Table tests of a policy: facts in, the expected answer beside them (``ipse policy test``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipse.decision.policy.evaluation import evaluate
from ipse.decision.policy.model import Answer, Facts, Outcome, Policy
from ipse.decision.policy.problems import InvalidPolicy, PolicyProblem
from ipse.decision.values import JsonValue, is_list, items_of

_EXPECTED: Final = ("answer", "reasons", "method", "workflow")


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table. Only what ``expect`` names is compared; ``reasons`` in any order."""

    name: str
    facts: Facts
    expect: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a case expected and what it got instead."""

    case: str
    key: str
    expected: JsonValue
    actual: JsonValue

    def __str__(self) -> str:
        return f"{self.case}: {self.key} is {self.actual}, expected {self.expected}"


def read_cases(value: JsonValue) -> tuple[Case, ...]:
    """Read ``[{"name", "facts", "expect": {"answer", "reasons"?, "method"?, "workflow"?}}]``.

    Raises:
        InvalidPolicy: with a problem for each case that cannot be used.
    """
    problems: list[PolicyProblem] = []
    cases: list[Case] = []
    if not is_list(value):
        problems.append(PolicyProblem("cases", "not_a_list", "Table tests are a list."))
    for position, item in enumerate(items_of(value)):
        case = _read_case(item, position)
        if isinstance(case, str):
            problems.append(PolicyProblem(f"cases[{position}]", "bad_case", case))
        else:
            cases.append(case)
    if problems:
        raise InvalidPolicy(problems)
    return tuple(cases)


def _read_case(item: JsonValue, position: int) -> Case | str:
    if not isinstance(item, Mapping):
        return "A case is an object."
    facts, expect = item.get("facts"), item.get("expect")
    if not isinstance(facts, Mapping) or not isinstance(expect, Mapping):
        return "A case has facts and expect."
    if expect.get("answer") not in [outcome.value for outcome in Outcome]:
        return f"A case expects an answer: {', '.join(Outcome)}."
    unknown = [key for key in expect if key not in _EXPECTED]
    if unknown:
        return f"A case cannot expect {', '.join(unknown)}; known are {', '.join(_EXPECTED)}."
    return Case(str(item.get("name", f"case {position + 1}")), facts, expect)


def differences(policy: Policy, cases: tuple[Case, ...]) -> tuple[Difference, ...]:
    """Return every way in which ``policy`` answers otherwise than the cases expect; none means that all pass."""
    found: list[Difference] = []
    for case in cases:
        actual = _comparable(evaluate(policy, case.facts))
        for key, expected in case.expect.items():
            wanted: JsonValue = sorted(str(item) for item in items_of(expected)) if key == "reasons" else expected
            if actual[key] != wanted:
                found.append(Difference(case.name, key, wanted, actual[key]))
    return tuple(found)


def _comparable(answer: Answer) -> dict[str, JsonValue]:
    return {
        "answer": answer.outcome.value,
        "reasons": sorted(reason.reason for reason in answer.reasons),
        "method": answer.method,
        "workflow": answer.workflow,
    }
