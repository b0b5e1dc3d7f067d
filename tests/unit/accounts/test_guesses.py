"""Wrong passwords: who must wait, and who never has to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from ipse.accounts import guesses
from ipse.accounts.errors import Locked
from ipse.clock import ManualClock
from ipse.runtime.services import Services
from ipse.security.lookup import LookupKey
from ipse.storage.counters import Counters

pytestmark = pytest.mark.anyio

HOME, ELSEWHERE = "198.51.100.1", "203.0.113.7"


@dataclass
class Parts:
    """What counting guesses needs of a process."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC)))
    lookup: LookupKey = field(default_factory=LookupKey.create)
    counters: Counters = field(default_factory=Counters)


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def wrong(parts: Parts, times: int, network: str = ELSEWHERE) -> None:
    for _ in range(times):
        await guesses.begin(cast("Services", parts), "ada@bank.dev", network)


async def right(parts: Parts, network: str) -> None:
    services = cast("Services", parts)
    await guesses.was_right(services, await guesses.begin(services, "ada@bank.dev", network))


async def test_guessing_elsewhere_does_not_lock_the_owner_of_an_account_out(parts: Parts) -> None:
    await right(parts, HOME)
    await wrong(parts, 5)
    with pytest.raises(Locked) as locked:
        await wrong(parts, 1)
    assert locked.value.headers["Retry-After"] == "900"
    await right(parts, HOME)


async def test_many_networks_together_slow_strangers_down_and_not_the_owner(parts: Parts) -> None:
    await right(parts, HOME)
    for n in range(12):
        await wrong(parts, 4, f"192.0.2.{n}")
        parts.clock.advance(timedelta(seconds=31))
    await wrong(parts, 1, "192.0.2.99")
    with pytest.raises(Locked) as slow:
        await wrong(parts, 1, "192.0.2.100")
    assert 0 < int(slow.value.headers["Retry-After"]) <= 30
    await right(parts, HOME)


async def test_the_right_password_ends_the_run_of_its_network(parts: Parts) -> None:
    await wrong(parts, 4)
    await right(parts, ELSEWHERE)
    await wrong(parts, 4)
    parts.clock.advance(timedelta(minutes=16))
    await wrong(parts, 1)
    with pytest.raises(Locked):
        await wrong(parts, 1)


@pytest.mark.parametrize(("failures", "seconds"), [(50, 1), (51, 2), (54, 16), (55, 30), (5000, 30)])
def test_the_slow_down_doubles_up_to_half_a_minute(failures: int, seconds: int) -> None:
    assert guesses.slowdown(failures) == timedelta(seconds=seconds)


async def test_wrong_codes_elsewhere_do_not_use_up_the_code(parts: Parts) -> None:
    services, sent_at = cast("Services", parts), parts.clock.now()

    async def guess(network: str) -> bool:
        return await guesses.may_guess_code(services, "ada@bank.dev", network, sent_at)

    assert [await guess(ELSEWHERE) for _ in range(6)] == [True] * 5 + [False]
    assert await guess(HOME)
