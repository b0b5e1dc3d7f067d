"""A new master key: the data stay, the old key opens nothing any more, no crash loses the ring."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ipse.clock import ManualClock
from ipse.security.keyring import LocalMasterKey, Ring, WrongMasterKey
from ipse.security.keysets import load_master_keys, load_rings, master_key_path, open_rings
from ipse.security.master_key_change import NothingToWrap, UnfinishedChange, change_master_key
from ipse.settings import Settings
from ipse.storage.database import Database
from ipse.storage.tables import Base

pytestmark = pytest.mark.anyio

CLOCK = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


async def test_data_stay_readable_and_the_old_key_is_shut_out_but_kept(database: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    _, biometric = await open_rings(settings, database, CLOCK)
    sealed = biometric.seal(b"face", context=b"c")
    old = load_master_keys(settings)
    change = await change_master_key(settings, database, Ring.BIOMETRIC)
    assert change.in_effect
    assert change.versions == 1
    _, reopened = await open_rings(settings, database, CLOCK)
    assert reopened.open(sealed, context=b"c") == b"face"
    with pytest.raises(WrongMasterKey):
        await load_rings(database, old, CLOCK)
    path = master_key_path(tmp_path, Ring.BIOMETRIC)
    assert path.with_name("biometric.key.previous").exists()


async def test_a_configured_key_is_replaced_by_hand(database: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, ordinary_master_key=base64.b64encode(b"o" * 32).decode())
    ordinary, _ = await open_rings(settings, database, CLOCK)
    sealed = ordinary.seal(b"x", context=b"c")
    change = await change_master_key(settings, database, Ring.ORDINARY)
    assert not change.in_effect
    moved = settings.model_copy(update={"ordinary_master_key": None})
    assert change.path is not None
    change.path.rename(master_key_path(tmp_path, Ring.ORDINARY))
    reopened, _ = await open_rings(moved, database, CLOCK)
    assert reopened.open(sealed, context=b"c") == b"x"


async def test_an_interrupted_change_is_noticed_and_nothing_is_overwritten(database: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    await open_rings(settings, database, CLOCK)
    upcoming = tmp_path / "keys" / "ordinary.key.next"
    upcoming.write_text("the only copy")
    with pytest.raises(UnfinishedChange, match="move it to"):
        await change_master_key(settings, database, Ring.ORDINARY)
    assert upcoming.read_text() == "the only copy"
    await open_rings(settings, database, CLOCK)


async def test_a_refused_change_leaves_no_key_behind(database: Database, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        ordinary_master_key=base64.b64encode(b"o" * 32).decode(),
        biometric_master_key=base64.b64encode(b"b" * 32).decode(),
    )
    with pytest.raises(NothingToWrap):
        await change_master_key(settings, database, Ring.ORDINARY)
    masters = {Ring.ORDINARY: LocalMasterKey(b"x" * 32), Ring.BIOMETRIC: LocalMasterKey(b"b" * 32)}
    await load_rings(database, masters, CLOCK)
    with pytest.raises(WrongMasterKey):
        await change_master_key(settings, database, Ring.ORDINARY)
    assert not (tmp_path / "keys" / "ordinary.key.next").exists()
