"""What follows from a delivery attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.webhooks.policy import (
    DELAYS,
    OVERLOAD_DELAY,
    Answered,
    Delivered,
    GiveUp,
    Outcome,
    PausePolicy,
    RetryAt,
    RetryPolicy,
    Unanswered,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = RetryPolicy()


def after(outcome: Outcome, attempts: int = 1, chance: float = 0.5) -> object:
    return POLICY.after(outcome, attempts=attempts, now=NOW, chance=chance)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(status: int) -> None:
    assert after(Answered(status)) == Delivered()


@pytest.mark.parametrize(
    "outcome", [Answered(s) for s in (404, 500, 502, 504, 599)] + [Unanswered("CONNECTION_FAILED")]
)
def test_server_errors_404_and_broken_connections_are_tried_again_after_five_seconds(outcome: Outcome) -> None:
    assert after(outcome) == RetryAt(NOW + timedelta(seconds=5))


@pytest.mark.parametrize(
    "outcome", [Answered(408), Answered(429), Answered(503), Unanswered("TIMEOUT", timed_out=True)]
)
def test_an_overloaded_receiver_is_left_alone_for_a_minute(outcome: Outcome) -> None:
    assert after(outcome, chance=0) == RetryAt(NOW + OVERLOAD_DELAY)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 405, 409, 413, 422])
def test_other_answers_and_redirects_are_final(status: int) -> None:
    assert after(Answered(status)) == GiveUp()


def test_410_ends_the_delivery_and_the_destination() -> None:
    assert after(Answered(410)) == GiveUp(gone=True)


def test_what_time_cannot_help_is_final() -> None:
    assert after(Unanswered("ADDRESS_FORBIDDEN", retryable=False)) == GiveUp()


def test_the_contracts_attempts_after_one_and_four_minutes_are_kept_and_exceeded() -> None:
    due = [sum(DELAYS[:n], timedelta()) for n in range(1, len(DELAYS) + 1)]
    assert due[1] <= timedelta(minutes=1)
    assert due[2] <= timedelta(minutes=5)
    assert due[-1] >= timedelta(days=2)


def test_attempts_end_with_the_schedule() -> None:
    assert isinstance(after(Answered(500), attempts=len(DELAYS)), RetryAt)
    assert after(Answered(500), attempts=len(DELAYS) + 1) == GiveUp()


@given(st.integers(1, len(DELAYS)), st.floats(0, 1))
def test_jitter_stays_within_a_fifth(attempts: int, chance: float) -> None:
    consequence = after(Answered(500), attempts, chance)
    assert isinstance(consequence, RetryAt)
    base = DELAYS[attempts - 1]
    assert base * 0.8 <= consequence.due - NOW <= base * 1.2


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ("1", 5),  # less than planned
        ("8", 8),
        ("100000", 10),  # at most twice the plan
        ("999999999999", 5),
        ("Sun, 22 Nov 2026 12:00:07 GMT", 7),
        ("Sun, 22 Nov 2026 12:00:07 -0000", 7),
        ("Sun, 22 Nov 2020 12:00:00 GMT", 5),
        ("soon", 5),
        ("-3", 5),
        (None, 5),
    ],
)
def test_retry_after_is_honoured_between_the_plan_and_twice_the_plan(header: str | None, delay: int) -> None:
    assert after(Answered(500, header)) == RetryAt(NOW + timedelta(seconds=delay))


def test_a_destination_is_paused_after_days_of_nothing_but_failure() -> None:
    policy = PausePolicy()
    since = NOW - timedelta(days=5)
    assert policy.is_due(failing_since=since, failures=12, now=NOW)
    assert not policy.is_due(failing_since=since, failures=11, now=NOW)
    assert not policy.is_due(failing_since=since + timedelta(seconds=1), failures=99, now=NOW)
    assert not policy.is_due(failing_since=None, failures=99, now=NOW)


def test_the_operator_is_warned_at_half_of_the_way() -> None:
    policy = PausePolicy()
    since = NOW - timedelta(days=2.5)
    assert policy.warning_is_due(failing_since=since, failures=6, now=NOW)
    assert not policy.warning_is_due(failing_since=since, failures=5, now=NOW)
    assert not policy.warning_is_due(failing_since=None, failures=50, now=NOW)
