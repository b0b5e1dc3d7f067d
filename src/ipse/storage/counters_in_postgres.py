"""Counts in an unlogged table of PostgreSQL, on connections of their own (see :mod:`ipse.storage.counters`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ipse.storage.counters import TALLY, Taken, Tally

_CONNECTIONS: Final = 4
_CONNECTION_WAIT_S: Final = 1.0


class PostgresCounters:
    """Counts in the table ``request_counters``."""

    def __init__(self, url: str) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_CONNECTION_WAIT_S,
            pool_reset_on_return=None,
            connect_args={"connect_timeout": 2},
        )

    async def take(self, key: str, window: int, *, amount: int, limit: int, share: float, expires_at: float) -> Taken:
        """See :class:`CounterStore`."""
        given = {"key": key, "window": window, "amount": amount, "limit": limit, "share": share}
        row = await self._run(_PG_TAKE, {**given, "expires_at": _instant(expires_at)})
        if row is not None:
            return Taken(True, row[0], row[1])
        row = await self._run(_PG_COUNTS, {"key": key, "window": window})
        return Taken(False, row[0], row[1])

    async def add(self, key: str, *, now: float, expires_at: float) -> int:
        """See :class:`CounterStore`."""
        row = await self._run(
            _PG_ADD, {"key": key, "tally": TALLY, "now": _instant(now), "expires_at": _instant(expires_at)}
        )
        return int(row[0])

    async def read(self, key: str, *, now: float) -> Tally | None:
        """See :class:`CounterStore`."""
        row = await self._run(_PG_READ, {"key": key, "tally": TALLY, "now": _instant(now)})
        return None if row is None else Tally(row[0], row[1].timestamp())

    async def forget(self, key: str) -> None:
        """See :class:`CounterStore`."""
        await self._run(_PG_FORGET, {"key": key, "tally": TALLY})

    async def prune(self, now: float) -> None:
        """See :class:`CounterStore`."""
        await self._run(_PG_PRUNE, {"now": _instant(now)})

    async def close(self) -> None:
        """See :class:`CounterStore`."""
        await self._engine.dispose()

    async def _run(self, statement: Any, given: dict[str, Any]) -> Any:
        async with self._engine.connect() as connection:
            result = await connection.execute(statement, given)
            return result.one_or_none() if result.returns_rows else None


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_OF_BEFORE: Final = (
    "COALESCE((SELECT before.count FROM request_counters before WHERE before.key = CAST(:key AS varchar) "
    'AND before."window" = CAST(:window AS bigint) - 1), 0)'
)
_PG_TAKE: Final = text(
    f"""
    INSERT INTO request_counters AS now (key, "window", count, expires_at)
    SELECT CAST(:key AS varchar), CAST(:window AS bigint), CAST(:amount AS integer), CAST(:expires_at AS timestamptz)
    WHERE CAST(:amount AS integer) + CAST(:share AS double precision) * {_OF_BEFORE} <= :limit
    ON CONFLICT (key, "window") DO UPDATE SET count = now.count + CAST(:amount AS integer)
    WHERE now.count + CAST(:amount AS integer) + CAST(:share AS double precision) * {_OF_BEFORE} <= :limit
    RETURNING now.count, {_OF_BEFORE}
    """
)
_PG_COUNTS: Final = text(
    """
    SELECT COALESCE(max(count) FILTER (WHERE "window" = :window), 0),
           COALESCE(max(count) FILTER (WHERE "window" < :window), 0)
    FROM request_counters WHERE key = :key AND "window" BETWEEN CAST(:window AS bigint) - 1 AND :window
    """
)
_PG_ADD: Final = text(
    """
    INSERT INTO request_counters AS now (key, "window", count, expires_at)
    VALUES (:key, :tally, 1, CAST(:expires_at AS timestamptz))
    ON CONFLICT (key, "window") DO UPDATE SET
        count = CASE WHEN now.expires_at <= CAST(:now AS timestamptz) THEN 1 ELSE now.count + 1 END,
        expires_at = excluded.expires_at
    RETURNING now.count
    """
)
_PG_READ: Final = text(
    """
    SELECT count, expires_at FROM request_counters
    WHERE key = :key AND "window" = :tally AND expires_at > CAST(:now AS timestamptz)
    """
)
_PG_FORGET: Final = text('DELETE FROM request_counters WHERE key = :key AND "window" = :tally')
_PG_PRUNE: Final = text("DELETE FROM request_counters WHERE expires_at <= CAST(:now AS timestamptz)")
