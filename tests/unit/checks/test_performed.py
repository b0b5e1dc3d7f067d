"""What the parts of a challenge and the injection signals do to the liveness report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ipse.biometrics.frame_timing import Finding
from ipse.biometrics.head_motion import MotionEvidence
from ipse.biometrics.screen_response import ResponseEvidence
from ipse.checks import age_estimation, liveness
from ipse.checks.performed import PASSIVE, SAME_PERSON_SCORE, ChallengeRun, Performed
from ipse.decision.config import CaptureMethod
from ipse.decision.reports import Report
from ipse.decision.settings import AgeEstimationConfig, LivenessConfig
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import LogType
from tests.unit.checks.selfies import LIVE, selfie

BASIC = replace(LIVE, score=None, engine="basic_replay_screening")
RUN = ChallengeRun(id="c", phases=(), drawn=1, frames=30, with_face=30)


def motion(*reasons: str) -> Performed:
    evidence = MotionEvidence(not reasons, 0.9, 0.5, 0.4, {"frames": 30.0}, reasons)
    return Performed(CaptureMethod.ACTIVE_3D, RUN, motion=evidence, same_person=80.0)


def response(*reasons: str) -> Performed:
    evidence = ResponseEvidence(not reasons, 0.9, 0.4, 120.0, 3.0, 0.3, {"frames": 22.0}, reasons)
    return Performed(CaptureMethod.FLASHING, RUN, response=evidence, same_person=80.0)


def report(performed: Performed, *, engine: Any = LIVE, may: bool = False, **keys: JsonValue) -> Report:
    config = LivenessConfig.read(keys, "feature_liveness")
    return liveness.assess(
        selfie(liveness=engine), config, "feature_liveness", passive_only_may_approve=may, performed=performed
    )


def effects(found: Report) -> dict[str, LogType]:
    return {warning.risk: warning.log_type for warning in found.warnings}


@pytest.mark.parametrize(("performed", "method"), [(motion(), "ACTIVE_3D"), (response(), "FLASHING")])
def test_a_passed_challenge_is_approved_and_reported_under_its_own_method(performed: Performed, method: str) -> None:
    found = report(performed, face_liveness_method=method)
    assert found.status is FeatureStatus.APPROVED
    assert found.warnings == ()
    assert found.facts["method"] == method
    assert found.facts["face_quality"] is None
    assert found.facts["face_luminance"] is None
    assert Report.from_json(found.to_json()) == found


def test_a_passed_challenge_lets_the_basic_engine_approve_where_it_may_not_alone() -> None:
    alone, together = report(PASSIVE, engine=BASIC), report(motion(), engine=BASIC)
    assert alone.status is FeatureStatus.IN_REVIEW
    assert together.status is FeatureStatus.APPROVED
    assert effects(together) == {"BASIC_REPLAY_SCREENING": LogType.INFORMATION}


@pytest.mark.parametrize(
    ("performed", "kind"),
    [
        (motion("flat"), "print"),
        (motion("wrong_order"), "replay"),
        (motion("not_followed", "jumped"), "injection"),
        (response("other_colours"), "replay"),
        (response("no_response"), "replay"),
        (response("uniform_response"), "injection"),
        (response("flat"), "print"),
    ],
)
def test_a_challenge_that_speaks_of_an_attack_declines_whatever_the_texture_says(
    performed: Performed, kind: str
) -> None:
    found = report(performed, face_liveness_score_decline_threshold=0, face_liveness_score_review_threshold=0)
    assert found.status is FeatureStatus.DECLINED
    assert found.score == 0
    assert effects(found) == {"LIVENESS_FACE_ATTACK": LogType.ERROR}
    data = found.warnings[0].additional_data
    assert data is not None
    assert data["attack_type"] == kind


@pytest.mark.parametrize(
    ("performed", "hint"),
    [
        (motion("not_followed"), "follow_the_prompts"),
        (motion("too_few_frames"), "follow_the_prompts"),
        (response("too_bright_surroundings"), "less_light"),
    ],
)
def test_a_challenge_that_could_not_tell_asks_again_says_how_and_never_approves(
    performed: Performed, hint: str
) -> None:
    found = report(performed, may=True)
    assert found.status is FeatureStatus.IN_REVIEW
    assert liveness.is_quality_failure(found)
    assert liveness.retry_hints(selfie(), found) == (hint,)


def test_the_still_must_show_the_face_that_moved() -> None:
    stranger = replace(motion(), same_person=SAME_PERSON_SCORE - 0.01)
    assert report(stranger).status is FeatureStatus.DECLINED
    assert stranger.reasons == ("other_person",)
    nobody = replace(motion(), same_person=None)
    assert report(nobody).status is FeatureStatus.IN_REVIEW


def test_a_part_that_failed_without_a_reason_is_not_taken_for_passed() -> None:
    silent = Performed(CaptureMethod.ACTIVE_3D, RUN, MotionEvidence(False, 0, 0, 0, {}, ()), same_person=90.0)
    assert not silent.challenge_passed
    assert report(silent).status is not FeatureStatus.APPROVED


def test_each_part_is_reported_by_itself() -> None:
    timing = Finding("clock_contradiction", 0.4, "…")
    performed = replace(motion(), challenge=replace(RUN, findings=(timing,)), signals=(Finding("webdriver", 0.3, "…"),))
    evidence = report(performed).facts["evidence"]
    assert isinstance(evidence, dict)
    parts = evidence["parts"]
    assert set(parts) == {"texture", "motion", "response", "same_person", "injection", "challenge"}
    assert parts["texture"]["live"] == 0.96
    assert parts["motion"]["passed"] is True
    assert parts["response"] is None
    assert parts["same_person"] == {"score": 80.0, "threshold": SAME_PERSON_SCORE}
    assert [signal["name"] for signal in parts["injection"]["signals"]] == ["clock_contradiction", "webdriver"]
    assert [finding["name"] for finding in parts["challenge"]["timing"]] == ["clock_contradiction"]


@pytest.mark.parametrize(
    ("signal", "risk", "key", "by_default"),
    [
        ("virtual_camera", "VIRTUAL_CAMERA_DETECTED", "virtual_camera_action", FeatureStatus.DECLINED),
        ("impossible_timing", "FRAME_INJECTION_DETECTED", "frame_injection_action", FeatureStatus.DECLINED),
        ("frames_not_committed", "FRAME_INJECTION_DETECTED", "frame_injection_action", FeatureStatus.DECLINED),
        ("identical_frames", "FRAME_INJECTION_DETECTED", "frame_injection_action", FeatureStatus.DECLINED),
        ("near_identical_frames", "FRAME_INJECTION_DETECTED", "frame_injection_action", FeatureStatus.DECLINED),
        (
            "external_capture_device",
            "EXTERNAL_CAPTURE_DEVICE_DETECTED",
            "external_capture_device_action",
            FeatureStatus.IN_REVIEW,
        ),
        (
            "no_sensor_noise",
            "LIVENESS_VIDEO_ANOMALY_DETECTED",
            "face_liveness_video_anomaly_action",
            FeatureStatus.APPROVED,
        ),
    ],
)
def test_a_strong_signal_warns_with_the_action_of_the_workflow(
    signal: str, risk: str, key: str, by_default: FeatureStatus
) -> None:
    performed = Performed(signals=(Finding(signal, 0.9, "seen"),))
    found = report(performed)
    assert found.status is by_default
    assert found.warnings[0].risk == risk
    assert found.warnings[0].additional_data == {
        "signals": [{"name": signal, "grade": 0.9, "detail": "seen", "risk": risk}]
    }
    actions = {
        "NO_ACTION": FeatureStatus.APPROVED,
        "REVIEW": FeatureStatus.IN_REVIEW,
        "DECLINE": FeatureStatus.DECLINED,
    }
    for action, status in actions.items():
        keys: dict[str, Any] = {key: action}
        assert report(performed, **keys).status is status


@pytest.mark.parametrize(("grade", "expected"), [(0.69, FeatureStatus.IN_REVIEW), (0.7, FeatureStatus.DECLINED)])
def test_a_signal_that_honest_browsers_show_too_is_reviewed_where_the_workflow_would_decline(
    grade: float, expected: FeatureStatus
) -> None:
    signals = (Finding("resolution_mismatch", grade, "…"), Finding("frame_gaps", 0.2, "…"))
    assert report(Performed(signals=signals), frame_injection_action="DECLINE").status is expected


def test_whoever_showed_another_camera_is_asked_for_a_live_one() -> None:
    found = report(Performed(signals=(Finding("virtual_camera", 0.9, "OBS"),)))
    assert liveness.retry_hints(selfie(), found) == ("use_live_camera",)


@pytest.mark.parametrize(
    ("performed", "expected"),
    [
        (motion(), FeatureStatus.APPROVED),
        (motion("flat"), FeatureStatus.DECLINED),
        (motion("not_followed"), FeatureStatus.IN_REVIEW),
    ],
)
def test_an_age_is_only_believed_of_a_face_that_passed_its_challenge(
    performed: Performed, expected: FeatureStatus
) -> None:
    config = AgeEstimationConfig.read({"minimum_age_threshold": 18}, "feature_age")
    found = age_estimation.assess(selfie(), config, "feature_age", passive_only_may_approve=False, performed=performed)
    assert found.status is expected
    assert found.facts["method"] == "ACTIVE_3D"


def test_a_weak_signal_is_evidence_and_no_warning() -> None:
    found = report(Performed(signals=(Finding("virtual_camera", 0.49, "perhaps"),)))
    assert found.status is FeatureStatus.APPROVED
    assert found.warnings == ()


def test_an_automated_browser_is_told_and_left_to_the_step_that_has_an_action_for_it() -> None:
    found = report(Performed(signals=(Finding("webdriver", 0.9, "navigator.webdriver"),)))
    assert effects(found) == {"AUTOMATION_FRAMEWORK_DETECTED": LogType.INFORMATION}
    assert found.status is FeatureStatus.APPROVED
