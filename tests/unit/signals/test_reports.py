"""The signals of reports: read from what the checks really write, and each of them at least once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ipse.biometrics.frame_timing import Finding
from ipse.biometrics.head_motion import MotionEvidence
from ipse.biometrics.liveness import Liveness
from ipse.biometrics.screen_response import ResponseEvidence
from ipse.checks import face_match, liveness
from ipse.checks.performed import PASSIVE, ChallengeRun, Performed
from ipse.checks.screening import FaceHit, with_screening
from ipse.checks.selfie import FaceEntity
from ipse.decision.config import CaptureMethod
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.settings import FaceMatchConfig, LivenessConfig
from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.decision.values import JsonValue
from ipse.signals.liveness import INJECTION_SIGNS, TIMING_SIGNS
from ipse.signals.reports import of_reports
from tests.unit.checks.selfies import GOOD_COMPONENTS, GOOD_QUALITY, NOW, reference, selfie, template

NODE = "feature_liveness"
TWO_FACES = (FaceEntity((100, 80, 260, 280), 0.98, 34.0), FaceEntity((10, 10, 90, 110), 0.9, None))
TEXTURE = {"live": 0.9, "live_near": 0.95, "live_wide": 0.8, "live_lowest": 0.7, "live_highest": 0.97}
RUN = ChallengeRun(id="c", phases=(), drawn=2, frames=30, with_face=27, findings=(Finding("phase_cut_short", 0.6, ""),))
MOTION = MotionEvidence(
    True,
    0.9,
    0.5,
    0.4,
    {"weakest_offset": 0.2, "latency_ms": 180.0, "moved": 0.1, "stretched": 0.02, "fastest": 1.4, "frames": 24.0},
    (),
)
RESPONSE = ResponseEvidence(
    True,
    0.9,
    0.4,
    120.0,
    3.0,
    0.3,
    {"frames": 22.0, "face_brightness": 90.0, "strength": 0.03, "variation": 0.01, "veil": 0.0},
    (),
)


def judged(texture: dict[str, float], **changes: Any) -> Liveness:
    """What one of the two engines says."""
    good = Liveness(90.0, "minifasnet", False, None, {**texture, "identical_frames": 1.0}, 3)
    return replace(good, **changes)


def liveness_report(performed: Performed = PASSIVE, *, engine: Liveness | None = None, **changes: Any) -> Report:
    seen = selfie(
        liveness=engine or judged(TEXTURE),
        quality=replace(GOOD_QUALITY, components={**GOOD_COMPONENTS, "contrast": 80.0}),
        **changes,
    )
    config = LivenessConfig.read({"face_liveness_method": "ACTIVE_3D"}, NODE)
    return liveness.assess(seen, config, NODE, passive_only_may_approve=True, performed=performed)


def match_report(score: float | None = 81.0, *, known: bool = True) -> Report:
    face = reference() if known else None
    return face_match.assess(
        template(), face, score, FaceMatchConfig.read({}, "feature_match"), "feature_match", now=NOW
    )


def searched(*hits: FaceHit) -> Report:
    return with_screening(liveness_report(), hits)


BASIC = judged({"attack": 0.2}, engine="basic_replay_screening", score=None, attack_type="replay")
ACTIVE = Performed(CaptureMethod.ACTIVE_3D, RUN, motion=MOTION, same_person=77.0)
FLASHING = Performed(CaptureMethod.FLASHING, RUN, response=RESPONSE, same_person=77.0)
HIT = FaceHit("f", 71.0, "session", session_id="s", vendor_data="other", status="Approved")
EVERY: tuple[Report, ...] = (
    liveness_report(entities=TWO_FACES),
    liveness_report(engine=BASIC),
    liveness_report(ACTIVE),
    liveness_report(FLASHING),
    searched(HIT),
    match_report(),
)
GROUPS = ("face", "liveness", "challenge", "motion", "response", "injection", "match", "duplicate")


def test_every_listed_signal_of_the_checks_is_computed_and_fits_the_catalogue() -> None:
    computed: dict[str, JsonValue] = {}
    for report in EVERY:
        values = of_reports([report])
        assert problems_of(values) == ()
        computed |= values
    assert {code for code, signal in SIGNALS.items() if signal.group in GROUPS} == set(computed)


def test_the_two_networks_and_the_frames_are_compared() -> None:
    values = of_reports([liveness_report()])
    assert values["liveness.disagreement"] == 0.15
    assert values["liveness.spread"] == 0.27
    assert values["liveness.is_method_switched"] is True  # asked for a challenge, performed passively
    assert of_reports([liveness_report(ACTIVE)])["liveness.is_method_switched"] is False


def test_the_sizes_of_faces_come_from_their_boxes() -> None:
    values = of_reports([liveness_report(entities=TWO_FACES)])
    assert (values["face.count"], values["face.width_px"], values["face.height_px"]) == (2, 160, 200)
    assert values["face.second_face_share"] == 0.25
    assert "face.second_face_share" not in of_reports([liveness_report()])


def test_a_picture_without_a_face_has_a_count_and_no_sizes() -> None:
    values = of_reports([liveness_report(entities=(), best_angle=None)])
    assert values["face.count"] == 0
    assert "face.width_px" not in values


def test_a_sign_of_injection_has_its_grade_and_the_others_zero() -> None:
    performed = Performed(signals=(Finding("virtual_camera", 0.9, "OBS"), Finding("frame_gaps", 0.2, "")))
    values = of_reports([liveness_report(performed)])
    assert values["injection.virtual_camera"] == 0.9
    assert values["injection.frozen_face"] == 0.0
    assert values["injection.strongest"] == 0.9
    assert values["injection.signs"] == 2
    assert "injection.phase_cut_short" not in values, "there was no challenge whose timing could be wrong"


def test_the_timing_of_a_challenge_is_a_sign_of_its_own() -> None:
    values = of_reports([liveness_report(ACTIVE)])
    assert values["injection.phase_cut_short"] == 0.6
    assert {f"injection.{name}" for name in (*INJECTION_SIGNS, *TIMING_SIGNS)} <= set(values)
    assert values["challenge.face_share"] == 0.9


def test_the_margins_of_a_match_are_counted_from_the_thresholds_in_force() -> None:
    values = of_reports([match_report(81.0)])
    assert (values["match.decline_margin"], values["match.review_margin"]) == (41.0, 21.0)
    assert values["match.reference_age_days"] == 1


def test_a_match_without_a_reference_has_no_score() -> None:
    values = of_reports([match_report(None, known=False)])
    assert values["match.has_reference"] is False
    assert "match.score" not in values
    assert "match.reference_kind" not in values


@pytest.mark.parametrize(
    ("hit", "code"),
    [
        (HIT, "duplicate.approved_similarity"),
        (replace(HIT, status="Declined"), "duplicate.declined_similarity"),
        (replace(HIT, is_blocklisted=True), "duplicate.blocklisted_similarity"),
    ],
)
def test_a_resembling_face_counts_where_it_belongs(hit: FaceHit, code: str) -> None:
    values = of_reports([searched(hit)])
    kinds = {f"duplicate.{kind}_similarity" for kind in ("approved", "declined", "blocklisted")}
    assert {name for name in kinds if values[name] == 71.0} == {code}
    assert values["duplicate.best_similarity"] == 71.0
    assert values["duplicate.users"] == 1


def test_a_report_of_another_feature_has_none() -> None:
    assert of_reports([replace(match_report(), feature=Feature.AML)]) == {}
