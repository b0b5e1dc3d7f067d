"""Processes that start together on a new SQLite file wait for one another when they switch it to WAL mode."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from ipse.storage import sqlite_connection
from ipse.storage.database import Database

pytestmark = pytest.mark.anyio

ROUNDS = 10
STARTING = 8
HELD_S = 0.1


async def test_all_who_open_a_new_file_wait_for_who_writes_it_and_hold_up_nothing_else(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        path = tmp_path / f"{number}.sqlite3"
        async with contextlib.AsyncExitStack() as stack:
            starting = [await stack.enter_async_context(opened(path)) for _ in range(STARTING)]
            with writing(path) as writer:
                opening = [asyncio.create_task(journal_mode(database)) for database in starting]
                await asyncio.sleep(HELD_S)
                turned_away = [repr(task.exception()) for task in opening if task.done()]
                writer.execute("COMMIT")
            modes = await asyncio.gather(*opening, return_exceptions=True)
        assert turned_away == []
        assert modes == ["wal"] * STARTING


async def test_file_that_stays_locked_is_said_to_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT_S", 0.1)
    async with opened(tmp_path / "ipse.sqlite3") as database:
        with writing(tmp_path / "ipse.sqlite3"), pytest.raises(OperationalError, match="locked"):
            await journal_mode(database)


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    """The database at ``path`` as a process of its own would see it. It connects when it is asked something."""
    database = Database(f"sqlite+aiosqlite:///{path}")
    try:
        yield database
    finally:
        await database.close()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who has begun to write the new file, which is not in WAL mode yet."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE written (number INTEGER)")
        yield writer


async def journal_mode(database: Database) -> str:
    async with database.reading() as tx:
        return str(await tx.scalar(sa.text("PRAGMA journal_mode")))
