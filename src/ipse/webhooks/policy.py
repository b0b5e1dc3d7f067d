"""What follows from the outcome of one delivery attempt. Pure: clock and chance are arguments.

The delays and rules are explained in ``docs/webhooks.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(seconds=45),
    timedelta(minutes=3),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=24),
)
"""Wait before attempt 2, 3, ... 10: the contract's attempts after 1 and 4 minutes, then on to 2.3 days (W2)."""

JITTER: Final = 0.2
"""Each delay is stretched or shrunk by up to this share, so that a receiver that recovers is not hit by all at once."""

OVERLOAD_DELAY: Final = timedelta(seconds=60)
"""Least wait after 429 and after a timeout (W2)."""

_RETRIED_STATUSES: Final = frozenset({404, 408, 429})
_OVERLOAD_STATUSES: Final = frozenset({408, 429, 503})
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver answered. ``retry_after`` is the header's text, if it was sent."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came. ``retryable`` is false when time cannot help, such as for a forbidden address."""

    reason: str
    timed_out: bool = False
    retryable: bool = True


Outcome: TypeAlias = Answered | Unanswered


@dataclass(frozen=True, slots=True)
class Delivered:
    """Done."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Not yet; the next attempt is due at ``due``."""

    due: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Over. ``gone`` means that the receiver said it will never come back (410)."""

    gone: bool = False


Consequence: TypeAlias = Delivered | RetryAt | GiveUp


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The schedule of attempts: ``len(delays) + 1`` of them."""

    delays: tuple[timedelta, ...] = DELAYS

    def after(self, outcome: Outcome, *, attempts: int, now: datetime, chance: float) -> Consequence:
        """Return what follows from the outcome of attempt number ``attempts`` (from 1).

        2xx is success. 5xx, 404, 408, 429, timeouts and connection errors are tried again; every other answer is
        final, redirects included, because they are not followed.

        Args:
            chance: a number from 0 to 1 that decides the jitter.
        """
        if isinstance(outcome, Answered):
            if 200 <= outcome.status < 300:
                return Delivered()
            if outcome.status < 500 and outcome.status not in _RETRIED_STATUSES:
                return GiveUp(gone=outcome.status == 410)
        elif not outcome.retryable:
            return GiveUp()
        if attempts > len(self.delays):
            return GiveUp()
        return RetryAt(now + self._delay(outcome, self.delays[attempts - 1], now, chance))

    def _delay(self, outcome: Outcome, base: timedelta, now: datetime, chance: float) -> timedelta:
        overloaded = outcome.status in _OVERLOAD_STATUSES if isinstance(outcome, Answered) else outcome.timed_out
        if overloaded:
            base = max(base, OVERLOAD_DELAY)
        delay = base * (1 + JITTER * (2 * chance - 1))
        if isinstance(outcome, Answered):
            # The receiver may ask for more time, but neither for less than planned nor for more than twice of it.
            asked = _retry_after(outcome.retry_after, now)
            delay = max(delay, min(asked, 2 * base))
        return max(delay, OVERLOAD_DELAY) if overloaded else delay


@dataclass(frozen=True, slots=True)
class PausePolicy:
    """When a destination that only fails is paused (W4)."""

    failing_for: timedelta = timedelta(days=5)
    failures: int = 12

    def is_due(self, *, failing_since: datetime | None, failures: int, now: datetime) -> bool:
        """Return whether it has failed for long enough and often enough without one success."""
        return failing_since is not None and failures >= self.failures and now - failing_since >= self.failing_for

    def warning_is_due(self, *, failing_since: datetime | None, failures: int, now: datetime) -> bool:
        """Return whether half of the way to the pause is behind."""
        halfway = failing_since is not None and now - failing_since >= self.failing_for / 2
        return halfway and failures * 2 >= self.failures


def _retry_after(text: str | None, now: datetime) -> timedelta:
    """Return what a ``Retry-After`` header asks for: seconds or an HTTP date (RFC 9110, section 10.2.3)."""
    if text is None:
        return timedelta()
    if _SECONDS.fullmatch(text.strip()):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
