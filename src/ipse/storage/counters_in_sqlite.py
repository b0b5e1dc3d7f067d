"""Counts in a file of SQLite that is never synced, on the calling thread (see :mod:`ipse.storage.counters`)."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from ipse.storage.counters import TALLY, Taken, Tally
from ipse.storage.sqlite_connection import write_ahead

T = TypeVar("T")

_BUSY_MS: Final = 50
"""Another process holds the lock for microseconds; the event loop never waits longer than this for it."""


class SqliteCounters:
    """Counts in a file that the processes of one machine share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    async def take(self, key: str, window: int, *, amount: int, limit: int, share: float, expires_at: float) -> Taken:
        """See :class:`CounterStore`."""

        def run(connection: sqlite3.Connection) -> Taken:
            found = dict(connection.execute(_COUNTS, (key, window - 1, window)).fetchall())
            current, previous = found.get(window, 0), found.get(window - 1, 0)
            if current + amount + share * previous > limit:
                return Taken(False, current, previous)
            connection.execute(_SET, (key, window, current + amount, expires_at))
            return Taken(True, current + amount, previous)

        return self._write(run)

    async def add(self, key: str, *, now: float, expires_at: float) -> int:
        """See :class:`CounterStore`."""

        def run(connection: sqlite3.Connection) -> int:
            row = connection.execute(_READ, (key, TALLY, now)).fetchone()
            count = 1 if row is None else int(row[0]) + 1
            connection.execute(_SET, (key, TALLY, count, expires_at))
            return count

        return self._write(run)

    async def read(self, key: str, *, now: float) -> Tally | None:
        """See :class:`CounterStore`."""
        row = self._write(lambda connection: connection.execute(_READ, (key, TALLY, now)).fetchone())
        return None if row is None else Tally(row[0], row[1])

    async def forget(self, key: str) -> None:
        """See :class:`CounterStore`."""
        self._write(lambda connection: connection.execute(_FORGET, (key, TALLY)))

    async def prune(self, now: float) -> None:
        """See :class:`CounterStore`."""
        self._write(lambda connection: connection.execute(_PRUNE, (now,)))

    async def close(self) -> None:
        """See :class:`CounterStore`."""
        with self._lock:
            self._close()

    def _write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                connection = self._connection or self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    result = run(connection)
                except BaseException:
                    connection.rollback()
                    raise
                connection.execute("COMMIT")
            except sqlite3.Error:
                self._close()
                raise
            return result

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            write_ahead(connection)
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_TABLE)
            connection.execute(_INDEX)
            connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


_TABLE: Final = (
    'CREATE TABLE IF NOT EXISTS counters (key TEXT NOT NULL, "window" INTEGER NOT NULL, count INTEGER NOT NULL, '
    'expires_at REAL NOT NULL, PRIMARY KEY (key, "window")) WITHOUT ROWID'
)
_INDEX: Final = "CREATE INDEX IF NOT EXISTS counters_expires_at ON counters (expires_at)"
_COUNTS: Final = 'SELECT "window", count FROM counters WHERE key = ? AND "window" BETWEEN ? AND ?'
_READ: Final = 'SELECT count, expires_at FROM counters WHERE key = ? AND "window" = ? AND expires_at > ?'
_SET: Final = "INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?)"
_FORGET: Final = 'DELETE FROM counters WHERE key = ? AND "window" = ?'
_PRUNE: Final = "DELETE FROM counters WHERE expires_at <= ?"
