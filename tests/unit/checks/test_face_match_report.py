"""What the face-match report guarantees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.biometrics.calibration import similarity_score
from ipse.biometrics.protection import Reference
from ipse.biometrics.templates import Template
from ipse.checks import face_match
from ipse.checks.selfie import ReferenceFace
from ipse.decision.reports import Report
from ipse.decision.settings import FaceMatchConfig
from ipse.decision.statuses import FeatureStatus
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonValue
from ipse.decision.warnings import LogType
from tests.unit.checks.selfies import NO_FACE, NOW, near, reference, selfie, template

SEVERITY = [FeatureStatus.DECLINED, FeatureStatus.IN_REVIEW, FeatureStatus.APPROVED]


def report(
    score: float | None,
    *,
    probe: Template | None = template(),
    stored: ReferenceFace | None = reference(),
    **keys: JsonValue,
) -> Report:
    config = FaceMatchConfig.read(keys, "feature_face_match")
    return face_match.assess(probe, stored, score, config, "feature_face_match", now=NOW, selfie_media_id="media-2")


def risks(found: Report) -> dict[str, LogType]:
    return {warning.risk: warning.log_type for warning in found.warnings}


@pytest.mark.parametrize(
    ("score", "expected", "effect"),
    [
        (0.0, FeatureStatus.DECLINED, LogType.ERROR),
        (39.99, FeatureStatus.DECLINED, LogType.ERROR),
        (40.0, FeatureStatus.IN_REVIEW, LogType.WARNING),
        (59.99, FeatureStatus.IN_REVIEW, LogType.WARNING),
        (60.0, FeatureStatus.APPROVED, None),
        (100.0, FeatureStatus.APPROVED, None),
    ],
)
def test_scores_fall_on_the_documented_side_of_the_thresholds(
    score: float, expected: FeatureStatus, effect: LogType | None
) -> None:
    found = report(score)
    assert found.status is expected
    assert found.score == score
    assert risks(found) == ({} if effect is None else {"LOW_FACE_MATCH_SIMILARITY": effect})


@given(a=st.floats(0, 100), b=st.floats(0, 100), decline=st.integers(0, 100), review=st.integers(0, 100))
def test_a_higher_score_never_gets_a_worse_verdict(a: float, b: float, decline: int, review: int) -> None:
    low, high = sorted((a, b))
    keys: dict[str, Any] = {
        "face_match_score_decline_threshold": min(decline, review),
        "face_match_score_review_threshold": max(decline, review),
    }
    assert SEVERITY.index(report(high, **keys).status) >= SEVERITY.index(report(low, **keys).status)


def test_a_missing_reference_or_selfie_is_declined_without_score_and_without_a_similarity_warning() -> None:
    for found in (report(99.0, stored=None), report(99.0, probe=None)):
        assert found.status is FeatureStatus.DECLINED
        assert found.score is None
        assert risks(found) == {"NO_REFERENCE_IMAGE": LogType.ERROR}


def test_a_reference_of_another_model_goes_to_review() -> None:
    older = reference(template=Reference.unprotected(template(2, "sface-older")))
    assert face_match.similarity(template(), older) is None
    found = report(None, stored=older)
    assert found.status is FeatureStatus.IN_REVIEW
    assert risks(found) == {"REFERENCE_MODEL_CHANGED": LogType.WARNING}


def test_a_revoked_reference_matches_nobody_and_asks_to_enrol_again() -> None:
    revoked = reference(template=Reference.revoked())
    assert face_match.similarity(template(2), revoked) is None
    found = report(None, stored=revoked)
    assert found.status is FeatureStatus.IN_REVIEW
    (warning,) = found.warnings
    assert (warning.risk, warning.additional_data) == ("REFERENCE_MODEL_CHANGED", {"enroll_again": True})


def test_the_similarity_is_the_calibrated_score_of_the_two_faces() -> None:
    stored = reference(template=Reference.unprotected(template(1)))
    assert face_match.similarity(near(template(1), 0.6), stored) == pytest.approx(similarity_score(0.6), abs=0.01)
    assert face_match.similarity(None, stored) is None
    assert face_match.similarity(template(), None) is None


def test_a_score_that_could_not_be_computed_follows_the_workflow_and_is_never_approved() -> None:
    assert report(None).status is FeatureStatus.IN_REVIEW
    assert report(None, face_match_not_computed_action="DECLINE").status is FeatureStatus.DECLINED


def test_the_report_says_which_reference_was_used_how_old_it_is_and_who_supplied_it() -> None:
    found = report(90.0)
    assert found.facts["reference"] == {
        "kind": "stored",
        "supplied_by": "person",
        "session_id": "11111111-1111-4111-8111-111111111111",
        "created_at": "2026-11-19T10:00:00+00:00",
        "age_days": 1,
    }
    assert found.facts["source_image_session_id"] == "11111111-1111-4111-8111-111111111111"
    assert found.facts["source_media_id"] == "media-1"
    assert found.facts["target_media_id"] == "media-2"
    assert Report.from_json(found.to_json()) == found


def test_a_supplied_or_old_reference_is_told_and_changes_nothing() -> None:
    supplied = report(90.0, stored=reference(kind="supplied", supplied_by="integrator"))
    assert risks(supplied) == {"REFERENCE_SUPPLIED_BY_CALLER": LogType.INFORMATION}
    old = report(90.0, stored=reference(created_at=NOW - face_match.STALE_AFTER))
    assert risks(old) == {"REFERENCE_FACE_STALE": LogType.INFORMATION}
    young = report(90.0, stored=reference(created_at=NOW - face_match.STALE_AFTER + timedelta(seconds=1)))
    assert young.warnings == ()
    assert supplied.status is old.status is FeatureStatus.APPROVED


def test_no_template_reaches_the_report() -> None:
    assert "vector" not in str(report(90.0).to_json())


@pytest.mark.parametrize(
    ("score", "review", "expected"),
    [
        (30.0, None, FeatureStatus.DECLINED),
        (30.01, None, FeatureStatus.APPROVED),
        (45.0, 50.0, FeatureStatus.IN_REVIEW),
        (50.0, 50.0, FeatureStatus.IN_REVIEW),
        (50.01, 50.0, FeatureStatus.APPROVED),
    ],
)
def test_standalone_thresholds_decline_at_the_threshold_and_review_only_when_asked(
    score: float, review: float | None, expected: FeatureStatus
) -> None:
    found = face_match.assess_standalone(selfie(), selfie(), score, StandaloneThresholds(30.0, review))
    assert found.status is expected


def test_a_standalone_pair_without_a_face_is_declined_and_says_where() -> None:
    found = face_match.assess_standalone(selfie(), NO_FACE, None, StandaloneThresholds(30.0))
    assert risks(found) == {"NO_REFERENCE_IMAGE": LogType.ERROR}
    assert found.warnings[0].additional_data == {"no_face_in": ["ref_image"]}
    assert found.score is None


def test_a_standalone_pair_whose_score_is_missing_is_declined() -> None:
    found = face_match.assess_standalone(selfie(), selfie(), None, StandaloneThresholds(30.0))
    assert found.status is FeatureStatus.DECLINED
