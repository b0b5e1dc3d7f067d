"""What a finished attempt says about the person: recognised, refused, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.warnings import LogType


class Outcome(StrEnum):
    """Of one submission."""

    RECOGNISED = "recognised"
    """The face was compared with the person's and is theirs. Liveness alone recognises nobody."""
    FAILED = "failed"
    NEITHER = "neither"
    """A picture too dark to judge, a case for a reviewer, a first enrolment."""


_SELFIES: Final = frozenset({Feature.LIVENESS, Feature.AGE_ESTIMATION})
_ATTACKS: Final = frozenset({"LIVENESS_FACE_ATTACK", "FACE_IN_BLOCKLIST", "POSSIBLE_FACE_IN_BLOCKLIST"})
_TECHNICAL: Final = frozenset(
    {"NO_FACE_DETECTED", "LOW_FACE_QUALITY", "LOW_FACE_LUMINANCE", "HIGH_FACE_LUMINANCE", "MULTIPLE_FACES_DETECTED"}
)
"""What a better picture mends; no evidence of anything."""
_NOT_OF_LIVENESS: Final = frozenset({"AGE_BELOW_MINIMUM", "AGE_BORDERLINE", "AGE_NOT_DETECTED", "CHECK_NOT_AVAILABLE"})
_UNMET: Final = "CHALLENGE_NOT_COMPLETED"
"""Counts although it may only ask for a review: who guesses at challenges fails exactly so."""


def outcome_of(reports: Iterable[Report]) -> Outcome:
    """The outcome of a submission, from the reports that it led to."""
    reports = tuple(reports)
    if any(_failed(report) for report in reports):
        return Outcome.FAILED
    if any(_recognised(report) for report in reports):
        return Outcome.RECOGNISED
    return Outcome.NEITHER


def _failed(report: Report) -> bool:
    if report.feature is Feature.FACE_MATCH:
        return report.status is FeatureStatus.DECLINED and report.score is not None
    if report.feature not in _SELFIES:
        return False
    lowering = {one.risk for one in report.warnings if one.log_type is not LogType.INFORMATION} - _NOT_OF_LIVENESS
    if lowering & _TECHNICAL and not lowering & _ATTACKS:
        return False
    return bool(lowering) and (report.status is FeatureStatus.DECLINED or _UNMET in lowering)


def _recognised(report: Report) -> bool:
    return report.feature is Feature.FACE_MATCH and report.status is FeatureStatus.APPROVED and report.score is not None
