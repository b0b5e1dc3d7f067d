"""What a policy answers: severity, clean-skip, missing facts, bands. It fails towards the face."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.policy.evaluation import evaluate, looks_at_list_names, tallies_of
from ipse.decision.policy.model import Answer, LivenessMethod, Outcome, RuleOutcome, Subject, Tally
from ipse.decision.policy.shipped import default_policy
from ipse.decision.values import JsonValue
from tests.unit.decision.policy.policies import KNOWN, METHODS, facts, policy
from tests.unit.decision.strategies import JSON

ALWAYS: dict[str, Any] = {"field": "user.is_known", "operator": "equals", "value": True}
NEVER: dict[str, Any] = {"field": "user.is_known", "operator": "equals", "value": False}
UNKNOWN: dict[str, Any] = {"field": "action.details.absent", "operator": "equals", "value": "x"}


def _outcomes(answer: Answer) -> dict[str, RuleOutcome]:
    return {trace.rule: trace.outcome for trace in answer.rules}


def _reasons(answer: Answer) -> list[str]:
    return [reason.reason for reason in answer.reasons]


@pytest.mark.parametrize(
    ("thens", "expected"),
    [
        (("allow", "step_up", "deny"), Outcome.DENY),
        (("deny", "allow"), Outcome.DENY),
        (("allow", "step_up"), Outcome.STEP_UP),
        (("allow",), Outcome.ALLOW),
    ],
)
def test_deny_beats_step_up_beats_allow(thens: tuple[str, ...], expected: Outcome) -> None:
    tried = policy(*({"when": ALWAYS, "then": then, "reason": then} for then in thens), otherwise="step_up")
    answer = evaluate(tried, facts())
    assert answer.outcome is expected
    assert _reasons(answer) == [expected.value]


def test_without_a_rule_that_speaks_the_policy_answers_otherwise() -> None:
    rule = {"when": NEVER, "then": "deny"}
    assert evaluate(policy(rule), facts()).outcome is Outcome.ALLOW
    asking = evaluate(policy(rule, otherwise="step_up"), facts())
    assert asking.outcome is Outcome.STEP_UP
    assert _reasons(asking) == ["no_rule"]
    assert asking.workflow == "wf_face"


def test_a_rule_whose_fact_is_missing_asks_for_the_face() -> None:
    for then in ("deny", "step_up"):
        answer = evaluate(policy({"when": UNKNOWN, "then": then}), facts())
        assert answer.outcome is Outcome.STEP_UP
        assert _reasons(answer) == ["not_known"]
        assert _outcomes(answer)["rule0"] is RuleOutcome.UNDECIDED


def test_a_rule_may_say_that_a_missing_fact_does_not_matter() -> None:
    answer = evaluate(policy({"when": UNKNOWN, "then": "step_up", "if_unknown": "skip"}), facts())
    assert answer.outcome is Outcome.ALLOW
    assert _outcomes(answer)["rule0"] is RuleOutcome.SKIPPED


def test_an_allow_rule_needs_every_fact() -> None:
    absent = {"field": "action.details.absent", "operator": "is_empty"}
    answer = evaluate(policy({"when": absent, "then": "allow"}, otherwise="step_up"), facts())
    assert answer.outcome is Outcome.STEP_UP
    assert evaluate(policy({"when": absent, "then": "deny"}), facts()).outcome is Outcome.DENY


CLEAN: dict[str, Any] = {"all": [{"field": "signals.history.is_trusted_device", "operator": "equals", "value": True}]}


def test_the_clean_skip_rule_suppresses_only_what_allows_it() -> None:
    tried = policy({"when": ALWAYS, "then": "step_up", "unless_clean": True}, clean=CLEAN, otherwise="step_up")
    answer = evaluate(tried, facts())
    assert answer.outcome is Outcome.ALLOW
    assert _reasons(answer) == ["clean"]
    assert _outcomes(answer)["rule0"] is RuleOutcome.SUPPRESSED
    firm = policy(
        {"when": ALWAYS, "then": "step_up", "unless_clean": True}, {"when": ALWAYS, "then": "step_up"}, clean=CLEAN
    )
    assert [reason.rule for reason in evaluate(firm, facts()).reasons] == ["rule1"]


@pytest.mark.parametrize("trusted", [False, None])
def test_a_missing_fact_is_never_clean(trusted: bool | None) -> None:
    tried = policy({"when": ALWAYS, "then": "step_up", "unless_clean": True}, clean=CLEAN)
    assert evaluate(tried, facts(signals={"history.is_trusted_device": trusted})).outcome is Outcome.STEP_UP


def test_an_undecided_rule_may_be_suppressed_too() -> None:
    tried = policy({"when": UNKNOWN, "then": "step_up", "unless_clean": True}, clean=CLEAN)
    assert evaluate(tried, facts()).outcome is Outcome.ALLOW


def test_a_new_device_in_a_new_network_always_steps_up() -> None:
    tried = policy({"when": ALWAYS, "then": "allow"}, clean=CLEAN)
    strange = {"history.is_known_device": False, "history.is_known_network": False}
    answer = evaluate(tried, facts(signals=strange))
    assert answer.outcome is Outcome.STEP_UP
    assert _reasons(answer) == ["new_device_and_network"]


def test_a_blocked_person_is_denied_by_every_policy() -> None:
    allowing = policy({"when": ALWAYS, "then": "allow"})
    for changes in ({"status": "BLOCKED"}, {"blocklisted": ["user"]}):
        answer = evaluate(allowing, facts(user=changes))
        assert answer.outcome is Outcome.DENY
        assert _reasons(answer) == ["blocked_user"]


@pytest.mark.parametrize(
    ("logic", "clauses", "expected"),
    [
        ("all", (ALWAYS, UNKNOWN), None),
        ("all", (NEVER, UNKNOWN), False),
        ("all", (ALWAYS, ALWAYS), True),
        ("any", (ALWAYS, UNKNOWN), True),
        ("any", (NEVER, UNKNOWN), None),
        ("any", (NEVER, NEVER), False),
    ],
)
def test_what_is_not_known_is_neither_true_nor_false(
    logic: str, clauses: tuple[dict[str, Any], ...], expected: bool | None
) -> None:
    answer = evaluate(policy({"when": {logic: list(clauses)}, "then": "deny"}), facts())
    assert answer.rules[-1].when.matched is expected


AMOUNT: dict[str, Any] = {"field": "action.amount", "operator": "greater_than", "value": "99.5", "currency": "EUR"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({}, True),
        ({"amount": "99.50"}, False),
        ({"currency": "USD"}, None),
        ({"currency": None}, None),
        ({"amount": None}, None),
    ],
)
def test_amounts_are_compared_in_one_currency_only(action: dict[str, Any], expected: bool | None) -> None:
    answer = evaluate(policy({"when": AMOUNT, "then": "deny"}), facts(action=action))
    assert answer.rules[-1].when.matched is expected


def test_a_condition_can_compare_two_facts() -> None:
    when = {"field": "user.session_age_hours", "operator": "greater_than", "value_field": "user.sim_age_hours"}
    tried = policy({"when": when, "then": "deny"})
    assert evaluate(tried, facts(user={"sim_age_hours": 1})).outcome is Outcome.DENY
    assert evaluate(tried, facts()).outcome is Outcome.ALLOW
    assert evaluate(tried, facts(user={"sim_age_hours": None})).outcome is Outcome.STEP_UP


def test_a_value_of_another_type_cannot_be_compared_and_asks_for_the_face() -> None:
    when = {"field": "user.age_days", "operator": "less_than", "value": 30}
    answer = evaluate(policy({"when": when, "then": "deny"}), facts(user={"age_days": "many"}))
    assert answer.outcome is Outcome.STEP_UP


def test_a_fuzzy_match_that_fails_is_a_no() -> None:
    when = {"field": "action.details.channel", "operator": "fuzzy_match", "value": "website", "score": 90}
    assert evaluate(policy({"when": when, "then": "deny"}), facts()).outcome is Outcome.ALLOW


def test_a_long_value_is_cut_in_the_sentence() -> None:
    when = {"field": "action.details.channel", "operator": "contains", "value": "x"}
    answer = evaluate(policy({"when": when, "then": "deny"}), facts(action={"details": {"channel": "x" * 500}}))
    assert len(answer.reasons[0].message) < 120


BANDS: list[dict[str, Any]] = [
    {"up_to": {"amount": "100", "currency": "EUR"}, "method": "PASSIVE", "workflow": "wf_small"},
    {"up_to": {"amount": 1000, "currency": "eur"}, "method": "FLASHING", "workflow": "wf_middle"},
    {"up_to": None, "method": "ACTIVE_3D", "workflow": "wf_large"},
]


@pytest.mark.parametrize(
    ("action", "workflow", "method"),
    [
        ({"amount": "100"}, "wf_small", LivenessMethod.PASSIVE),
        ({"amount": "100.01"}, "wf_middle", LivenessMethod.FLASHING),
        ({"amount": "1000.5"}, "wf_large", LivenessMethod.ACTIVE_3D),
        ({"amount": "1", "currency": "USD"}, "wf_large", LivenessMethod.ACTIVE_3D),
        ({"amount": None, "currency": None}, "wf_large", LivenessMethod.ACTIVE_3D),
    ],
)
def test_the_amount_chooses_method_and_workflow(action: dict[str, Any], workflow: str, method: LivenessMethod) -> None:
    answer = evaluate(policy(methods=BANDS, otherwise="step_up"), facts(action=action))
    assert (answer.workflow, answer.method) == (workflow, method)


def test_the_first_rule_that_names_a_workflow_wins_over_the_band() -> None:
    own = {"when": ALWAYS, "then": "step_up", "method": "ACTIVE_3D", "workflow": "wf_own"}
    answer = evaluate(policy({"when": ALWAYS}, own, methods=METHODS), facts())
    assert (answer.workflow, answer.method) == ("wf_own", LivenessMethod.ACTIVE_3D)


def test_the_trace_shows_both_sides_of_every_rule_that_was_tried() -> None:
    tried = policy({"when": {"all": [ALWAYS, {"trigger": "new_device"}]}, "then": "deny"}, clean=CLEAN)
    lines = evaluate(tried, facts()).trace_json()
    assert [line["rule"] for line in lines if isinstance(line, dict)] == [
        "blocked_user",
        "new_device_and_network",
        "rule0",
        "clean",
    ]
    assert lines[2] == {
        "rule": "rule0",
        "then": "deny",
        "outcome": "not_matched",
        "when": {
            "logic": "all",
            "matched": False,
            "clauses": [
                {
                    "field": "user.is_known",
                    "operator": "equals",
                    "expected": True,
                    "actual": True,
                    "matched": True,
                    "message": "user.is_known is True.",
                },
                {
                    "trigger": "new_device",
                    "expected": {},
                    "actual": {"signals.history.is_known_device": True},
                    "matched": False,
                    "message": "The person was seen on this device before.",
                },
            ],
        },
    }
    plain = evaluate(policy(), facts())
    assert plain.reasons[0].to_json()["reason"] == "no_rule"
    assert len(plain.trace_json()) == 2


def test_the_counts_a_policy_needs_are_those_of_its_triggers_and_conditions() -> None:
    velocity = {"trigger": "velocity", "type": "transfer", "count": 3, "window_minutes": 60}
    condition = {"field": "velocity.ip.any.5", "operator": "greater_than", "value_field": "velocity.payee.a.b.7"}
    tried = policy(
        {"when": {"any": [velocity, {"trigger": "new_device"}]}},
        clean={"all": [condition]},
    )
    assert tallies_of(tried) == {
        Tally(Subject.USER, "transfer", 60),
        Tally(Subject.IP, None, 5),
        Tally(Subject.PAYEE, "a.b", 7),
    }
    assert tallies_of(policy()) == frozenset()


def test_list_names_are_asked_for_only_where_a_policy_looks_at_them() -> None:
    assert not looks_at_list_names(policy({"when": {"any": [{"trigger": "listed"}, ALWAYS]}}))
    assert looks_at_list_names(policy({"when": {"trigger": "listed", "name": "Mules"}}))
    assert looks_at_list_names(policy({"when": {"field": "user.lists", "operator": "contains", "value": "Mules"}}))


_ODD_FACTS = st.dictionaries(st.sampled_from(["action", "user", "velocity", "signals"]), JSON)
_ODD_USER = st.dictionaries(st.sampled_from(sorted(facts()["user"])), JSON)


@given(_ODD_FACTS)
def test_facts_of_any_shape_never_raise_and_never_allow(odd: dict[str, JsonValue]) -> None:
    assert evaluate(default_policy(), odd).outcome is not Outcome.ALLOW


@given(_ODD_USER, st.dictionaries(st.sampled_from(["type", "amount", "currency", "details"]), JSON))
def test_odd_facts_about_the_person_never_raise(user: dict[str, JsonValue], action: dict[str, JsonValue]) -> None:
    answer = evaluate(default_policy(), {**facts(), "user": user, "action": action})
    assert answer.outcome in Outcome


_TAKEN = [("user", name) for name in KNOWN["user"]] + [
    ("signals", f"{group}.{name}") for group, names in KNOWN["signals"].items() for name in names
]


@given(st.sets(st.sampled_from(_TAKEN)))
def test_taking_facts_away_never_turns_a_step_up_into_an_allow(missing: set[tuple[str, str]]) -> None:
    taken: dict[str, dict[str, Any]] = {"user": {"is_known_payee": False}, "signals": {}}
    for root, name in missing:
        taken[root][name] = None
    assert evaluate(default_policy(), facts(user={"is_known_payee": False})).outcome is Outcome.STEP_UP
    assert evaluate(default_policy(), facts(**taken)).outcome is Outcome.STEP_UP
