"""What 1:N screening guarantees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipse.checks.screening import Bands, FaceHit, ordered, screening_warnings, with_screening
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.warnings import Action, LogType

TWIN = FaceHit(
    face_id="face-1",
    similarity_percentage=90.0,
    source="session",
    session_id="session-1",
    session_number=7,
    status="Approved",
    vendor_data="other",
    media_id="media-1",
)
CLEAN = Report(Feature.LIVENESS, "feature_liveness", FeatureStatus.APPROVED, 96.0)


def codes(*hits: FaceHit) -> list[str]:
    return [warning.risk for warning in screening_warnings(hits, None)]


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        (61.99, []),
        (62.0, ["POSSIBLE_DUPLICATED_FACE"]),
        (67.99, ["POSSIBLE_DUPLICATED_FACE"]),
        (68.0, ["DUPLICATED_FACE"]),
    ],
)
def test_the_bands_separate_nothing_possible_and_certain(similarity: float, expected: list[str]) -> None:
    assert codes(replace(TWIN, similarity_percentage=similarity)) == expected


@pytest.mark.parametrize("status", ["Declined", "In Review", None])
def test_only_approved_sessions_make_duplicates(status: str | None) -> None:
    assert codes(replace(TWIN, status=status)) == []


def test_a_blocklist_hit_declines_whatever_the_workflow_says_and_beats_the_allowlist() -> None:
    blocked = replace(TWIN, is_blocklisted=True)
    allowed = replace(TWIN, face_id="face-2", is_allowlisted=True)
    screened = with_screening(CLEAN, (allowed, blocked), duplicate_action=Action.NO_ACTION)
    assert screened.status is FeatureStatus.DECLINED
    assert [warning.risk for warning in screened.warnings] == ["FACE_IN_BLOCKLIST"]
    assert screened.warnings[0].additional_data == {
        "blocklisted_session_id": "session-1",
        "blocklisted_session_number": 7,
        "api_service": None,
    }
    assert codes(replace(blocked, similarity_percentage=63.0)) == ["POSSIBLE_FACE_IN_BLOCKLIST"]


def test_an_allowlist_hit_suppresses_duplicates() -> None:
    assert codes(TWIN, replace(TWIN, face_id="face-2", is_allowlisted=True, similarity_percentage=80.0)) == []


def test_a_duplicate_informs_unless_the_workflow_wants_more() -> None:
    quiet = with_screening(CLEAN, (TWIN,))
    assert quiet.status is FeatureStatus.APPROVED
    assert quiet.warnings[0].log_type is LogType.INFORMATION
    assert with_screening(CLEAN, (TWIN,), duplicate_action=Action.REVIEW).status is FeatureStatus.IN_REVIEW
    assert with_screening(CLEAN, (TWIN,), bands=Bands(95.0, 99.0)).warnings == ()


def test_screening_never_improves_a_verdict_and_keeps_what_was_found_before() -> None:
    for status in FeatureStatus:
        assert with_screening(replace(CLEAN, status=status), (TWIN,)).status is status
    assert with_screening(CLEAN, (TWIN,)).facts["matches"] == [TWIN.to_json()]


def test_listed_faces_come_first_then_the_most_similar() -> None:
    close, far = replace(TWIN, face_id="close"), replace(TWIN, face_id="far", similarity_percentage=70.0)
    blocked = replace(far, face_id="blocked", is_blocklisted=True, similarity_percentage=65.0)
    allowed = replace(far, face_id="allowed", is_allowlisted=True, similarity_percentage=66.0)
    assert [hit.face_id for hit in ordered((far, close, allowed, blocked))] == ["blocked", "allowed", "close", "far"]
