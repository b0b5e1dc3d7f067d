"""Request limits of the contract (file 00, "Rate limits"), counted per key in this process."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from ipse.edge.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class Bucket:
    """A named limit. ``announce`` = send ``X-RateLimit-*`` headers with the refusal."""

    name: str
    limit: str
    message: str
    announce: bool = True


READ = Bucket("read", "600/minute", "Too many read requests. Please slow down.")
WRITE = Bucket("write", "300/minute", "Too many write requests. Please slow down.")
CREATE_SESSION = Bucket("create-session", "600/minute", "Too many sessions were created. Please slow down.")
SANDBOX_CREATE = Bucket(
    "sandbox-create", "500/day", "A sandbox application may create 500 sessions in 24 hours.", announce=False
)
PRE_CHECK = Bucket("pre-check", "12000/minute", "Too many risk checks. Please slow down.")
"""Risk calls and policy evaluations: asked before every action, 200 a second. Ours, the contract has no number."""
OPEN_LINK = Bucket("open-link", "30/minute", "Too many links were opened from your address. Please wait a minute.")
"""Links that work without any credential; counted by address. Ours, the contract has no number for them."""


class RequestLimits:
    """Counts requests in moving windows."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._items: dict[str, RateLimitItem] = {}

    def hit(self, bucket: Bucket, key: str) -> dict[str, str]:
        """Count one request and return its headers; raise :class:`TooManyRequests` beyond the limit."""
        if not self._enabled:
            return {}
        item = self._items.setdefault(bucket.limit, parse(bucket.limit))
        allowed = self._limiter.hit(item, bucket.name, key)
        stats = self._limiter.get_window_stats(item, bucket.name, key)
        headers = {
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(stats.remaining),
            "X-RateLimit-Reset": str(math.ceil(stats.reset_time)),
        }
        if not allowed:
            wait = math.ceil(stats.reset_time - time.time())
            raise TooManyRequests(bucket.message, wait, headers if bucket.announce else None)
        return headers if bucket.announce else {}
