"""Transactions on SQLite and PostgreSQL behind one door.

A *transaction* (``Transaction``, by convention ``tx``) is SQLAlchemy's async session; the word "session"
belongs to the verification session here. Application code never commits: whoever opened the
transaction does, once, at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from ipse.storage import sealed, sqlite_connection
from ipse.storage.sqlite_connection import OneTripConnection
from ipse.storage.write_turns import WriteTurns

Transaction = AsyncSession

_AFTER_COMMIT = "ipse_after_commit"


def after_commit(tx: Transaction, callback: Callable[[], None]) -> None:
    """Run ``callback`` once ``tx`` is committed, and never if it is rolled back."""
    tx.info.setdefault(_AFTER_COMMIT, []).append(callback)


class Database:
    """One engine. SQLite runs in WAL mode with one writer at a time; PostgreSQL with row locks."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"pool_pre_ping": not self.is_sqlite}
        file: Path | None = None
        if self.is_sqlite:
            path = make_url(url).database or ":memory:"
            file = None if path == ":memory:" else Path(path)
            options["async_creator"] = lambda: sqlite_connection.connect(path)
        else:
            options |= {"pool_size": 10, "max_overflow": 20}
        self.engine: AsyncEngine = create_async_engine(url, **options)
        self._engines = {
            (write, quick): self.engine.execution_options(ipse_write=write, ipse_quick=quick)
            for write in (False, True)
            for quick in (False, True)
        }
        self._writer = WriteTurns(file)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    def unlock(self, vault: sealed.Vault) -> None:
        """Hand in the keys of sealed fields and pseudonyms; rows that have any cannot be read or written before."""
        sealed.attach(self.engine.sync_engine.dialect, vault)

    async def open(self, *, write: bool, quick: bool = False) -> OpenTransaction:
        """Begin a transaction. The caller must end it with ``commit`` or ``rollback``.

        ``quick`` promises few statements that find their rows by an index: SQLite then runs them on this thread.

        On SQLite a writing transaction takes the write lock at once (``BEGIN IMMEDIATE``), so it can
        neither deadlock with another nor fail half-way because a snapshot went stale.
        """
        lock = self._writer if self.is_sqlite and write else None
        if lock is not None:
            await lock.acquire()
        try:
            tx = AsyncSession(self._engines[write, quick], expire_on_commit=False)
            await tx.connection()
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return OpenTransaction(tx, lock)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction that is always rolled back: it can see a consistent state and change nothing."""
        opened = await self.open(write=False)
        try:
            yield opened.tx
        finally:
            await opened.rollback()

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        opened = await self.open(write=True)
        try:
            yield opened.tx
        except BaseException:
            await opened.rollback()
            raise
        await opened.commit()

    async def scrub(self) -> bool:
        """Take deleted content out of the files, too; return False if someone was reading and it is to be tried again.

        SQLite overwrites what is deleted (``secure_delete``), but the log beside the database keeps earlier pages until
        it is emptied. On PostgreSQL nothing is done here: that is VACUUM's work (docs/erasure-and-retention.md).
        """
        if not self.is_sqlite:
            return True
        await self._writer.acquire()
        try:
            async with self.engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert isinstance(driver, OneTripConnection)
                return bool(await driver.on_its_thread(sqlite_connection.empty_log, driver.raw))
        finally:
            self._writer.release()

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        self._writer.close()


class OpenTransaction:
    """A transaction in progress and the writer lock that goes with it."""

    def __init__(self, tx: Transaction, lock: WriteTurns | None) -> None:
        self.tx = tx
        self._lock = lock

    async def commit(self) -> None:
        """Commit, release, then run what was registered with :func:`after_commit`."""
        try:
            await self.tx.commit()
            callbacks = self.tx.info.pop(_AFTER_COMMIT, [])
        finally:
            await self._end()
        for callback in callbacks:
            callback()

    async def rollback(self) -> None:
        """Undo everything and release. Rows that were read stay readable: they are let go before they expire."""
        self.tx.expunge_all()
        try:
            await self.tx.rollback()
        finally:
            await self._end()

    async def _end(self) -> None:
        try:
            await asyncio.shield(self.tx.close())
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    driver = connection.connection.driver_connection
    assert isinstance(driver, OneTripConnection)
    driver.at_once = options.get("ipse_quick", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("ipse_write", True) else "BEGIN")
