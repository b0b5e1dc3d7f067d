"""What a finished attempt counts."""

from __future__ import annotations

import pytest

from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.warnings import LogType, warn
from ipse.lockout.outcomes import Outcome, outcome_of
from ipse.lockout.service import limits_of
from ipse.settings import Settings

ERROR, REVIEW, TOLD = LogType.ERROR, LogType.WARNING, LogType.INFORMATION


def report(feature: Feature, *risks: tuple[str, LogType], score: float | None = 90.0) -> Report:
    warnings = tuple(warn(risk, "node", log_type=effect) for risk, effect in risks)
    return report_from_warnings(feature, "node", score=score, warnings=warnings, facts={})


LIVE = report(Feature.LIVENESS)
SAME = report(Feature.FACE_MATCH)
OTHER = report(Feature.FACE_MATCH, ("LOW_FACE_MATCH_SIMILARITY", ERROR), score=20.0)


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([LIVE, SAME], Outcome.RECOGNISED),
        ([LIVE, OTHER], Outcome.FAILED),
        ([report(Feature.LIVENESS, ("LIVENESS_FACE_ATTACK", ERROR))], Outcome.FAILED),
        ([report(Feature.LIVENESS, ("LIVENESS_FACE_ATTACK", ERROR), ("LOW_FACE_QUALITY", REVIEW))], Outcome.FAILED),
        ([report(Feature.LIVENESS, ("LOW_LIVENESS_SCORE", ERROR))], Outcome.FAILED),
        ([report(Feature.LIVENESS, ("CHALLENGE_NOT_COMPLETED", REVIEW))], Outcome.FAILED),
        ([report(Feature.AGE_ESTIMATION, ("FRAME_INJECTION_DETECTED", ERROR))], Outcome.FAILED),
    ],
)
def test_a_refused_face_counts_and_a_recognised_one_ends_the_run(reports: list[Report], outcome: Outcome) -> None:
    assert outcome_of(reports) is outcome


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [LIVE],
        [report(Feature.LIVENESS, ("LOW_FACE_LUMINANCE", ERROR))],
        [report(Feature.LIVENESS, ("NO_FACE_DETECTED", ERROR), score=None)],
        [report(Feature.LIVENESS, ("LOW_FACE_QUALITY", REVIEW), ("LOW_LIVENESS_SCORE", ERROR))],
        [report(Feature.LIVENESS, ("BASIC_REPLAY_SCREENING", REVIEW))],
        [report(Feature.LIVENESS, ("FACE_IN_ALLOWLIST", TOLD))],
        [report(Feature.AGE_ESTIMATION, ("AGE_BELOW_MINIMUM", ERROR))],
        [LIVE, report(Feature.FACE_MATCH, ("LOW_FACE_MATCH_SIMILARITY", REVIEW))],
        [LIVE, report(Feature.FACE_MATCH, ("NO_REFERENCE_IMAGE", ERROR), score=None)],
        [LIVE, report(Feature.FACE_MATCH, ("REFERENCE_ENROLLED_ON_FIRST_USE", TOLD), score=None)],
        [report(Feature.IP_ANALYSIS, ("IP_ADDRESS_IN_BLOCKLIST", ERROR))],
    ],
)
def test_a_dark_picture_a_review_or_an_enrolment_counts_for_nothing(reports: list[Report]) -> None:
    assert outcome_of(reports) is Outcome.NEITHER


def test_the_limits_are_those_of_the_settings_and_a_stop_never_comes_before_the_first_wait() -> None:
    limits = limits_of(Settings(lockout_failures_in_a_row=20, lockout_stop_after=5))
    assert (limits.in_a_row, limits.stop_after) == (20, 20)
    assert [(window.most, window.period.total_seconds()) for window in limits_of(Settings()).windows] == [
        (5, 300),
        (20, 3600),
        (50, 86_400),
    ]
