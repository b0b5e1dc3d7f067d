"""What 1:N screening guarantees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipse.checks.screening import Bands, FaceHit, MismatchActions, ordered, screening_warnings, with_screening
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.settings import LivenessConfig
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


MISMATCHES = MismatchActions(name=Action.REVIEW, document=Action.NO_ACTION)
IMPOSTOR = replace(TWIN, has_other_name=True, has_other_birth_date=True)


def test_a_duplicate_under_another_name_or_birth_date_does_what_the_workflow_says() -> None:
    screened = with_screening(CLEAN, (IMPOSTOR,), mismatch_actions=MISMATCHES)
    assert [(one.risk, one.log_type) for one in screened.warnings] == [
        ("DUPLICATED_FACE", LogType.INFORMATION),
        ("DUPLICATED_FACE_NAME_MISMATCH", LogType.WARNING),
        ("DUPLICATED_FACE_DOCUMENT_MISMATCH", LogType.INFORMATION),
    ]
    assert screened.warnings[1].additional_data == screened.warnings[0].additional_data
    assert screened.status is FeatureStatus.IN_REVIEW


@pytest.mark.parametrize("similarity", [62.0, 90.0])
def test_no_duplicate_declines_unless_the_workflow_says_so(similarity: float) -> None:
    """Neither by default nor with any action but DECLINE."""
    hit = replace(IMPOSTOR, similarity_percentage=similarity)
    config = LivenessConfig.read({}, "feature_liveness")
    default = MismatchActions(
        name=config.action("DUPLICATED_FACE_NAME_MISMATCH"), document=config.action("DUPLICATED_FACE_DOCUMENT_MISMATCH")
    )
    duplicate = config.action("POSSIBLE_DUPLICATED_FACE")
    assert Action.DECLINE not in {duplicate, default.name, default.document}
    screened = with_screening(CLEAN, (hit,), duplicate_action=duplicate, mismatch_actions=default)
    assert screened.status is not FeatureStatus.DECLINED
    wanted = with_screening(CLEAN, (hit,), duplicate_action=Action.DECLINE)
    assert wanted.status is FeatureStatus.DECLINED


def test_a_merely_possible_duplicate_says_nothing_about_names() -> None:
    hit = replace(IMPOSTOR, similarity_percentage=67.0)
    found = screening_warnings((hit,), None, mismatch_actions=MISMATCHES)
    assert [one.risk for one in found] == ["POSSIBLE_DUPLICATED_FACE"]


def test_calls_without_a_workflow_do_not_compare_names() -> None:
    assert codes(IMPOSTOR) == ["DUPLICATED_FACE"]


def test_screening_never_improves_a_verdict_and_keeps_what_was_found_before() -> None:
    for status in FeatureStatus:
        assert with_screening(replace(CLEAN, status=status), (TWIN,)).status is status
    assert with_screening(CLEAN, (TWIN,)).facts["matches"] == [TWIN.to_json()]


def test_listed_faces_come_first_then_the_most_similar() -> None:
    close, far = replace(TWIN, face_id="close"), replace(TWIN, face_id="far", similarity_percentage=70.0)
    blocked = replace(far, face_id="blocked", is_blocklisted=True, similarity_percentage=65.0)
    allowed = replace(far, face_id="allowed", is_allowlisted=True, similarity_percentage=66.0)
    assert [hit.face_id for hit in ordered((far, close, allowed, blocked))] == ["blocked", "allowed", "close", "far"]
