"""AGE_ESTIMATION: how old does the face look? Includes the liveness of the same capture.

The estimate is off by about seven years on average, and more for minors (research notes, section 6), so a workflow
that must not let minors through sets the borderline band wide.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipse.checks import liveness
from ipse.checks.performed import PASSIVE, Performed
from ipse.checks.selfie import Selfie
from ipse.decision.config import CaptureMethod
from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.settings import AgeEstimationConfig
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonObject
from ipse.decision.warnings import LogType, RiskWarning, warn


def assess(
    selfie: Selfie,
    config: AgeEstimationConfig,
    node_id: str,
    *,
    passive_only_may_approve: bool,
    media_id: str | None = None,
    performed: Performed = PASSIVE,
) -> Report:
    """Report on the age step of a session: the liveness report, the estimate, and what follows from it.

    Below ``minimum_age`` declines; inside the borderline band goes to review; an age that could not be estimated
    declines (contract 50 section 2).
    """
    alive = liveness.assess(
        selfie,
        config.liveness,
        node_id,
        passive_only_may_approve=passive_only_may_approve,
        media_id=media_id,
        performed=performed,
        feature=Feature.AGE_ESTIMATION,
    )
    found = _age_warnings(
        selfie, node_id, config.minimum_age, band=(config.borderline_minimum, config.borderline_maximum)
    )
    return _as_age_report(alive, tuple(found), config.minimum_age)


def assess_standalone(
    selfie: Selfie,
    thresholds: StandaloneThresholds,
    minimum_age: int,
    *,
    passive_only_may_approve: bool,
    media_id: str | None = None,
) -> Report:
    """Report on a standalone age estimation (contract 30 section 4); a minimum age of 0 switches the limit off."""
    alive = report_from_warnings(
        Feature.AGE_ESTIMATION,
        "default",
        score=selfie.liveness.score if selfie.liveness else None,
        warnings=tuple(liveness.standalone_warnings(selfie, thresholds, passive_only_may_approve)),
        facts=liveness.facts(selfie, asked=CaptureMethod.PASSIVE, media_id=media_id),
    )
    return _as_age_report(alive, tuple(_age_warnings(selfie, None, minimum_age)), minimum_age)


def _as_age_report(alive: Report, found: tuple[RiskWarning, ...], minimum_age: int) -> Report:
    facts: JsonObject = {**alive.facts, "features": [Feature.AGE_ESTIMATION.value], "minimum_age": minimum_age}
    return report_from_warnings(
        Feature.AGE_ESTIMATION, alive.node_id, score=alive.score, warnings=(*alive.warnings, *found), facts=facts
    )


def _age_warnings(
    selfie: Selfie,
    node_id: str | None,
    minimum_age: int,
    *,
    band: tuple[int | None, int | None] = (None, None),
) -> Iterator[RiskWarning]:
    if not selfie.has_face:
        return
    if selfie.age is None:
        yield warn("AGE_NOT_DETECTED", node_id)
        return
    told = {"age_estimation": selfie.age, "minimum_age": minimum_age}
    low, high = band
    if low is not None and high is not None and low <= selfie.age <= high:
        yield warn("AGE_BORDERLINE", node_id, log_type=LogType.WARNING, additional_data=told)
    elif selfie.age < minimum_age:
        yield warn("AGE_BELOW_MINIMUM", node_id, additional_data=told)
