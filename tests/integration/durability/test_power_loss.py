"""Guarantee: a power cut that tears SQLite's journal loses nothing that was committed before the tear, and no more."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from ipse.storage.database import Database

pytestmark = pytest.mark.anyio

_HEADER = 32
_FRAME_HEADER = 24
"""Bytes of a WAL file before its first frame, and of a frame before its page (sqlite.org/fileformat2.html, 4.1)."""
COMMITS = 12


async def write(folder: Path) -> Path:
    """A database with a journal of several commits, as it lies there when the power goes: nobody closed it."""
    file = folder / "ipse.sqlite3"
    database = Database(f"sqlite+aiosqlite:///{file}")
    async with database.writing() as tx:
        await tx.execute(text("CREATE TABLE promises (number INTEGER PRIMARY KEY, filling TEXT)"))
    for number in range(1, COMMITS):
        async with database.writing() as tx:
            # Of several pages, so that a transaction has several frames and can be torn in its middle.
            await tx.execute(
                text("INSERT INTO promises VALUES (:number, :filling)"), {"number": number, "filling": "x" * 9000}
            )
    left = folder / "left"
    left.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{file}{suffix}", left / f"ipse.sqlite3{suffix}")
    await database.close()
    return left


def commits_up_to(journal: bytes) -> list[int]:
    """For each commit in the journal, the length of the file up to and with its last frame."""
    page_size = int(struct.unpack(">I", journal[8:12])[0])
    size = _FRAME_HEADER + page_size
    ends = range(_HEADER + size, len(journal) + 1, size)
    return [end for end in ends if struct.unpack(">I", journal[end - size + 4 : end - size + 8])[0] != 0]


def cuts(journal: bytes) -> list[int]:
    """Every frame boundary, and two places within every frame: in its header and in its page."""
    page_size = int(struct.unpack(">I", journal[8:12])[0])
    size = _FRAME_HEADER + page_size
    boundaries = [0, *range(_HEADER, len(journal) + 1, size)]
    within = [at + part for at in boundaries[1:-1] for part in (11, _FRAME_HEADER + page_size // 2)]
    return sorted([*boundaries, *within])


def opened(folder: Path, journal: bytes, copy: Path) -> tuple[str, int]:
    """Put the power back: the verdict of the integrity check, and how many commits are there."""
    copy.mkdir()
    shutil.copyfile(folder / "ipse.sqlite3", copy / "ipse.sqlite3")
    (copy / "ipse.sqlite3-wal").write_bytes(journal)
    with closing(sqlite3.connect(copy / "ipse.sqlite3")) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # this copy need not outlive anything
        [(verdict,)] = connection.execute("PRAGMA integrity_check").fetchall()
        [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        commits = 0
        if tables:
            numbers = [row[0] for row in connection.execute("SELECT number FROM promises ORDER BY number")]
            assert numbers == list(range(1, len(numbers) + 1)), "a later commit survived an earlier one"
            commits = 1 + len(numbers)
    shutil.rmtree(copy)
    return verdict, commits


async def test_a_torn_journal_keeps_exactly_the_commits_before_the_tear(tmp_path: Path) -> None:
    left = await write(tmp_path)
    journal = (left / "ipse.sqlite3-wal").read_bytes()
    ends = commits_up_to(journal)
    assert len(ends) == COMMITS
    for cut in cuts(journal):
        whole = sum(end <= cut for end in ends)
        assert opened(left, journal[:cut], tmp_path / "copy") == ("ok", whole), f"cut at byte {cut}"


async def test_garbage_behind_the_tear_is_not_taken_for_a_commit(tmp_path: Path) -> None:
    left = await write(tmp_path)
    journal = (left / "ipse.sqlite3-wal").read_bytes()
    ends = commits_up_to(journal)
    for cut in cuts(journal)[1:]:
        for garbage in (b"\x00" * 5000, journal[-5000:]):
            torn = journal[:cut] + garbage
            whole = sum(torn[:end] == journal[:end] for end in ends)  # zeros may be what stood there
            found = opened(left, torn, tmp_path / "copy")
            assert found == ("ok", whole), f"cut at byte {cut}, garbage {garbage[:1]!r}"


async def test_every_connection_waits_for_the_disk_before_it_reports_a_commit(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'ipse.sqlite3'}")
    async with database.writing() as tx:
        assert await tx.scalar(text("PRAGMA synchronous")) == 2, "FULL: the journal is synced at every commit"
        assert await tx.scalar(text("PRAGMA journal_mode")) == "wal"
    await database.close()
