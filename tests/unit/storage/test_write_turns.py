"""Processes that write to one SQLite file take turns. Each object here has files of its own, like a process."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import pytest

from ipse.storage.write_turns import WriteTurns

pytestmark = pytest.mark.anyio


async def _write(turns: WriteTurns, name: str, written: list[str]) -> None:
    await turns.acquire()
    written.append(name)
    await asyncio.sleep(0)
    turns.release()


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


async def test_one_writes_while_the_other_waits(tmp_path: Path) -> None:
    one, two = (WriteTurns(tmp_path / "ipse.db") for _ in range(2))
    await one.acquire()
    waiting = asyncio.create_task(two.acquire())
    await asyncio.sleep(0)
    assert not waiting.done()
    one.release()
    await waiting
    two.release()
    one.close()
    two.close()


async def test_who_waits_comes_before_who_has_just_written(tmp_path: Path) -> None:
    one, two = (WriteTurns(tmp_path / "ipse.db") for _ in range(2))
    written: list[str] = []
    await one.acquire()
    other = asyncio.create_task(_write(two, "two", written))
    with (tmp_path / "ipse.db-turn").open() as turn:
        while _is_free(turn.fileno()):  # noqa: ASYNC110 - a lock of the file system tells nobody
            await asyncio.sleep(0)
    one.release()
    await asyncio.gather(_write(one, "one", written), other)
    assert written == ["two", "one"]
    one.close()
    two.close()


async def test_who_gives_up_waiting_keeps_nobody_out(tmp_path: Path) -> None:
    one, two = (WriteTurns(tmp_path / "ipse.db") for _ in range(2))
    await one.acquire()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(two.acquire(), 0.01)
    one.release()
    for turns in (one, two, one):
        await turns.acquire()
        turns.release()
    one.close()
    two.close()


async def test_a_folder_that_takes_no_files_leaves_the_waiting_to_sqlite(tmp_path: Path) -> None:
    for place in (None, tmp_path / "missing" / "ipse.db"):
        turns = WriteTurns(place)
        await turns.acquire()
        turns.release()
        turns.close()
