"""Request limits of the contract (file 00, "Rate limits"), counted per key by all processes of an installation.

The window slides: what counts is the present minute and, weighted by how much of it lies within the last 60 seconds,
the one before. Two numbers a key are enough for that, and a refused request costs nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem, parse

from ipse.edge.errors import TooManyRequests
from ipse.security.lookup import LookupKey
from ipse.storage.counters import Counters, Taken


@dataclass(frozen=True, slots=True)
class Bucket:
    """A named limit. ``announce`` = send ``X-RateLimit-*`` headers with the refusal.

    ``block``: how many requests a process takes from the shared count at once, to spend them by itself.
    """

    name: str
    limit: str
    message: str
    announce: bool = True
    block: int = 1


READ = Bucket("read", "600/minute", "Too many read requests. Please slow down.")
WRITE = Bucket("write", "300/minute", "Too many write requests. Please slow down.")
CREATE_SESSION = Bucket("create-session", "600/minute", "Too many sessions were created. Please slow down.")
SANDBOX_CREATE = Bucket(
    "sandbox-create", "500/day", "A sandbox application may create 500 sessions in 24 hours.", announce=False
)
PRE_CHECK = Bucket("pre-check", "12000/minute", "Too many risk checks. Please slow down.", block=60)
"""Risk calls and policy evaluations: asked before every action, 200 a second. Ours, the contract has no number.

Taken in blocks: what a process has not spent when the minute ends is lost, at most half a percent of the limit."""
OPEN_LINK = Bucket("open-link", "30/minute", "Too many links were opened from your address. Please wait a minute.")
"""Links that work without any credential; counted by address. Ours, the contract has no number for them."""

_MOST_HELD: Final = 10_000
"""Keys for which a process keeps a block."""


@dataclass(slots=True)
class _Block:
    """Requests that were taken and not spent yet, and how many the window held when they were taken."""

    window: int
    unspent: int
    remaining: int


class RequestLimits:
    """Counts requests; keys reach the store as digests, for some of them are addresses."""

    def __init__(
        self, counters: Counters, lookup: LookupKey, *, enabled: bool = True, now: Callable[[], float] = time.time
    ) -> None:
        self._enabled = enabled
        self._counters = counters
        self._lookup = lookup
        self._now = now
        self._items: dict[str, RateLimitItem] = {}
        self._blocks: dict[tuple[str, str], _Block] = {}

    async def hit(self, bucket: Bucket, key: str) -> dict[str, str]:
        """Count one request and return its headers; raise :class:`TooManyRequests` beyond the limit."""
        if not self._enabled:
            return {}
        item = self._items.setdefault(bucket.limit, parse(bucket.limit))
        now, period = self._now(), item.get_expiry()
        window = int(now // period)
        remaining = self._spend(bucket, key, window)
        if remaining is None:
            taken = await self._take(bucket, key, window, item.amount, now / period - window, period)
            if not taken.granted:
                raise _refusal(bucket, item.amount, taken, now, window, period)
            remaining = self._remember(bucket, key, window, item.amount, taken, now / period - window)
        return _headers(item.amount, remaining, (window + 1) * period) if bucket.announce else {}

    def _spend(self, bucket: Bucket, key: str, window: int) -> int | None:
        block = self._blocks.get((bucket.name, key)) if bucket.block > 1 else None
        if block is None or block.window != window or block.unspent == 0:
            return None
        block.unspent -= 1
        return block.remaining + block.unspent

    async def _take(self, bucket: Bucket, key: str, window: int, limit: int, elapsed: float, period: float) -> Taken:
        """Take a block, or one request where a whole block is too much."""
        digest = self._lookup.tag("request-limit", bucket.name, key)
        for amount in dict.fromkeys((bucket.block, 1)):
            taken = await self._counters.take(
                digest, window, amount=amount, limit=limit, share=1 - elapsed, expires_at=(window + 2) * period
            )
            if taken.granted:
                if amount > 1:
                    self._hold(bucket, key, _Block(window, amount - 1, 0))
                break
        return taken

    def _hold(self, bucket: Bucket, key: str, block: _Block) -> None:
        if len(self._blocks) >= _MOST_HELD:
            self._blocks.clear()
        self._blocks[bucket.name, key] = block

    def _remember(self, bucket: Bucket, key: str, window: int, limit: int, taken: Taken, elapsed: float) -> int:
        remaining = max(0, math.floor(limit - taken.current - (1 - elapsed) * taken.previous))
        block = self._blocks.get((bucket.name, key))
        if block is None or block.window != window:
            return remaining
        block.remaining = remaining
        return remaining + block.unspent


def _refusal(bucket: Bucket, limit: int, taken: Taken, now: float, window: int, period: float) -> TooManyRequests:
    wait = wait_s(taken, limit, now - window * period, period)
    headers = _headers(limit, 0, now + wait) if bucket.announce else None
    return TooManyRequests(bucket.message, math.ceil(wait), headers)


def wait_s(taken: Taken, limit: int, elapsed_s: float, period: float) -> float:
    """Seconds until one more request is granted, if nobody else sends any. ``elapsed_s``: of the present window."""
    free = limit - 1 - taken.current
    if free >= 0 and taken.previous > 0:
        return max(0.0, period * (1 - free / taken.previous) - elapsed_s)
    return period - elapsed_s + max(0.0, period * (1 - (limit - 1) / max(1, taken.current)))


def _headers(limit: int, remaining: int, reset_at: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(math.ceil(reset_at)),
    }
