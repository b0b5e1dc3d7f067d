"""Warnings: a risk that a check saw, and the effect it has on the check's status.

``log_type`` *is* the effect (contract 10 section 7): ``error`` declines, ``warning`` sends to
review, ``information`` changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ipse.decision.features import Feature, warning_tag
from ipse.decision.risk_catalogue import CATALOGUE, Effect
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject, JsonValue


class LogType(StrEnum):
    """The effect of a warning, as spelled on the wire."""

    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"


class Action(StrEnum):
    """What a workflow's configuration says should happen when a risk is seen."""

    NO_ACTION = "NO_ACTION"
    REVIEW = "REVIEW"
    DECLINE = "DECLINE"

    @classmethod
    def parse(cls, value: JsonValue) -> Action | None:
        """Read an action in any of the contract's spellings; None if it is none.

        Upper and lower case, ``Decline/Review/Approve`` of the seeds (Approve means NO_ACTION)
        and ``no-action`` are understood (contract 90 E6).
        """
        if not isinstance(value, str):
            return None
        key = value.strip().upper().replace("-", "_").replace(" ", "_")
        return _ACTIONS.get(key)

    @property
    def log_type(self) -> LogType:
        """The log type of a warning under this action."""
        return _LOG_TYPES[self]


_ACTIONS: Final = {
    "NO_ACTION": Action.NO_ACTION,
    "NONE": Action.NO_ACTION,
    "APPROVE": Action.NO_ACTION,
    "APPROVED": Action.NO_ACTION,
    "REVIEW": Action.REVIEW,
    "IN_REVIEW": Action.REVIEW,
    "DECLINE": Action.DECLINE,
    "DECLINED": Action.DECLINE,
}
_LOG_TYPES: Final = {
    Action.NO_ACTION: LogType.INFORMATION,
    Action.REVIEW: LogType.WARNING,
    Action.DECLINE: LogType.ERROR,
}
_EFFECT_ACTIONS: Final = {
    Effect.NONE: Action.NO_ACTION,
    Effect.REVIEW: Action.REVIEW,
    Effect.DECLINE: Action.DECLINE,
}


class UnknownRisk(LookupError):
    """A warning was raised with a code that the risk catalogue does not list."""

    code = "unknown_risk"

    def __init__(self, risk: str) -> None:
        self.risk = risk
        super().__init__(f"'{risk}' is not in the risk catalogue.")


@dataclass(frozen=True)
class RiskWarning:
    """One warning of a report."""

    risk: str
    tag: str
    log_type: LogType
    node_id: str | None
    additional_data: JsonObject | None
    short_description: str
    long_description: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's warning object (contract 10 section 7)."""
        return {
            "feature": self.tag,
            "risk": self.risk,
            "additional_data": self.additional_data,
            "log_type": self.log_type.value,
            "short_description": self.short_description,
            "long_description": self.long_description,
            "node_id": self.node_id,
        }


def default_action(risk: str) -> Action:
    """Return the action the catalogue gives ``risk``; raise UnknownRisk for an unlisted code."""
    if risk not in CATALOGUE:
        raise UnknownRisk(risk)
    return _EFFECT_ACTIONS[CATALOGUE[risk].effect]


def is_enforced(risk: str) -> bool:
    """Tell whether the catalogue forbids configuring the effect of ``risk`` away."""
    return risk in CATALOGUE and CATALOGUE[risk].enforced


def warn(
    risk: str,
    node_id: str | None,
    *,
    action: Action | None = None,
    log_type: LogType | None = None,
    additional_data: JsonObject | None = None,
    feature: Feature | None = None,
) -> RiskWarning:
    """Make the warning of a catalogued risk.

    ``log_type`` wins over ``action``, and both win over the catalogue's default. A risk that the
    contract enforces (a certain blocklist hit, NO_REFERENCE_IMAGE ...) keeps its effect whatever
    the configuration asks for. ``feature`` names the feature for codes that several share.
    Raises UnknownRisk for a code that is not in the catalogue.
    """
    default = default_action(risk)
    entry = CATALOGUE[risk]
    effect = default.log_type
    if not entry.enforced:
        effect = log_type or (action.log_type if action is not None else effect)
    return RiskWarning(
        risk=risk,
        tag=warning_tag(feature) if feature is not None else entry.tag,
        log_type=effect,
        node_id=node_id,
        additional_data=additional_data,
        short_description=entry.short_description,
        long_description=entry.long_description,
    )


def status_from_warnings(warnings: Iterable[RiskWarning]) -> FeatureStatus:
    """Roll warnings up: any error declines, else any warning reviews, else approved."""
    effects = {warning.log_type for warning in warnings}
    if LogType.ERROR in effects:
        return FeatureStatus.DECLINED
    if LogType.WARNING in effects:
        return FeatureStatus.IN_REVIEW
    return FeatureStatus.APPROVED
