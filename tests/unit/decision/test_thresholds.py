"""Thresholds follow the contract's two dialects and never favour a lower score."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.statuses import FeatureStatus
from ipse.decision.thresholds import StandaloneThresholds, Thresholds, as_percent
from ipse.decision.warnings import LogType

SCORES = st.floats(min_value=0, max_value=100, allow_nan=False)
RANK = {FeatureStatus.DECLINED: 0, FeatureStatus.IN_REVIEW: 1, FeatureStatus.APPROVED: 2}


@pytest.mark.parametrize(
    ("score", "status", "log_type"),
    [
        (39.99, FeatureStatus.DECLINED, LogType.ERROR),
        (40.0, FeatureStatus.IN_REVIEW, LogType.WARNING),
        (59.99, FeatureStatus.IN_REVIEW, LogType.WARNING),
        (60.0, FeatureStatus.APPROVED, None),
        (None, FeatureStatus.IN_REVIEW, LogType.WARNING),
        (math.nan, FeatureStatus.IN_REVIEW, LogType.WARNING),
    ],
)
def test_session_thresholds_are_exclusive_below(
    score: float | None, status: FeatureStatus, log_type: LogType | None
) -> None:
    thresholds = Thresholds(decline=40, review=60)
    assert thresholds.status(score) is status
    assert thresholds.log_type(score) is log_type


@pytest.mark.parametrize(
    ("score", "review", "status"),
    [
        (30.0, None, FeatureStatus.DECLINED),
        (30.01, None, FeatureStatus.APPROVED),
        (30.01, 50.0, FeatureStatus.IN_REVIEW),
        (50.0, 50.0, FeatureStatus.IN_REVIEW),
        (50.01, 50.0, FeatureStatus.APPROVED),
        (None, None, FeatureStatus.DECLINED),
        (math.nan, 50.0, FeatureStatus.DECLINED),
    ],
)
def test_standalone_thresholds_decline_at_the_threshold(
    score: float | None, review: float | None, status: FeatureStatus
) -> None:
    thresholds = StandaloneThresholds(30.0, review)
    assert thresholds.status(score) is status
    assert thresholds.log_type(score) is {0: LogType.ERROR, 1: LogType.WARNING, 2: None}[RANK[status]]


@pytest.mark.parametrize(("value", "percent"), [(0.55, 55.0), (0.0, 0.0), (1.0, 1.0), (1, 1), (40, 40), (99.5, 99.5)])
def test_only_a_true_fraction_is_scaled_to_percent(value: float, percent: float) -> None:
    assert as_percent(value) == pytest.approx(percent)


@given(SCORES, SCORES, SCORES, SCORES)
def test_a_higher_score_never_gets_a_stricter_verdict(a: float, b: float, low: float, high: float) -> None:
    decline, review = sorted((low, high))
    worse, better = sorted((a, b))
    session, standalone = Thresholds(decline, review), StandaloneThresholds(decline, review)
    assert RANK[session.status(worse)] <= RANK[session.status(better)]
    assert RANK[standalone.status(worse)] <= RANK[standalone.status(better)]


@given(SCORES, SCORES, SCORES, SCORES)
def test_raising_a_threshold_never_softens_the_verdict(score: float, a: float, b: float, review: float) -> None:
    softer, harder = sorted((a, b))
    assert (
        RANK[Thresholds(harder, max(review, harder)).status(score)]
        <= RANK[Thresholds(softer, max(review, softer)).status(score)]
    )
    assert RANK[StandaloneThresholds(harder).status(score)] <= RANK[StandaloneThresholds(softer).status(score)]
