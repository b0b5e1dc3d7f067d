"""The report of one finished check: status, score, warnings and the facts behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ipse.decision.features import Feature, parse_feature
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject, JsonValue, as_number, items_of
from ipse.decision.warnings import LogType, RiskWarning, status_from_warnings


class MalformedReport(ValueError):
    """A stored report does not have the shape that ``Report.to_json`` writes."""

    code = "malformed_report"


@dataclass(frozen=True)
class Report:
    """What one check found. ``facts`` are the fields of the feature's decision item."""

    feature: Feature
    node_id: str
    status: FeatureStatus
    score: float | None = None
    """0-100, or None where the check has no score or could not compute it."""
    warnings: tuple[RiskWarning, ...] = ()
    facts: JsonObject = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a score that is not a number from 0 to 100: a made-up score must not travel."""
        if self.score is not None and not (math.isfinite(self.score) and 0.0 <= self.score <= 100.0):
            raise MalformedReport(f"The score {self.score} is not a number from 0 to 100.")

    def with_status(self, status: FeatureStatus) -> Report:
        """Return the same report under another status, as after a reviewer's correction."""
        return replace(self, status=status)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the form in which reports are stored; ``from_json`` reads it back."""
        return {
            "feature": self.feature.value,
            "node_id": self.node_id,
            "status": self.status.value,
            "score": self.score,
            "warnings": [warning.to_json() for warning in self.warnings],
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, value: JsonValue) -> Report:
        """Read a stored report; raise MalformedReport when it is not one."""
        if not isinstance(value, Mapping):
            raise MalformedReport("A report is a JSON object.")
        feature = parse_feature(_text(value, "feature"))
        if feature is None:
            raise MalformedReport("The report names an unknown feature.")
        facts = value.get("facts", {})
        if not isinstance(facts, Mapping):
            raise MalformedReport("The facts of a report are a JSON object.")
        score = value.get("score")
        number = as_number(score)
        if score is not None and number is None:
            raise MalformedReport("The score of a report is a number or null.")
        return cls(
            feature=feature,
            node_id=_text(value, "node_id"),
            status=_status(_text(value, "status")),
            score=number,
            warnings=tuple(_warning(item) for item in items_of(value.get("warnings"))),
            facts=facts,
        )


def report_from_warnings(
    feature: Feature,
    node_id: str,
    *,
    score: float | None,
    warnings: tuple[RiskWarning, ...],
    facts: JsonObject,
) -> Report:
    """Make the report whose status is the roll-up of its warnings."""
    return Report(feature, node_id, status_from_warnings(warnings), score, warnings, facts)


def _text(value: JsonObject, key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise MalformedReport(f"'{key}' of a report or warning is text.")
    return text


def _status(text: str) -> FeatureStatus:
    try:
        return FeatureStatus(text)
    except ValueError as error:
        raise MalformedReport(f"'{text}' is no feature status.") from error


def _warning(value: JsonValue) -> RiskWarning:
    if not isinstance(value, Mapping):
        raise MalformedReport("A warning is a JSON object.")
    additional = value.get("additional_data")
    if additional is not None and not isinstance(additional, Mapping):
        raise MalformedReport("'additional_data' of a warning is an object or null.")
    node_id = value.get("node_id")
    if node_id is not None and not isinstance(node_id, str):
        raise MalformedReport("'node_id' of a warning is text or null.")
    try:
        log_type = LogType(_text(value, "log_type"))
    except ValueError as error:
        raise MalformedReport("The log type of a warning is unknown.") from error
    return RiskWarning(
        risk=_text(value, "risk"),
        tag=_text(value, "feature"),
        log_type=log_type,
        node_id=node_id,
        additional_data=additional,
        short_description=_text(value, "short_description"),
        long_description=_text(value, "long_description"),
    )
