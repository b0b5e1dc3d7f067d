"""The rules of lock-out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.lockout import (
    OTHER_DEVICES,
    Allowance,
    Allowed,
    Attempts,
    Limits,
    Run,
    Stopped,
    Wait,
    Why,
    after_failure,
    after_pass,
    budget_of,
    decide,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIMITS = Limits()
OWN = "device-of-the-victim"


@dataclass
class Ledger:
    """One person's budgets, as the tables keep them."""

    failed: dict[str, list[datetime]] = field(default_factory=dict)
    at_address: dict[str, list[datetime]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    def allowance(self, budget: str, address: str, now: datetime) -> Allowance:
        attempts = Attempts(self.failed.get(budget, ()), self.at_address.get(address, ()))
        return decide(attempts, self.runs.get(budget, Run()), now, LIMITS, budget=budget)

    def fail(self, budget: str, address: str, now: datetime) -> None:
        self.failed.setdefault(budget, []).append(now)
        self.at_address.setdefault(address, []).append(now)
        self.runs[budget] = after_failure(self.runs.get(budget, Run()), now, LIMITS)


def run_of(failures: int, now: datetime = NOW) -> Run:
    run = Run()
    for _ in range(failures):
        run = after_failure(run, now, LIMITS)
    return run


def ago(*seconds: int) -> list[datetime]:
    return [NOW - timedelta(seconds=one) for one in seconds]


def test_nothing_failed_means_nothing_is_refused() -> None:
    assert decide(Attempts(), Run(), NOW, LIMITS) == Allowed()


@pytest.mark.parametrize(
    ("failures", "delay_s"), [(9, None), (10, 30), (11, 60), (12, 120), (14, 480), (15, 900), (16, 900), (49, 900)]
)
def test_from_the_tenth_failure_in_a_row_on_each_costs_twice_the_wait_up_to_15_minutes(
    failures: int, delay_s: int | None
) -> None:
    allowance = decide(Attempts(), run_of(failures), NOW, LIMITS)
    if delay_s is None:
        assert allowance == Allowed()
    else:
        assert allowance == Wait(NOW + timedelta(seconds=delay_s), Why.FAILURES_IN_A_ROW)
        assert decide(Attempts(), run_of(failures), NOW + timedelta(seconds=delay_s), LIMITS) == Allowed()


def test_fifty_failures_in_a_row_stop_until_somebody_lifts_it() -> None:
    run = run_of(50)
    assert decide(Attempts(), run, NOW + timedelta(days=3650), LIMITS) == Stopped(Why.FAILURES_IN_A_ROW)
    assert after_failure(run, NOW, LIMITS).is_stopped
    assert after_pass(run) == run


def test_recognising_the_person_ends_the_run() -> None:
    assert after_pass(run_of(30)) == Run()


@pytest.mark.parametrize(("most", "seconds"), [(5, 300), (20, 3600), (50, 86_400)])
def test_five_in_five_minutes_twenty_an_hour_fifty_a_day(most: int, seconds: int) -> None:
    oldest = seconds - 10
    failures = ago(*[oldest - n for n in range(most)])
    assert decide(Attempts(failures[:-1]), Run(), NOW, LIMITS) == Allowed()
    expected = Wait(NOW + timedelta(seconds=10), Why.TOO_MANY_FAILURES)
    assert decide(Attempts(failures), Run(), NOW, LIMITS) == expected
    assert decide(Attempts(failures), Run(), expected.until, LIMITS) == Allowed()


def test_an_address_is_slowed_down_whoever_is_tried_from_it() -> None:
    failures = ago(*range(1, 11))
    refused = Wait(NOW + timedelta(seconds=290), Why.ADDRESS)
    assert decide(Attempts(at_address=failures), Run(), NOW, LIMITS) == refused
    assert decide(Attempts(at_address=failures), Run(), NOW, LIMITS, budget=OWN) == Allowed()


def test_of_several_limits_the_longest_is_told() -> None:
    attempts = Attempts(ago(1, 2, 3, 4, 5), ago(*range(100, 110)))
    assert decide(attempts, run_of(15), NOW, LIMITS) == Wait(NOW + timedelta(minutes=15), Why.FAILURES_IN_A_ROW)


@pytest.mark.parametrize(
    ("device", "is_trusted", "budget"),
    [(OWN, True, OWN), (OWN, False, OTHER_DEVICES), (None, True, OTHER_DEVICES), (None, False, OTHER_DEVICES)],
)
def test_only_a_device_on_which_the_person_was_approved_has_a_budget_of_its_own(
    device: str | None, is_trusted: bool, budget: str
) -> None:
    assert budget_of(device, is_trusted=is_trusted) == budget


attacks = st.lists(
    st.tuples(
        st.integers(0, 4000),  # seconds since the attempt before
        st.sampled_from([None, "stolen-fingerprint", "other-1", "other-2", OWN]),  # what the attacker's device claims
        st.sampled_from(["attacker", "shared-with-the-victim"]),
    ),
    max_size=120,
)


@given(attacks)
def test_no_sequence_of_attempts_elsewhere_locks_the_persons_own_device(
    attack: list[tuple[int, str | None, str]],
) -> None:
    ledger, now = Ledger(), NOW
    for seconds, claimed, address in attack:
        now += timedelta(seconds=seconds)
        elsewhere = budget_of(claimed, is_trusted=False)  # trust follows the secret that only the own device keeps
        if ledger.allowance(elsewhere, address, now) == Allowed():
            ledger.fail(elsewhere, address, now)
        assert ledger.allowance(budget_of(OWN, is_trusted=True), "shared-with-the-victim", now) == Allowed()


@given(st.lists(st.integers(0, 900), min_size=1, max_size=400))
def test_patience_never_buys_more_than_fifty_failures_on_unknown_devices(pauses: list[int]) -> None:
    ledger, now, failed = Ledger(), NOW, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        if ledger.allowance(OTHER_DEVICES, "attacker", now) == Allowed():
            ledger.fail(OTHER_DEVICES, "attacker", now)
            failed += 1
    assert failed <= LIMITS.stop_after
