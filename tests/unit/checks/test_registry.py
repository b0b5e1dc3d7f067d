"""What the registry of checks guarantees."""

from __future__ import annotations

import pytest

from ipse.checks.registry import CHECKS, Need, has_check, needs, unavailable
from ipse.decision.features import WORKFLOW_FEATURES, Feature
from ipse.decision.statuses import FeatureStatus


@pytest.mark.parametrize("feature", sorted(WORKFLOW_FEATURES - set(CHECKS)))
def test_a_missing_check_goes_to_review_and_never_approves(feature: Feature) -> None:
    assert not has_check(feature)
    report = unavailable(feature, "node")
    assert report.status is FeatureStatus.IN_REVIEW
    assert report.warnings[0].risk == "CHECK_NOT_AVAILABLE"
    assert report.score is None
    assert needs(feature) == frozenset()


def test_faces_need_a_selfie_and_addresses_nothing_from_the_person() -> None:
    assert Need.SELFIE in needs(Feature.LIVENESS)
    assert needs(Feature.FACE_MATCH) == {Need.SELFIE, Need.REFERENCE}
    assert needs(Feature.IP_ANALYSIS) == {Need.REQUEST}
