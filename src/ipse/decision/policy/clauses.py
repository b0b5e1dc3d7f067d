"""Test one clause of a policy against facts, with a trace. Three answers exist: yes, no, and not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ipse.decision.operators import Operator, apply
from ipse.decision.policy.fields import AMOUNT, action_money, find
from ipse.decision.policy.model import Clause, ClauseTrace, Condition, Facts, Group, TriggerUse
from ipse.decision.policy.triggers import TRIGGERS
from ipse.decision.values import JsonValue

_EMPTINESS: Final = (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY)


def try_clause(clause: Clause, facts: Facts, *, strict: bool) -> ClauseTrace:
    """Return what became of ``clause``; never raises on facts of any shape.

    ``strict`` is for clauses that lead to ``allow``: there a fact that is missing is not an empty one.
    """
    match clause:
        case Condition():
            return _condition(clause, facts, strict=strict)
        case TriggerUse():
            finding = TRIGGERS[clause.name].look(facts, clause.parameters)
            return ClauseTrace(
                clause.name, "trigger", finding.holds, finding.message, dict(clause.parameters), dict(finding.looked_at)
            )
        case _:
            clauses = tuple(try_clause(item, facts, strict=strict) for item in clause.clauses)
            matched = _combined(clause, [item.matched for item in clauses])
            message = " ".join(item.message for item in clauses if item.matched is matched)
            return ClauseTrace(clause.logic, clause.logic, matched, message, clauses=clauses)


def _combined(group: Group, found: Sequence[bool | None]) -> bool | None:
    """Kleene's three-valued logic: one no decides `all`, one yes decides `any`, otherwise the unknown wins."""
    decisive = group.logic == "any"
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _condition(condition: Condition, facts: Facts, *, strict: bool) -> ClauseTrace:
    actual = find(facts, condition.field)
    expected = condition.value if condition.value_field is None else find(facts, condition.value_field)

    def trace(matched: bool | None, message: str) -> ClauseTrace:
        return ClauseTrace(condition.field, "field", matched, message, expected, actual, condition.operator.value)

    if condition.operator in _EMPTINESS:
        if actual is None and strict:
            return trace(None, f"{condition.field} is not known.")
    elif actual is None or expected is None:
        missing = condition.field if actual is None else condition.value_field
        return trace(None, f"{missing} is not known.")
    elif condition.field == AMOUNT:
        money = action_money(facts)
        if money is None or money.currency != condition.currency:
            return trace(None, f"The amount is not in {condition.currency}.")
        actual = float(money.amount)
    verdict = apply(condition.operator, actual, expected, condition.score)
    if verdict.note is not None and not _is_similarity(condition.operator, actual, expected):
        return trace(None, f"{condition.field}: {verdict.note}")
    return trace(verdict.matched, _sentence(condition, actual))


def _is_similarity(operator: Operator, actual: JsonValue, expected: JsonValue) -> bool:
    """Notes say why an operator could not be applied, except that of a fuzzy match, which tells the similarity."""
    return operator is Operator.FUZZY_MATCH and isinstance(actual, str) and isinstance(expected, str)


def _sentence(condition: Condition, actual: JsonValue) -> str:
    text = str(actual)
    return f"{condition.field} is {text if len(text) <= 80 else text[:79] + '…'}."
