"""What the age report guarantees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipse.checks import age_estimation
from ipse.decision.reports import Report
from ipse.decision.settings import AgeEstimationConfig
from ipse.decision.statuses import FeatureStatus
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonValue
from tests.unit.checks.selfies import LIVE, NO_FACE, selfie


def report(age: float | None, **keys: JsonValue) -> Report:
    config = AgeEstimationConfig.read(keys, "feature_age")
    return age_estimation.assess(selfie(age=age), config, "feature_age", passive_only_may_approve=False)


def risks(found: Report) -> list[str]:
    return [warning.risk for warning in found.warnings]


def test_the_minimum_age_declines_below_and_approves_from_it() -> None:
    assert report(17.9).status is FeatureStatus.DECLINED
    assert risks(report(17.9)) == ["AGE_BELOW_MINIMUM"]
    assert report(18.0).status is FeatureStatus.APPROVED


@pytest.mark.parametrize("age", [16.0, 18.0, 25.0])
def test_the_borderline_band_goes_to_review_on_both_sides_of_the_minimum(age: float) -> None:
    found = report(age, borderline_minimum_age_threshold=16, borderline_maximum_age_threshold=25)
    assert found.status is FeatureStatus.IN_REVIEW
    assert risks(found) == ["AGE_BORDERLINE"]


def test_outside_the_band_the_minimum_decides() -> None:
    band: dict[str, JsonValue] = {"borderline_minimum_age_threshold": 16, "borderline_maximum_age_threshold": 25}
    assert report(15.9, **band).status is FeatureStatus.DECLINED
    assert report(25.1, **band).status is FeatureStatus.APPROVED


def test_an_age_that_was_not_estimated_is_declined() -> None:
    assert risks(report(None)) == ["AGE_NOT_DETECTED"]
    assert report(None).status is FeatureStatus.DECLINED


def test_the_liveness_of_the_capture_counts_too() -> None:
    config = AgeEstimationConfig.read({}, "feature_age")
    fake = selfie(liveness=replace(LIVE, score=1.0, attack_suspected=True))
    found = age_estimation.assess(fake, config, "feature_age", passive_only_may_approve=True)
    assert found.status is FeatureStatus.DECLINED
    assert found.feature.value == "AGE_ESTIMATION"
    assert found.facts["features"] == ["AGE_ESTIMATION"]


def test_without_a_face_only_the_missing_face_is_reported() -> None:
    found = age_estimation.assess_standalone(NO_FACE, StandaloneThresholds(30.0), 18, passive_only_may_approve=True)
    assert risks(found) == ["NO_FACE_DETECTED"]
    assert found.status is FeatureStatus.DECLINED


def test_a_standalone_minimum_of_zero_switches_the_limit_off() -> None:
    child = selfie(age=4.0)
    limits = StandaloneThresholds(30.0)
    off = age_estimation.assess_standalone(child, limits, 0, passive_only_may_approve=True)
    on = age_estimation.assess_standalone(child, limits, 18, passive_only_may_approve=True)
    assert off.status is FeatureStatus.APPROVED
    assert on.status is FeatureStatus.DECLINED
