"""Status rules overrule a report, say so in a warning, and cannot approve an attack."""

from __future__ import annotations

import pytest

from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.status_rules import apply_status_rules, read_rules
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import LogType, warn

A, D, R = FeatureStatus.APPROVED, FeatureStatus.DECLINED, FeatureStatus.IN_REVIEW


def rule(status: str, **changes: JsonValue) -> dict[str, JsonValue]:
    return {"field": "liveness.score", "operator": "less_than", "value": 80, "status": status, **changes}


def config(*rules: JsonValue) -> dict[str, JsonValue]:
    return {"status_rules": list(rules)}


REPORT = Report(Feature.LIVENESS, "n", A, 75.0)


@pytest.mark.parametrize(
    ("status", "log_type"),
    [("Declined", LogType.ERROR), ("In Review", LogType.WARNING), ("Approved", LogType.INFORMATION)],
)
def test_a_hit_sets_the_status_and_adds_the_warning_of_the_contract(status: str, log_type: LogType) -> None:
    report = apply_status_rules(REPORT, config(rule(status)))
    assert report.status.value == status
    (warning,) = report.warnings
    assert warning.risk == "CUSTOM_STATUS_RULE_TRIGGERED"
    assert warning.tag == "LIVENESS"
    assert warning.log_type is log_type
    assert warning.additional_data == {
        "field": "liveness.score",
        "operator": "less_than",
        "rule_value": 80,
        "actual_value": 75.0,
        "target_status": status,
    }


def test_without_a_hit_the_report_stays_as_it_is() -> None:
    assert apply_status_rules(REPORT, config(rule("Declined", value=10))) is REPORT
    assert apply_status_rules(REPORT, {}) is REPORT


def test_the_strictest_hit_wins_and_every_hit_is_told() -> None:
    report = apply_status_rules(REPORT, config(rule("Approved"), rule("Declined"), rule("In Review")))
    assert report.status is D
    assert len(report.warnings) == 3


def test_a_rule_may_soften_a_threshold_but_not_an_enforced_error() -> None:
    low = Report(Feature.LIVENESS, "n", D, 75.0, (warn("LOW_LIVENESS_SCORE", "n"),))
    attack = Report(Feature.LIVENESS, "n", D, 75.0, (warn("LIVENESS_FACE_ATTACK", "n"),))
    assert apply_status_rules(low, config(rule("Approved"))).status is A
    assert apply_status_rules(attack, config(rule("Approved"))).status is D


def test_rules_see_earlier_reports_and_the_context() -> None:
    earlier = Report(Feature.IP_ANALYSIS, "ip", A, 95.0)
    by_report = config(rule("In Review", field="ip_analysis.score", operator="greater_than", value=90))
    by_context = config(rule("Declined", field="metadata.amount", operator="equals", value=5))
    assert apply_status_rules(REPORT, by_report).status is A
    assert apply_status_rules(REPORT, by_report, earlier=(earlier,)).status is R
    assert apply_status_rules(REPORT, by_context, context={"metadata": {"amount": 5}}).status is D


@pytest.mark.parametrize(
    "broken",
    [
        "x",
        rule("Approved", field="weather"),
        rule("Approved", field=None),
        rule("Approved", operator="resembles"),
        rule("Approved", operator=None),
        rule("Perhaps"),
        rule("Approved", operator="regex", value="["),
    ],
)
def test_an_unusable_rule_is_a_problem_of_its_node_and_does_nothing(broken: JsonValue) -> None:
    rules, problems = read_rules(config(broken, rule("Declined")), "n")
    assert len(rules) == 1
    assert [problem.node_id for problem in problems] == ["n"]
    assert apply_status_rules(REPORT, config(broken)) is REPORT


def test_a_pattern_rule_is_usable() -> None:
    rules, problems = read_rules(config(rule("Declined", operator="regex", value="^x", score=5)), "n")
    assert not problems
    assert rules[0].score == 5.0
