"""When a face may be tried again: the rules of lock-out, without a database or a clock (decision 0021).

Failures are kept in *budgets*. Each device on which a person was approved has one of its own; all other devices share
one. What somebody does on a device of theirs therefore never fills the budget of a device of the person's.

Numbers: NIST SP 800-63B-4 section 3.2.3 (a delay of 30 s or more from the tenth failure in a row on, a stop at 50) and
the second-factor limits of a large package index (5 in 5 minutes, 20 an hour, 50 a day; 10 in 5 minutes for an
address), as research/RELIABILITY.md section 4 puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MOST_TRIES: Final = 5
"""Submissions that one session takes at most, whatever its workflow grants."""
OTHER_DEVICES: Final = ""
"""The budget that all devices share on which the person was never approved."""


class Why(StrEnum):
    """Which limit was reached."""

    FAILURES_IN_A_ROW = "failures_in_a_row"
    TOO_MANY_FAILURES = "too_many_failures"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``most`` failures within ``period``."""

    most: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may fail. ``stop_after`` is not below ``in_a_row``."""

    in_a_row: int = 10
    first_delay: timedelta = timedelta(seconds=30)
    longest_delay: timedelta = timedelta(minutes=15)
    stop_after: int = 50
    windows: tuple[Window, ...] = (
        Window(5, timedelta(minutes=5)),
        Window(20, timedelta(hours=1)),
        Window(50, timedelta(days=1)),
    )
    per_address: Window = Window(10, timedelta(minutes=5))


@dataclass(frozen=True, slots=True)
class Run:
    """Failures in a row of a budget, and what follows from them."""

    failures: int = 0
    locked_until: datetime | None = None
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Attempts:
    """When attempts failed lately: in the budget, and at the address. In any order, none later than now."""

    of_budget: Sequence[datetime] = ()
    at_address: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """A face may be shown."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before ``until``."""

    until: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not until somebody lifts it."""

    why: Why


Allowance = Allowed | Wait | Stopped


def budget_of(device: str | None, *, is_trusted: bool) -> str:
    """The budget of a device: its own where the person was approved on it, else the one that others share."""
    return device if device and is_trusted else OTHER_DEVICES


def decide(attempts: Attempts, run: Run, now: datetime, limits: Limits, *, budget: str = OTHER_DEVICES) -> Allowance:
    """Whether a face may be tried at ``now``; of several limits the one that lasts longest is told.

    The limit of addresses is not one for a device of the person's: strangers may share its network.
    """
    if run.is_stopped:
        return Stopped(Why.FAILURES_IN_A_ROW)
    waits = [Wait(end, Why.TOO_MANY_FAILURES) for end in _ends(attempts.of_budget, limits.windows)]
    if budget == OTHER_DEVICES:
        waits += [Wait(end, Why.ADDRESS) for end in _ends(attempts.at_address, (limits.per_address,))]
    if run.locked_until is not None:
        waits.append(Wait(run.locked_until, Why.FAILURES_IN_A_ROW))
    pending = [wait for wait in waits if wait.until > now]
    return max(pending, key=lambda wait: wait.until) if pending else Allowed()


def after_failure(run: Run, now: datetime, limits: Limits) -> Run:
    """The run with one more failure: from ``in_a_row`` on with a delay that doubles, from ``stop_after`` on stopped."""
    failures = run.failures + 1
    doublings = failures - limits.in_a_row
    if doublings < 0:
        return replace(run, failures=failures)
    # 2^10 times any delay of a second or more is beyond the longest one; larger powers would overflow a timedelta.
    delay = min(limits.first_delay * 2 ** min(doublings, 10), limits.longest_delay)
    return Run(failures, now + delay, run.is_stopped or failures >= limits.stop_after)


def after_pass(run: Run) -> Run:
    """The run after the person was recognised: nothing is left of it, unless it is stopped."""
    return run if run.is_stopped else Run()


def _ends(failures: Sequence[datetime], windows: Iterable[Window]) -> Iterable[datetime]:
    """For each window that is full at some time: until when the latest failures fill it."""
    latest_first = sorted(failures, reverse=True)
    for window in windows:
        if len(latest_first) >= window.most:
            yield latest_first[window.most - 1] + window.period
