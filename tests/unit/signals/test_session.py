"""The signals of the camera and of the session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.signals.camera import CameraObserved, of_camera
from ipse.signals.session import STAGES, SessionFacts, of_session

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)  # a Sunday
FULL = SessionFacts(
    now=NOW,
    created_at=NOW - timedelta(minutes=10),
    opened_at=NOW - timedelta(minutes=4),
    expires_at=NOW + timedelta(hours=1),
    attempts=2,
    challenges=1,
    handoffs=1,
    has_subject=True,
    has_reference=True,
    action={"type": "transfer", "amount": "1250.5"},
    durations_ms=dict.fromkeys(STAGES, 1.5),
)
CAMERA = CameraObserved(
    label="FaceTime HD Camera",
    facing="user",
    width=1280,
    height=720,
    frame_rate=30.0,
    video_width=1280,
    video_height=720,
    cameras=2,
    frame_times_ms=(0.0, 33.0, 66.0, 166.0),
    stills_at_ms=(10.0, 510.0),
    is_automatic=True,
)


def test_every_listed_signal_of_session_and_camera_is_computed_and_fits_the_catalogue() -> None:
    values = {**of_session(FULL), **of_camera(CAMERA)}
    assert problems_of(values) == ()
    groups = {"session", "timing", "camera"}
    assert {code for code, signal in SIGNALS.items() if signal.group in groups} == set(values)


def test_times_are_counted_from_creation_and_opening() -> None:
    values = of_session(FULL)
    assert values["session.seconds_to_open"] == 360.0
    assert values["session.seconds_since_open"] == 240.0
    assert values["session.seconds_left"] == 3600.0
    assert (values["session.utc_hour"], values["session.utc_weekday"]) == (14, 7)


def test_a_clock_that_was_set_back_gives_zero_and_no_negative_time() -> None:
    values = of_session(SessionFacts(now=NOW, created_at=NOW, opened_at=NOW - timedelta(hours=1), expires_at=NOW))
    assert values["session.seconds_to_open"] == 0.0


def test_a_session_that_nobody_opened_has_no_opening_times() -> None:
    values = of_session(SessionFacts(now=NOW, created_at=NOW, opened_at=None, expires_at=NOW))
    assert "session.seconds_to_open" not in values
    assert values["session.has_action"] is False
    assert "session.action_amount" not in values


@pytest.mark.parametrize(("amount", "number"), [("1250.50", 1250.5), (12, 12.0), ("many", None), (None, None)])
def test_an_amount_is_a_number_for_rules(amount: str | int | None, number: float | None) -> None:
    facts = SessionFacts(now=NOW, created_at=NOW, opened_at=None, expires_at=NOW, action={"amount": amount})
    assert of_session(facts).get("session.action_amount") == number


def test_intervals_are_those_of_the_frames() -> None:
    values = of_camera(CAMERA)
    assert values["camera.median_interval_ms"] == 33.0
    assert values["camera.longest_gap_ms"] == 100.0
    assert values["camera.measured_frame_rate"] == 30.3
    assert values["camera.burst_ms"] == 500.0
    assert values["camera.is_portrait"] is False


def test_a_camera_that_tells_nothing_is_told_as_such() -> None:
    assert of_camera(CameraObserved()) == {"camera.has_label": False}


def test_frames_that_came_all_at_once_have_no_rate() -> None:
    assert of_camera(CameraObserved(frame_times_ms=(5.0, 5.0, 5.0)))["camera.measured_frame_rate"] == 0.0
