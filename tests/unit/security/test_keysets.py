"""Where keys are kept: the database holds rings that are useless without the master keys beside it."""

from __future__ import annotations

import base64
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ipse.clock import ManualClock
from ipse.security.keyring import LocalMasterKey, MasterKey, Ring, UnknownKey, WrongMasterKey
from ipse.security.keysets import (
    MasterKeyExposed,
    MasterKeyMalformed,
    MasterKeyMissing,
    create_master_key_file,
    load_master_key,
    load_rings,
    master_key_path,
    open_rings,
    reload,
    save,
)
from ipse.settings import Settings
from ipse.storage.database import Database
from ipse.storage.tables import Base, KeysetRow

pytestmark = pytest.mark.anyio

CLOCK = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
MASTERS: dict[Ring, MasterKey] = {
    Ring.ORDINARY: LocalMasterKey(b"o" * 32),
    Ring.BIOMETRIC: LocalMasterKey(b"b" * 32),
}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


async def test_rings_are_created_once_and_shared_by_every_process(database: Database) -> None:
    _, first = await load_rings(database, MASTERS, CLOCK)
    ordinary, second = await load_rings(database, MASTERS, CLOCK)
    sealed = first.seal(b"face", context=b"c")
    assert second.open(sealed, context=b"c") == b"face"
    with pytest.raises(UnknownKey):
        ordinary.open(sealed, context=b"c")


async def test_a_rotation_reaches_other_processes_when_they_reload(database: Database) -> None:
    first, _ = await load_rings(database, MASTERS, CLOCK)
    others = await load_rings(database, MASTERS, CLOCK)
    async with database.writing() as tx:
        first.rotate()
        await save(tx, first, MASTERS[Ring.ORDINARY], CLOCK)
    sealed = first.seal(b"x", context=b"c")
    with pytest.raises(UnknownKey):
        others[0].open(sealed, context=b"c")
    await reload(database, others, MASTERS)
    assert others[0].open(sealed, context=b"c") == b"x"
    assert others[0].version == first.version
    assert others[1].version == 1


async def test_two_processes_cannot_store_the_same_version(database: Database) -> None:
    ordinary, _ = await load_rings(database, MASTERS, CLOCK)
    with pytest.raises(IntegrityError):
        async with database.writing() as tx:
            await save(tx, ordinary, MASTERS[Ring.ORDINARY], CLOCK)


async def test_the_database_alone_opens_nothing(database: Database) -> None:
    rings = await load_rings(database, MASTERS, CLOCK)
    async with database.reading() as tx:
        stored = (await tx.scalars(select(KeysetRow.wrapped))).all()
    keys = [key.key_data.value for ring in rings for key in ring._keyset.key]
    assert len(stored) == len(keys) == 2
    assert not any(key in wrapped for key in keys for wrapped in stored)
    swapped = {Ring.ORDINARY: MASTERS[Ring.BIOMETRIC], Ring.BIOMETRIC: MASTERS[Ring.ORDINARY]}
    with pytest.raises(WrongMasterKey):
        await load_rings(database, swapped, CLOCK)


async def test_a_fresh_installation_gets_keys_and_one_without_its_keys_does_not_start(
    database: Database, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    _, biometric = await open_rings(settings, database, CLOCK)
    sealed = biometric.seal(b"face", context=b"c")
    _, again = await open_rings(settings, database, CLOCK)
    assert again.open(sealed, context=b"c") == b"face"
    master_key_path(tmp_path, Ring.BIOMETRIC).unlink()
    with pytest.raises(MasterKeyMissing):
        await open_rings(settings, database, CLOCK)
    assert not master_key_path(tmp_path, Ring.BIOMETRIC).exists()


def test_a_master_key_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    path = master_key_path(tmp_path, Ring.BIOMETRIC)
    assert path == tmp_path / "keys" / "biometric.key"
    assert create_master_key_file(path)
    content = path.read_bytes()
    assert not create_master_key_file(path)
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    load_master_key(None, path)


def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "k"
    create_master_key_file(path)
    path.chmod(0o640)
    with pytest.raises(MasterKeyExposed, match="chmod 600"):
        load_master_key(None, path)


def test_a_configured_key_goes_before_the_file_and_opens_what_it_wrapped(tmp_path: Path) -> None:
    configured = load_master_key(base64.b64encode(b"k" * 32).decode() + "\n", tmp_path / "absent")
    assert configured.unwrap(LocalMasterKey(b"k" * 32).wrap(b"x", context=b"c"), context=b"c") == b"x"


def test_a_missing_or_malformed_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyMissing, match="ipse init"):
        load_master_key(None, tmp_path / "absent")
    for text in ("not base64!", base64.b64encode(b"short").decode()):
        with pytest.raises(MasterKeyMalformed):
            load_master_key(text, tmp_path / "absent")
