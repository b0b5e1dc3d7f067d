"""Counts that processes share and that nobody misses after a crash: requests in windows of time, and small tallies.

On SQLite they lie in a file of their own beside the database, which is never synced, so that counting neither waits for
the writer of the database nor for the disk. It is used on the calling thread: one count takes some 40 microseconds, and
waking another thread takes longer. On PostgreSQL they are rows of an unlogged table, written by a few connections of
their own, each statement its own transaction: a request that holds a connection can never wait for a second one.

A store that fails is not asked again for :data:`RETRY_AFTER_S`; meanwhile this process counts for itself.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger(__name__)
T = TypeVar("T")

FILE_NAME: Final = "counters.sqlite3"
RETRY_AFTER_S: Final = 5.0
_MOST_OWN: Final = 100_000
"""Counts that one process keeps while it counts alone; with more of them it starts anew."""
TALLY: Final = 0
"""The window of counts that no window of time bounds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """``current`` and ``previous``: what the two windows hold by now."""

    granted: bool
    current: int
    previous: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A count and the moment (seconds since 1970) at which it is forgotten."""

    count: int
    expires_at: float


class CounterStore(Protocol):
    """Where counts lie. Times are seconds since 1970; keys have at most 200 characters."""

    async def take(self, key: str, window: int, *, amount: int, limit: int, share: float, expires_at: float) -> Taken:
        """Add ``amount`` to a window, unless it and ``share`` (0-1) of the window before would exceed ``limit``."""
        ...

    async def add(self, key: str, *, now: float, expires_at: float) -> int:
        """Add one to a tally, which starts anew if it has expired; return the count."""
        ...

    async def read(self, key: str, *, now: float) -> Tally | None:
        """A tally that has not expired."""
        ...

    async def forget(self, key: str) -> None:
        """Forget a tally."""
        ...

    async def prune(self, now: float) -> None:
        """Drop what has expired."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...


class ProcessCounters:
    """Counts of this process alone."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], Tally] = {}

    async def take(self, key: str, window: int, *, amount: int, limit: int, share: float, expires_at: float) -> Taken:
        """See :class:`CounterStore`."""
        current, previous = (self._counts.get((key, one), Tally(0, 0)).count for one in (window, window - 1))
        if current + amount + share * previous > limit:
            return Taken(False, current, previous)
        self._keep(key, window, Tally(current + amount, expires_at))
        return Taken(True, current + amount, previous)

    async def add(self, key: str, *, now: float, expires_at: float) -> int:
        """See :class:`CounterStore`."""
        known = await self.read(key, now=now)
        count = 1 if known is None else known.count + 1
        self._keep(key, TALLY, Tally(count, expires_at))
        return count

    async def read(self, key: str, *, now: float) -> Tally | None:
        """See :class:`CounterStore`."""
        known = self._counts.get((key, TALLY))
        return known if known is not None and known.expires_at > now else None

    async def forget(self, key: str) -> None:
        """See :class:`CounterStore`."""
        self._counts.pop((key, TALLY), None)

    async def prune(self, now: float) -> None:
        """See :class:`CounterStore`."""
        for key in [key for key, tally in self._counts.items() if tally.expires_at <= now]:
            del self._counts[key]

    async def close(self) -> None:
        """Nothing is open."""

    def _keep(self, key: str, window: int, tally: Tally) -> None:
        if len(self._counts) >= _MOST_OWN:
            self._counts.clear()
        self._counts[key, window] = tally


class Counters:
    """The shared store, and counts of this process while the store fails."""

    def __init__(self, shared: CounterStore | None = None) -> None:
        self._shared = shared
        self._own = ProcessCounters()
        self._ask_again_at = 0.0

    async def take(self, key: str, window: int, *, amount: int, limit: int, share: float, expires_at: float) -> Taken:
        """See :class:`CounterStore`."""
        return await self._ask(
            lambda store: store.take(key, window, amount=amount, limit=limit, share=share, expires_at=expires_at)
        )

    async def add(self, key: str, *, now: float, expires_at: float) -> int:
        """See :class:`CounterStore`."""
        return await self._ask(lambda store: store.add(key, now=now, expires_at=expires_at))

    async def read(self, key: str, *, now: float) -> Tally | None:
        """See :class:`CounterStore`."""
        return await self._ask(lambda store: store.read(key, now=now))

    async def forget(self, key: str) -> None:
        """See :class:`CounterStore`."""
        await self._ask(lambda store: store.forget(key))

    async def prune(self, now: float) -> None:
        """See :class:`CounterStore`."""
        await self._own.prune(now)
        await self._ask(lambda store: store.prune(now))

    async def close(self) -> None:
        """See :class:`CounterStore`."""
        if self._shared is not None:
            await self._shared.close()

    async def _ask(self, call: Callable[[CounterStore], Awaitable[T]]) -> T:
        if self._shared is None or time.monotonic() < self._ask_again_at:
            return await call(self._own)
        try:
            return await call(self._shared)
        except (sqlite3.Error, SQLAlchemyError, OSError) as error:
            self._ask_again_at = time.monotonic() + RETRY_AFTER_S
            log.warning("counters.unavailable", error=type(error).__name__, counting="in this process")
            return await call(self._own)


def open_counters(database_url: str, data_dir: Path) -> Counters:
    """The counters of an installation; nothing is opened before the first count."""
    if database_url.startswith("sqlite"):
        from ipse.storage.counters_in_sqlite import SqliteCounters

        return Counters(SqliteCounters(data_dir / FILE_NAME))
    from ipse.storage.counters_in_postgres import PostgresCounters

    return Counters(PostgresCounters(database_url))
