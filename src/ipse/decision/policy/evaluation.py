"""Evaluate a policy over facts. Equal input gives equal answers; whatever is not known leads to the face."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ipse.decision.operators import Operator
from ipse.decision.policy.clauses import try_clause
from ipse.decision.policy.fields import action_money, tally_of
from ipse.decision.policy.model import (
    Answer,
    Band,
    Clause,
    ClauseTrace,
    Condition,
    Facts,
    Group,
    Outcome,
    Policy,
    Reason,
    Rule,
    RuleOutcome,
    RuleTrace,
    Tally,
    TriggerUse,
)
from ipse.decision.policy.triggers import tally_of_trigger

MANDATORY: Final = (
    Rule(
        id="blocked_user",
        when=Group(
            "any",
            (
                Condition("user.status", Operator.EQUALS, "BLOCKED"),
                Condition("user.blocklisted", Operator.CONTAINS, "user"),
            ),
        ),
        then=Outcome.DENY,
        reason="blocked_user",
    ),
    Rule(
        id="new_device_and_network",
        when=TriggerUse("new_device_and_network", {}),
        then=Outcome.STEP_UP,
        reason="new_device_and_network",
    ),
)
"""Rules that every policy begins with; nothing suppresses them (requirement 170)."""


def evaluate(policy: Policy, facts: Facts) -> Answer:
    """Return the answer with every rule that was tried; never raises on a policy that ``read_policy`` made.

    Deny beats step_up, step_up beats allow, and a clean-skip rule that holds allows where no rule spoke.
    """
    clean = None if policy.clean is None else try_clause(policy.clean, facts, strict=True)
    is_clean = clean is not None and clean.matched is True
    tried = [(rule, _try(rule, facts, is_clean=is_clean)) for rule in (*MANDATORY, *policy.rules)]
    traces = tuple(trace for _, trace in tried)
    denials = [(rule, trace) for rule, trace in tried if rule.then is Outcome.DENY and _matched(trace)]
    if denials:
        return Answer(Outcome.DENY, _reasons(denials), traces, clean)
    asking = [
        (rule, trace)
        for rule, trace in tried
        if trace.outcome is RuleOutcome.UNDECIDED or (rule.then is Outcome.STEP_UP and _matched(trace))
    ]
    if asking:
        return _step_up(policy, facts, _reasons(asking), [rule for rule, _ in asking], traces, clean)
    allowing = [(rule, trace) for rule, trace in tried if rule.then is Outcome.ALLOW and _matched(trace)]
    if allowing:
        return Answer(Outcome.ALLOW, _reasons(allowing), traces, clean)
    if clean is not None and is_clean:
        return Answer(Outcome.ALLOW, (Reason("clean", "clean", clean.message),), traces, clean)
    reason = (Reason("otherwise", "no_rule", "No rule of the policy speaks about this."),)
    if policy.otherwise is Outcome.STEP_UP:
        return _step_up(policy, facts, reason, [], traces, clean)
    return Answer(policy.otherwise, reason, traces, clean)


def band_of(policy: Policy, facts: Facts) -> Band:
    """Return the first band the amount fits into; the last one takes what has no amount or another currency."""
    money = action_money(facts)
    for band in policy.bands:
        limit = band.up_to
        if limit is None:
            return band
        if money is not None and money.currency == limit.currency and money.amount <= limit.amount:
            return band
    raise AssertionError("the last band of a policy is open")


def tallies_of(policy: Policy) -> frozenset[Tally]:
    """Return every count that the policy looks at."""
    found: set[Tally] = set()
    for clause in _clauses(policy):
        match clause:
            case TriggerUse(name="velocity", parameters=parameters):
                found.add(tally_of_trigger(parameters))
            case Condition():
                paths = (clause.field, clause.value_field or "")
                found.update(tally for tally in map(tally_of, paths) if tally is not None)
    return frozenset(found)


def looks_at_list_names(policy: Policy) -> bool:
    """Whether the policy asks for lists by name, which costs another question to the lists."""
    for clause in _clauses(policy):
        match clause:
            case TriggerUse(name="listed", parameters=parameters) if parameters["name"] is not None:
                return True
            case Condition() if "user.lists" in (clause.field, clause.value_field):
                return True
    return False


def _clauses(policy: Policy) -> Iterator[Clause]:
    """Every condition and trigger of a policy, out of its groups."""
    waiting: list[Clause] = [rule.when for rule in policy.rules]
    if policy.clean is not None:
        waiting.append(policy.clean)
    while waiting:
        clause = waiting.pop()
        if isinstance(clause, Group):
            waiting.extend(clause.clauses)
        else:
            yield clause


def _try(rule: Rule, facts: Facts, *, is_clean: bool) -> RuleTrace:
    when = try_clause(rule.when, facts, strict=rule.then is Outcome.ALLOW)
    outcome = RuleOutcome.NOT_MATCHED
    if when.matched:
        outcome = RuleOutcome.MATCHED
    elif when.matched is None and rule.then is not Outcome.ALLOW:
        outcome = RuleOutcome.SKIPPED if rule.skips_unknown else RuleOutcome.UNDECIDED
    asks = outcome is RuleOutcome.UNDECIDED or (outcome is RuleOutcome.MATCHED and rule.then is Outcome.STEP_UP)
    if asks and is_clean and rule.unless_clean:
        outcome = RuleOutcome.SUPPRESSED
    return RuleTrace(rule.id, rule.then.value, outcome, when)


def _matched(trace: RuleTrace) -> bool:
    return trace.outcome is RuleOutcome.MATCHED


def _reasons(spoke: list[tuple[Rule, RuleTrace]]) -> tuple[Reason, ...]:
    return tuple(
        Reason(rule.id, rule.reason if _matched(trace) else "not_known", trace.when.message) for rule, trace in spoke
    )


def _step_up(
    policy: Policy,
    facts: Facts,
    reasons: tuple[Reason, ...],
    asking: list[Rule],
    traces: tuple[RuleTrace, ...],
    clean: ClauseTrace | None,
) -> Answer:
    """A rule may name method and workflow; the first that does wins over the band of the amount."""
    band = band_of(policy, facts)
    named = next((rule for rule in asking if rule.workflow is not None), None)
    method = band.method if named is None else named.method
    workflow = band.workflow if named is None else named.workflow
    return Answer(Outcome.STEP_UP, reasons, traces, clean, method, workflow)
