"""Database, key rings and blob store."""

from __future__ import annotations

import stat
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ipse.cli.examinations.finding import Finding, fail, ok, warn
from ipse.clock import SystemClock
from ipse.security import keysets
from ipse.security.keyring import KeyRingError, Ring
from ipse.settings import Settings
from ipse.storage import migrate
from ipse.storage.blobs import BlobError, open_blob_store
from ipse.storage.database import Database
from ipse.storage.tables import KeysetRow

_PROBE = b"ipse doctor"


async def examine(settings: Settings) -> list[Finding]:
    """Look at what is stored. A database that does not exist yet is not created."""
    findings = [finding async for finding in _database(settings)]
    findings += master_keys(settings, in_use=any(finding.check == "key rings" for finding in findings))
    findings.append(await _blobs(settings))
    return findings


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    url = settings.resolved_database_url
    if not settings.database_url and not (settings.data_dir / "ipse.sqlite3").exists():
        yield warn("database", f"no database in {settings.data_dir} yet", "Run `ipse init`, or `ipse serve`.")
        return
    try:
        database = Database(url)
    except (ArgumentError, ImportError) as error:
        yield fail("database", f"unusable IPSE_DATABASE_URL: {error}", "See docs/configuration.md.")
        return
    absent = _absent_file(database)
    if absent is not None:
        yield fail("database", f"{absent} does not exist", "Run `ipse init`, or correct IPSE_DATABASE_URL.")
        return
    try:
        revision, head = await migrate.current_revision(database.engine), migrate.head_revision()
        if revision != head:
            yield warn(
                "database", f"at revision {revision or 'none'}, this release has {head}", "The next start upgrades it."
            )
            return
        yield ok("database", f"{database.engine.dialect.name}, revision {revision}")
        yield await _rings(settings, database)
        yield await _newest_entry(database)
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield fail("database", reason, "Start the database, or correct IPSE_DATABASE_URL.")
    finally:
        await database.close()


def _absent_file(database: Database) -> str | None:
    """The SQLite file that is not there; connecting would create it."""
    file = database.engine.url.database
    return file if database.is_sqlite and file and not Path(file).exists() else None


async def _rings(settings: Settings, database: Database) -> Finding:
    async with database.reading() as tx:
        stored = set(await tx.scalars(select(KeysetRow.ring)))
    if not stored >= {*Ring}:
        return warn("key rings", "not complete yet", "Run `ipse init`.")
    try:
        # Both rings are stored, so this only reads.
        rings = await keysets.load_rings(database, keysets.load_master_keys(settings), SystemClock())
    except KeyRingError as error:
        return fail("key rings", str(error), "Without the right master key nothing sealed can be read.")
    return ok("key rings", ", ".join(f"{ring.ring} version {ring.version}" for ring in rings))


async def _newest_entry(database: Database) -> Finding:
    async with database.reading() as tx:
        newest = await tx.scalar(select(func.max(KeysetRow.created_at)))
    if newest is not None and newest > datetime.now(UTC):
        return fail("time", "the database holds entries from the future", "Correct the clock of this machine.")
    return ok("time", "the clock is not behind the database")


def master_keys(settings: Settings, *, in_use: bool) -> list[Finding]:
    """Where the master keys are, and who can read them."""
    findings = []
    for ring in Ring:
        path = keysets.master_key_path(settings.data_dir, ring)
        if keysets.managed_uri(settings, ring) is not None:
            findings.append(ok(f"{ring} master key", "in a key-management service"))
        elif ring not in keysets.rings_on_files(settings):
            findings.append(ok(f"{ring} master key", "from the environment"))
        elif path.exists():
            findings.append(_key_file(settings, ring, path))
        elif in_use:
            findings.append(
                fail(f"{ring} master key", f"{path} is missing", "Restore the file, or configure the key it held.")
            )
    return findings


def _key_file(settings: Settings, ring: Ring, path: Path) -> Finding:
    if path.stat().st_mode & 0o077:
        mode = stat.filemode(path.stat().st_mode)
        return fail(f"{ring} master key", f"{path} is {mode}", f"Run: chmod 600 {path}")
    if not settings.is_local:
        return fail(
            f"{ring} master key",
            f"{path} lies beside the data it protects: live applications are refused",
            f"Keep it in a secret store and set IPSE_{ring.upper()}_MASTER_KEY, or IPSE_{ring.upper()}_MASTER_KEY_URI.",
        )
    return ok(f"{ring} master key", f"{path}, readable by its owner only")


async def _blobs(settings: Settings) -> Finding:
    url = settings.resolved_blob_url
    if not settings.blob_url and not settings.data_dir.exists():
        return warn("blob store", f"{settings.data_dir} does not exist yet", "Run `ipse init`, or `ipse serve`.")
    key = f"doctor/{uuid.uuid4()}"
    try:
        store = open_blob_store(url)
        await store.put(key, _PROBE)
        same = await store.get(key) == _PROBE
        await store.delete(key)
    except BlobError as error:
        return fail("blob store", str(error), "Check IPSE_BLOB_URL, its credentials and its permissions.")
    if not same:
        return fail("blob store", "returned other bytes than were stored", "Do not use this store.")
    return ok("blob store", f"{url.split('?')[0]} stores, returns and deletes")
