"""How often a step may be repeated."""

from __future__ import annotations

import pytest

from ipse.checks.steps import may_try_again, tries
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode
from ipse.decision.lockout import MOST_TRIES

LIVENESS = FeatureNode("live", Feature.LIVENESS, {"face_liveness_max_attempts": 3}, "next")


@pytest.mark.parametrize(
    ("attempts", "submissions"),
    [
        ([], 0),
        ([(Feature.LIVENESS, 2)], 2),
        ([(Feature.LIVENESS, 3), (Feature.FACE_MATCH, 2)], 3),
        ([(Feature.LIVENESS, 2), (Feature.AGE_ESTIMATION, 3), (Feature.FACE_MATCH, 1)], 5),
        ([(Feature.FACE_MATCH, 2), (Feature.IP_ANALYSIS, 4)], 2),
    ],
)
def test_a_submission_counts_once_however_many_steps_judge_it(
    attempts: list[tuple[Feature, int]], submissions: int
) -> None:
    assert tries(attempts) == submissions


def test_a_session_takes_five_submissions_whatever_its_workflow_grants() -> None:
    assert MOST_TRIES == 5
    assert may_try_again(LIVENESS, 1, 4)
    assert not may_try_again(LIVENESS, 1, 5)
    assert not may_try_again(LIVENESS, 3, 3)
