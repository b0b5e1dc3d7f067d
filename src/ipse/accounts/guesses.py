"""Wrong passwords and codes: who must wait, so that guessing is slow and nobody can lock another person out.

Failures are counted by e-mail address *and* network first: five of them lock that network out of that account, and
nobody else. Guesses from many networks together slow everybody down a little, except networks from which the account
was signed in to lately. Addresses that have no account are counted in the same way, so a refusal tells nothing.

The counts are those of :mod:`ipse.storage.counters`: shared by all processes, lost when PostgreSQL crashes, which
grants a guesser five more tries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ipse.accounts.errors import Locked
from ipse.runtime.services import Services

LOCKOUTS: Final = ((20, timedelta(hours=24)), (10, timedelta(hours=1)), (5, timedelta(minutes=15)))
"""Failures in a row from one network -> how long it is locked out of the account (contract 70, section 1)."""
REMEMBERED: Final = timedelta(days=1)
"""A run of failures from one network ends so long after the last of them."""
SLOW_FROM: Final = 50
"""Failures from everywhere within an hour of one another, from which on each makes everybody wait."""
SLOW_WINDOW: Final = timedelta(hours=1)
LONGEST_SLOWDOWN: Final = timedelta(seconds=30)
"""Our choice: 2,880 guesses a day at most, and a person who waits half a minute is let in."""
KNOWN_FOR: Final = timedelta(days=30)
MOST_CODES: Final = 5
"""Guesses of one code from one network."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A password that is being tried: the keys under which it counts, and what follows if it is wrong."""

    pair: str
    lock: str
    everywhere: str
    slowdown: str
    known: str
    failures: int = 1
    """In a row from this network, this one included."""
    locked_until: datetime | None = None


async def begin(services: Services, email: str, network: str) -> Guess:
    """Count a try before the password is checked, so that many at once buy no more; :func:`was_right` takes it back.

    Raises:
        Locked: not now. The try is not counted, and the password not looked at.
    """
    guess = _guess(services, email, network)
    now = services.clock.now()
    await _require_unlocked(services, guess, now)
    failures = await _add(services, guess.pair, now, REMEMBERED)
    await _require_unlocked(services, guess, now)  # by another try of this moment
    until = lock_after(failures, now)
    if until is not None:
        await _add(services, guess.lock, now, until - now)
    everywhere = await _add(services, guess.everywhere, now, SLOW_WINDOW)
    if everywhere >= SLOW_FROM:
        await _add(services, guess.slowdown, now, slowdown(everywhere))
    return replace(guess, failures=failures, locked_until=until)


async def was_right(services: Services, guess: Guess) -> None:
    """The password was the right one: this network starts anew, and is known from now on."""
    now = services.clock.now()
    for key in (guess.pair, guess.lock):
        await services.counters.forget(key)
    await _add(services, guess.known, now, KNOWN_FOR)


async def may_guess_code(services: Services, email: str, network: str, sent_at: datetime) -> bool:
    """Count a try at the code that was sent at ``sent_at``; False when this network has had its tries at it."""
    key = services.lookup.tag("guess-code", email, network, sent_at.isoformat())
    return await _add(services, key, services.clock.now(), REMEMBERED) <= MOST_CODES


def lock_after(failures: int, now: datetime) -> datetime | None:
    """Until when a network is locked out after this many failures in a row; None = not at all.

    A failure that reaches a step locks for the step's time; beyond the last step every failure locks again.
    """
    for step, duration in LOCKOUTS:
        if failures == step or (failures > step and step == LOCKOUTS[0][0]):
            return now + duration
    return None


def slowdown(failures: int) -> timedelta:
    """How long everybody waits after this many failures from everywhere: 1 s, doubling up to 30 s."""
    return min(timedelta(seconds=2 ** min(max(0, failures - SLOW_FROM), 5)), LONGEST_SLOWDOWN)


def _guess(services: Services, email: str, network: str) -> Guess:
    tag = services.lookup.tag
    return Guess(
        pair=tag("sign-in", email, network),
        lock=tag("sign-in-lock", email, network),
        everywhere=tag("sign-in-everywhere", email),
        slowdown=tag("sign-in-slowdown", email),
        known=tag("sign-in-known", email, network),
    )


async def _require_unlocked(services: Services, guess: Guess, now: datetime) -> None:
    instant = now.timestamp()
    lock = await services.counters.read(guess.lock, now=instant)
    if lock is None and await services.counters.read(guess.known, now=instant) is None:
        lock = await services.counters.read(guess.slowdown, now=instant)
    if lock is not None:
        raise Locked(math.ceil(lock.expires_at - instant))


async def _add(services: Services, key: str, now: datetime, lifetime: timedelta) -> int:
    return await services.counters.add(key, now=now.timestamp(), expires_at=(now + lifetime).timestamp())
