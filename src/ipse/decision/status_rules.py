"""Status rules: a feature's own ``status_rules[]`` that overrule the status of its report.

Source: contract 20 section 5. A hit adds CUSTOM_STATUS_RULE_TRIGGERED with the effect of the target
status. The strictest hit wins; without hits the report stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ipse.decision.config import STATUS_RULES
from ipse.decision.fields import lookup, parse_path
from ipse.decision.operators import Operator, apply, pattern_problem
from ipse.decision.problems import GraphProblem
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject, JsonValue, as_number, items_of
from ipse.decision.warnings import LogType, is_enforced, warn


@dataclass(frozen=True)
class StatusRule:
    """One rule: where it holds, the report takes ``status``."""

    field: str
    operator: Operator
    value: JsonValue
    status: FeatureStatus
    score: float | None = None


_EFFECTS: Final[Mapping[FeatureStatus, LogType]] = {
    FeatureStatus.DECLINED: LogType.ERROR,
    FeatureStatus.IN_REVIEW: LogType.WARNING,
    FeatureStatus.APPROVED: LogType.INFORMATION,
}
"""The three statuses a rule may set, strictest first."""


def read_rules(config: JsonObject, node_id: str) -> tuple[tuple[StatusRule, ...], tuple[GraphProblem, ...]]:
    """Return the usable status rules of a node and a problem for each unusable one."""
    rules: list[StatusRule] = []
    problems: list[GraphProblem] = []
    for item in items_of(config.get(STATUS_RULES)):
        rule = _read_rule(item)
        if isinstance(rule, StatusRule):
            rules.append(rule)
        else:
            problems.append(GraphProblem(node_id, "bad_status_rule", f"A status rule of '{node_id}': {rule}"))
    return tuple(rules), tuple(problems)


def _read_rule(item: JsonValue) -> StatusRule | str:
    if not isinstance(item, Mapping):
        return "it is not an object."
    field, operator, status = item.get("field"), item.get("operator"), item.get("status")
    if not isinstance(field, str) or parse_path(field) is None:
        return f"the field '{field}' is unknown."
    if operator not in {member.value for member in Operator}:
        return f"the operator '{operator}' is unknown."
    if status not in {member.value for member in _EFFECTS}:
        return f"the status '{status}' is not Approved, Declined or In Review."
    if operator == Operator.REGEX:
        problem = pattern_problem(item.get("value"))
        if problem is not None:
            return problem
    return StatusRule(field, Operator(operator), item.get("value"), FeatureStatus(status), as_number(item.get("score")))


def apply_status_rules(
    report: Report, config: JsonObject, *, earlier: tuple[Report, ...] = (), context: JsonObject | None = None
) -> Report:
    """Return ``report`` after the status rules of its node.

    Rules see the report itself, ``earlier`` reports of the session and its ``context``. Every hit
    adds a warning; among several hits the strictest status wins. An enforced error stays declined
    whatever a rule says: a rule cannot approve a presentation attack.
    """
    rules, _ = read_rules(config, report.node_id)
    hits: list[tuple[StatusRule, JsonValue]] = []
    for rule in rules:
        path = parse_path(rule.field)
        actual = None if path is None else lookup(path, (*earlier, report), context or {})
        if apply(rule.operator, actual, rule.value, rule.score).matched:
            hits.append((rule, actual))
    if not hits:
        return report
    warnings = tuple(
        warn(
            "CUSTOM_STATUS_RULE_TRIGGERED",
            report.node_id,
            log_type=_EFFECTS[rule.status],
            feature=report.feature,
            additional_data={
                "field": rule.field,
                "operator": rule.operator.value,
                "rule_value": rule.value,
                "actual_value": actual,
                "target_status": rule.status.value,
            },
        )
        for rule, actual in hits
    )
    return replace(report, status=_verdict(report, hits), warnings=report.warnings + warnings)


def _verdict(report: Report, hits: list[tuple[StatusRule, JsonValue]]) -> FeatureStatus:
    if any(is_enforced(warning.risk) and warning.log_type is LogType.ERROR for warning in report.warnings):
        return FeatureStatus.DECLINED
    wanted = {rule.status for rule, _ in hits}
    return next(status for status in _EFFECTS if status in wanted)
