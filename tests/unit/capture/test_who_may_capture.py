"""At every moment exactly one of the two devices of a hand-off may capture, or the first may take over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.capture.handoffs import IDLE, may_capture, state_of
from ipse.storage.tables import HandoffRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def handoff(
    state: str, *, seen_ago: timedelta | None = timedelta(0), left: timedelta = timedelta(minutes=1)
) -> HandoffRow:
    return HandoffRow(
        state=state,
        created_at=NOW - timedelta(hours=1),
        expires_at=NOW + left,
        last_seen_at=None if seen_ago is None else NOW - seen_ago,
    )


def test_without_a_handoff_the_first_device_captures() -> None:
    assert may_capture("first", None, NOW)
    assert not may_capture("second", None, NOW)


@pytest.mark.parametrize("state", ["offered", "opened", "ended"])
def test_until_the_numbers_are_confirmed_and_after_the_end_the_first_device_captures(state: str) -> None:
    assert may_capture("first", handoff(state), NOW)
    assert not may_capture("second", handoff(state), NOW)


def test_an_active_second_device_captures_alone() -> None:
    assert may_capture("second", handoff("active"), NOW)
    assert not may_capture("first", handoff("active"), NOW)


def test_a_silent_second_device_does_not_hold_the_session() -> None:
    silent = handoff("active", seen_ago=IDLE)
    assert may_capture("first", silent, NOW)
    assert may_capture("second", silent, NOW), "it may come back until the first one acts"
    assert may_capture("first", handoff("active", seen_ago=None), NOW)


@pytest.mark.parametrize(("state", "later"), [("offered", "ended"), ("opened", "ended"), ("active", "active")])
def test_a_link_runs_out_but_a_capture_in_progress_does_not(state: str, later: str) -> None:
    assert state_of(handoff(state), NOW) == state
    assert state_of(handoff(state, left=timedelta(0)), NOW) == later


@given(
    st.sampled_from(["offered", "opened", "active", "ended"]),
    st.timedeltas(timedelta(0), timedelta(minutes=10)),
    st.timedeltas(timedelta(minutes=-10), timedelta(minutes=10)),
)
def test_somebody_may_always_go_on(state: str, seen_ago: timedelta, left: timedelta) -> None:
    row = handoff(state, seen_ago=seen_ago, left=left)
    first, second = may_capture("first", row, NOW), may_capture("second", row, NOW)
    assert first or second
    assert not (first and second) or seen_ago >= IDLE
