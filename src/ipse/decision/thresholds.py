"""Thresholds on scores from 0 to 100, in the contract's two dialects (contract 20 section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ipse.decision.statuses import FeatureStatus
from ipse.decision.warnings import LogType


def as_percent(value: float) -> float:
    """Return a threshold in percent; a true fraction (0 < value < 1) is read as 0-1 and scaled.

    ``0.55`` means 55, ``1`` and ``0`` mean themselves: only an explicit fraction shows that the
    caller thinks in 0-1.
    """
    return value * 100.0 if 0.0 < value < 1.0 else value


@dataclass(frozen=True)
class Thresholds:
    """A decline and a review threshold of a session feature, both 0-100."""

    decline: float
    review: float

    def status(self, score: float | None) -> FeatureStatus:
        """Below decline: Declined; below review: In Review; else Approved. No score: In Review."""
        if score is None or not math.isfinite(score):
            return FeatureStatus.IN_REVIEW
        if score < self.decline:
            return FeatureStatus.DECLINED
        if score < self.review:
            return FeatureStatus.IN_REVIEW
        return FeatureStatus.APPROVED

    def log_type(self, score: float | None) -> LogType | None:
        """Return the log type of the low-score warning, or None where the score passes."""
        return _LOG_TYPES[self.status(score)]


@dataclass(frozen=True)
class StandaloneThresholds:
    """The thresholds of a standalone call: at or below decline is Declined (contract 30).

    With a review threshold, scores above decline and at or below review are In Review.
    """

    decline: float
    review: float | None = None

    def status(self, score: float | None) -> FeatureStatus:
        """Return the verdict; a missing score is Declined, since nobody reviews these calls."""
        if score is None or not math.isfinite(score) or score <= self.decline:
            return FeatureStatus.DECLINED
        if self.review is not None and score <= self.review:
            return FeatureStatus.IN_REVIEW
        return FeatureStatus.APPROVED

    def log_type(self, score: float | None) -> LogType | None:
        """Return the log type of the low-score warning, or None where the score passes."""
        return _LOG_TYPES[self.status(score)]


_LOG_TYPES = {
    FeatureStatus.DECLINED: LogType.ERROR,
    FeatureStatus.IN_REVIEW: LogType.WARNING,
    FeatureStatus.APPROVED: None,
}
