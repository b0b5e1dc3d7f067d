"""SQLite connections whose statements take one trip to their thread instead of four.

``aiosqlite`` gives each connection a thread, and SQLAlchemy asks it for a cursor, for the execution, for the rows and
to close: four hand-overs, of which each costs more than a small query itself (a policy evaluation runs twenty
statements; ``bench/policy_latency.py``). Here all four happen in one. Rows are fetched whole, as SQLAlchemy's adapter
does anyway.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import aiosqlite

BUSY_TIMEOUT_S: Final = 30.0
_SWITCH_AGAIN_S: Final = 0.01
_LOG_TIMEOUT_MS: Final = 200
_CHUNK: Final = 64
"""Rows of one chunk when a cursor of aiosqlite itself is iterated; ours never is."""


class OneTripConnection(aiosqlite.Connection):
    """A connection of aiosqlite with cursors of our own."""

    at_once = False
    """Run statements on the calling thread. Waking another one takes longer than an indexed look-up, ten times in a
    request; a transaction of few such look-ups is done sooner, and keeps the event loop for less time, without."""

    def cursor(self) -> Any:
        """A cursor that costs nothing until it executes."""
        return _Cursor(self)

    async def rollback(self) -> None:
        """Roll back; where no transaction is open there is nothing to hand over."""
        if self._conn.in_transaction:
            await self.on_its_thread(self._conn.rollback)

    async def commit(self) -> None:
        """Commit."""
        await self.on_its_thread(self._conn.commit)

    async def on_its_thread(self, operation: Any, *given: Any) -> Any:
        """Run ``operation(*given)`` on the connection's thread, or here if this is to be done at once."""
        if self.at_once:
            return operation(*given)
        return await self._execute(operation, *given)  # type: ignore[no-untyped-call]

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection behind; to be used by ``on_its_thread`` only."""
        return self._conn


class _Cursor:
    """What SQLAlchemy's adapter asks of a cursor. The results are here before they are asked for."""

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> _Cursor:
        """Execute a statement and fetch what it returns."""
        await self._connection.on_its_thread(self._run, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> _Cursor:
        """Execute a statement for each set of parameters."""
        await self._connection.on_its_thread(self._run_many, statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows of the last statement."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open."""

    def _run(self, statement: str, parameters: Iterable[Any]) -> None:
        self._take(self._connection.raw.execute(statement, tuple(parameters)))

    def _run_many(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._take(self._connection.raw.executemany(statement, parameters))

    def _take(self, cursor: sqlite3.Cursor) -> None:
        try:
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


async def connect(path: str) -> OneTripConnection:
    """Open the database file at ``path`` in WAL mode. Raises ``OperationalError`` if it stays locked for too long."""
    opened = OneTripConnection(
        lambda: sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False), iter_chunk_size=_CHUNK
    )
    await opened
    try:
        await opened.on_its_thread(write_ahead, opened.raw)
    except BaseException:
        await opened.close()
        raise
    return opened


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode, on the connection's thread; a file that is in it already stays as it is.

    The switch begins as a reader and becomes a writer, and there SQLite gives up at once instead of waiting as long as
    its busy timeout says (two who did so would wait for each other). Processes that start together on a new file need
    someone to try again.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= deadline:
                raise
        time.sleep(_SWITCH_AGAIN_S)


def empty_log(connection: sqlite3.Connection) -> bool:
    """Move what the write-ahead log holds into the database and cut it to nothing; False if somebody is reading it.

    Waits for readers for a moment only: meanwhile nobody can write.
    """
    connection.execute(f"PRAGMA busy_timeout={_LOG_TIMEOUT_MS}").close()
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={round(BUSY_TIMEOUT_S * 1000)}").close()
    return not busy
