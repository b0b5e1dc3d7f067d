"""Request limits: the sliding window, its headers, and counting when the shared store is away."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ipse.edge.errors import TooManyRequests
from ipse.edge.limits import Bucket, RequestLimits, wait_s
from ipse.security.lookup import LookupKey
from ipse.storage.counters import Counters, ProcessCounters, Taken, open_counters
from ipse.storage.counters_in_sqlite import SqliteCounters

pytestmark = pytest.mark.anyio

LOOKUP = LookupKey.create()
TEN = Bucket("ten", "10/minute", "Slow down.")
BLOCKS = Bucket("blocks", "100/minute", "Slow down.", block=20)
MINUTE = 60 * 29_000_000
"""Seconds since 1970 at which a minute begins."""


class Time:
    def __init__(self) -> None:
        self.now = float(MINUTE)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["process", "file"])
def counters(request: pytest.FixtureRequest, tmp_path: Path) -> Counters:
    return Counters() if request.param == "process" else open_counters("sqlite+aiosqlite:///x", tmp_path)


async def spend(limits: RequestLimits, bucket: Bucket, times: int, key: str = "key") -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(times):
        headers = await limits.hit(bucket, key)
    return headers


async def test_the_headers_tell_limit_what_remains_and_when_it_starts_anew(counters: Counters, time: Time) -> None:
    limits = RequestLimits(counters, LOOKUP, now=time)
    time.now += 12.5
    assert await spend(limits, TEN, 3) == {
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "7",
        "X-RateLimit-Reset": str(MINUTE + 60),
    }


async def test_the_request_beyond_the_limit_is_refused_and_told_when_to_come_back(
    counters: Counters, time: Time
) -> None:
    limits = RequestLimits(counters, LOOKUP, now=time)
    await spend(limits, TEN, 10)
    time.now += 30
    with pytest.raises(TooManyRequests) as refused:
        await limits.hit(TEN, "key")
    assert refused.value.headers == {
        "Retry-After": "36",  # the minute ends in 30 s, and of its ten requests one has slid away 6 s later
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(MINUTE + 66),
    }
    time.now += 36
    await limits.hit(TEN, "key")
    with pytest.raises(TooManyRequests):
        await limits.hit(TEN, "key")


async def test_a_refused_request_costs_nothing(counters: Counters, time: Time) -> None:
    limits = RequestLimits(counters, LOOKUP, now=time)
    await spend(limits, TEN, 10)
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            await limits.hit(TEN, "key")
    time.now += 60 + 30
    await spend(limits, TEN, 5)


async def test_two_minutes_never_grant_twice_the_limit_within_one(counters: Counters, time: Time) -> None:
    limits = RequestLimits(counters, LOOKUP, now=time)
    time.now += 59
    await spend(limits, TEN, 10)
    time.now += 2
    with pytest.raises(TooManyRequests):
        await limits.hit(TEN, "key")


async def test_keys_and_buckets_do_not_share_a_count(counters: Counters, time: Time) -> None:
    limits = RequestLimits(counters, LOOKUP, now=time)
    await spend(limits, TEN, 10)
    assert (await limits.hit(TEN, "other"))["X-RateLimit-Remaining"] == "9"
    assert (await limits.hit(Bucket("another", "10/minute", "."), "key"))["X-RateLimit-Remaining"] == "9"


async def test_blocks_never_grant_more_than_the_limit_to_all_processes_together(tmp_path: Path, time: Time) -> None:
    stores = [Counters(SqliteCounters(tmp_path / "counters.sqlite3")) for _ in range(2)]
    one, two = (RequestLimits(store, LOOKUP, now=time) for store in stores)
    granted = 0
    for n in range(300):
        try:
            await (one if n % 3 else two).hit(BLOCKS, "key")
        except TooManyRequests:
            continue
        granted += 1
    assert granted == 100
    for store in stores:
        await store.close()


async def test_a_block_tells_what_remains(time: Time) -> None:
    limits = RequestLimits(Counters(), LOOKUP, now=time)
    assert (await limits.hit(BLOCKS, "key"))["X-RateLimit-Remaining"] == "99"
    assert (await limits.hit(BLOCKS, "key"))["X-RateLimit-Remaining"] == "98"
    time.now += 60
    await limits.hit(BLOCKS, "key")


async def test_switched_off_nothing_is_counted(time: Time) -> None:
    assert await spend(RequestLimits(Counters(), LOOKUP, enabled=False, now=time), TEN, 50) == {}


class Broken(ProcessCounters):
    async def take(self, key: str, window: int, *, amount: int, limit: int, share: float, expires_at: float) -> Taken:
        raise sqlite3.OperationalError("disk I/O error")


async def test_a_store_that_fails_takes_no_request_down_and_limits_still_hold(time: Time) -> None:
    limits = RequestLimits(Counters(Broken()), LOOKUP, now=time)
    await spend(limits, TEN, 10)
    with pytest.raises(TooManyRequests):
        await limits.hit(TEN, "key")


def contents_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_no_key_is_readable_in_the_file(tmp_path: Path, time: Time) -> None:
    counters = open_counters("sqlite+aiosqlite:///x", tmp_path)
    await RequestLimits(counters, LOOKUP, now=time).hit(TEN, "203.0.113.77")
    await counters.close()
    assert b"203.0.113.77" not in contents_of(tmp_path)


async def test_tallies_count_expire_and_are_forgotten(counters: Counters) -> None:
    assert [await counters.add("k", now=10, expires_at=20) for _ in range(3)] == [1, 2, 3]
    known = await counters.read("k", now=19)
    assert known is not None
    assert (known.count, known.expires_at) == (3, 20)
    assert await counters.read("k", now=20) is None
    assert await counters.add("k", now=21, expires_at=30) == 1
    await counters.forget("k")
    assert await counters.read("k", now=21) is None
    await counters.add("k", now=21, expires_at=30)
    await counters.prune(31)
    assert await counters.read("k", now=21) is None
    await counters.close()


@pytest.mark.parametrize(
    ("taken", "elapsed_s", "expected"),
    [
        (Taken(False, 0, 10), 0, 6),  # nine tenths of the minute before have to be left
        (Taken(False, 4, 10), 24, 6),
        (Taken(False, 10, 0), 0, 66),
        (Taken(False, 9, 10), 59, 1),
    ],
)
def test_the_wait_is_as_long_as_it_takes_until_one_more_fits(taken: Taken, elapsed_s: float, expected: float) -> None:
    assert wait_s(taken, 10, elapsed_s, 60) == pytest.approx(expected)
