"""What the liveness report guarantees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.checks import liveness
from ipse.decision.reports import Report
from ipse.decision.settings import LivenessConfig
from ipse.decision.statuses import FeatureStatus
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonValue
from ipse.decision.warnings import LogType
from tests.unit.checks.selfies import GOOD_QUALITY, LIVE, NO_FACE, quality, selfie

BASIC = replace(LIVE, score=None, engine="basic_replay_screening")
SEVERITY = [FeatureStatus.DECLINED, FeatureStatus.IN_REVIEW, FeatureStatus.APPROVED]


def config(**keys: JsonValue) -> LivenessConfig:
    return LivenessConfig.read(keys, "feature_liveness")


def report(shown: object = None, *, may: bool = True, **keys: JsonValue) -> Report:
    return liveness.assess(
        selfie() if shown is None else shown,  # type: ignore[arg-type]
        config(**keys),
        "feature_liveness",
        passive_only_may_approve=may,
        media_id="media-9",
    )


def effects(found: Report) -> dict[str, LogType]:
    return {warning.risk: warning.log_type for warning in found.warnings}


def test_a_good_live_selfie_is_approved_without_warnings_and_with_every_documented_fact() -> None:
    found = report(may=False)
    assert found.status is FeatureStatus.APPROVED
    assert found.score == 96.0
    assert found.warnings == ()
    for key in ("method", "video_url", "age_estimation", "matches", "face_quality", "face_luminance"):
        assert key in found.facts
    assert found.facts["reference_media_id"] == "media-9"
    assert Report.from_json(found.to_json()) == found


def test_no_face_is_declined_and_nothing_else_is_claimed() -> None:
    found = report(NO_FACE)
    assert effects(found) == {"NO_FACE_DETECTED": LogType.ERROR}
    assert found.status is FeatureStatus.DECLINED
    assert found.score is None


def test_an_attack_is_declined_whatever_the_thresholds_say() -> None:
    attacked = selfie(liveness=replace(LIVE, score=99.0, attack_suspected=True, attack_type="print"))
    found = report(attacked, face_liveness_score_decline_threshold=0, face_liveness_score_review_threshold=0)
    assert found.status is FeatureStatus.DECLINED
    assert found.warnings[0].risk == "LIVENESS_FACE_ATTACK"
    assert found.warnings[0].additional_data == {"attack_type": "print"}


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (49.99, FeatureStatus.DECLINED),
        (50.0, FeatureStatus.IN_REVIEW),
        (69.99, FeatureStatus.IN_REVIEW),
        (70.0, FeatureStatus.APPROVED),
    ],
)
def test_scores_fall_on_the_documented_side_of_the_session_thresholds(score: float, expected: FeatureStatus) -> None:
    assert report(selfie(liveness=replace(LIVE, score=score))).status is expected


@given(a=st.floats(0, 100), b=st.floats(0, 100))
def test_a_higher_score_never_gets_a_worse_verdict(a: float, b: float) -> None:
    low, high = sorted((a, b))
    worse = report(selfie(liveness=replace(LIVE, score=low))).status
    better = report(selfie(liveness=replace(LIVE, score=high))).status
    assert SEVERITY.index(better) >= SEVERITY.index(worse)


def test_basic_screening_never_approves_in_a_live_application_and_warns_everywhere() -> None:
    live, sandbox = report(selfie(liveness=BASIC), may=False), report(selfie(liveness=BASIC), may=True)
    assert live.status is FeatureStatus.IN_REVIEW
    assert effects(live) == {"BASIC_REPLAY_SCREENING": LogType.WARNING}
    assert sandbox.status is FeatureStatus.APPROVED
    assert effects(sandbox) == {"BASIC_REPLAY_SCREENING": LogType.INFORMATION}
    assert live.score is None
    assert sandbox.score is None


def test_an_attack_found_by_basic_screening_is_declined() -> None:
    assert report(selfie(liveness=replace(BASIC, attack_suspected=True))).status is FeatureStatus.DECLINED


def test_a_missing_liveness_result_goes_to_review() -> None:
    found = report(selfie(liveness=None))
    assert found.status is FeatureStatus.IN_REVIEW
    assert effects(found) == {"CHECK_FAILED": LogType.WARNING}


def test_the_full_engine_without_a_score_goes_to_review() -> None:
    assert report(selfie(liveness=replace(LIVE, score=None))).status is FeatureStatus.IN_REVIEW


@pytest.mark.parametrize("method", ["ACTIVE_3D", "flashing"])
def test_a_method_that_was_not_performed_is_never_approved(method: str) -> None:
    found = report(face_liveness_method=method)
    assert found.status is FeatureStatus.IN_REVIEW
    assert effects(found) == {"CHECK_NOT_AVAILABLE": LogType.WARNING}
    assert found.facts["method"] == "PASSIVE"


@pytest.mark.parametrize("component", ["face_size", "sharpness", "luminance", "pose", "occlusion"])
def test_a_face_that_recognition_cannot_be_trusted_with_goes_to_review(component: str) -> None:
    found = report(selfie(quality=quality(**{component: 49.0})))
    assert effects(found) == {"LOW_FACE_QUALITY": LogType.WARNING}
    assert liveness.is_quality_failure(found)


def test_the_thresholds_of_the_workflow_replace_the_built_in_quality_gate() -> None:
    weak = selfie(quality=replace(quality(pose=10.0), overall=60.0))
    assert report(weak, face_quality_review_threshold=50).status is FeatureStatus.APPROVED
    assert report(weak, face_quality_decline_threshold=70).status is FeatureStatus.DECLINED
    assert report(weak, face_quality_review_threshold=70).status is FeatureStatus.IN_REVIEW


def test_luminance_limits_act_as_configured() -> None:
    dark = selfie(quality=replace(GOOD_QUALITY, luminance=10.0))
    bright = selfie(quality=replace(GOOD_QUALITY, luminance=90.0))
    limits: dict[str, Any] = {
        "face_luminance_min_threshold": 20,
        "face_luminance_min_action": "DECLINE",
        "face_luminance_max_threshold": 80,
    }
    assert effects(report(dark, **limits)) == {"LOW_FACE_LUMINANCE": LogType.ERROR}
    assert effects(report(bright, **limits)) == {"HIGH_FACE_LUMINANCE": LogType.INFORMATION}


def test_several_faces_and_repeated_frames_act_as_configured() -> None:
    two = selfie(comparable_faces=2)
    assert report(two).status is FeatureStatus.IN_REVIEW
    assert report(two, face_liveness_multiple_faces_action="NO_ACTION").status is FeatureStatus.APPROVED
    assert report(two, face_liveness_multiple_faces_action="decline").status is FeatureStatus.DECLINED
    frozen = selfie(liveness=replace(LIVE, parts={"identical_frames": 3}))
    assert effects(report(frozen)) == {"LIVENESS_VIDEO_ANOMALY_DETECTED": LogType.INFORMATION}
    assert report(frozen, face_liveness_video_anomaly_action="DECLINE").status is FeatureStatus.DECLINED


def test_only_what_the_person_can_mend_counts_as_a_quality_failure() -> None:
    assert liveness.is_quality_failure(report(NO_FACE))
    assert liveness.is_quality_failure(report(selfie(comparable_faces=2)))
    assert not liveness.is_quality_failure(report())
    attacked = selfie(liveness=replace(LIVE, attack_suspected=True), quality=quality(pose=0.0))
    assert not liveness.is_quality_failure(report(attacked))


def test_hints_tell_the_person_what_to_change() -> None:
    assert liveness.retry_hints(NO_FACE, report(NO_FACE)) == ("no_face",)
    dark = selfie(quality=quality(luminance=10.0))
    assert liveness.retry_hints(dark, report(dark)) == ("too_dark",)
    attacked = selfie(liveness=replace(LIVE, score=3.0, attack_suspected=True))
    assert liveness.retry_hints(attacked, report(attacked)) == ("use_live_camera",)


@pytest.mark.parametrize(("score", "approved"), [(30.0, False), (30.01, True)])
def test_standalone_scores_at_the_threshold_are_declined(score: float, approved: bool) -> None:
    found = liveness.assess_standalone(
        selfie(liveness=replace(LIVE, score=score)), StandaloneThresholds(30.0), passive_only_may_approve=False
    )
    assert found.status is (FeatureStatus.APPROVED if approved else FeatureStatus.DECLINED)
    assert all(warning.node_id is None for warning in found.warnings)


def test_several_faces_warn_in_a_standalone_call_without_changing_its_verdict() -> None:
    found = liveness.assess_standalone(
        selfie(comparable_faces=3), StandaloneThresholds(30.0), passive_only_may_approve=False
    )
    assert found.status is FeatureStatus.APPROVED
    assert effects(found) == {"MULTIPLE_FACES_DETECTED": LogType.WARNING}


def test_a_standalone_call_without_a_face_is_declined_and_basic_screening_alone_is_not_approved_live() -> None:
    limits = StandaloneThresholds(30.0)
    nobody = liveness.assess_standalone(NO_FACE, limits, passive_only_may_approve=True)
    assert effects(nobody) == {"NO_FACE_DETECTED": LogType.ERROR}
    unsure = liveness.assess_standalone(selfie(liveness=BASIC), limits, passive_only_may_approve=False)
    assert unsure.status is FeatureStatus.IN_REVIEW
