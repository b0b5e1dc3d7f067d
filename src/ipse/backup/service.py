"""Make a backup while serving, check one, and restore one into an empty installation (docs/operate/backup.md).

The database is copied first, then the blobs that its rows name. An image that is erased in between is gone from the
backup too, and the manifest says so; one that is stored in between is not in it. Restoring goes the other way round:
blobs first, the database last and all at once, so that a restore that was interrupted is simply begun again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ipse import __version__
from ipse.backup import databases, manifest
from ipse.backup.errors import BackupDamaged, FolderInUse, InstallationInUse, OtherEngine
from ipse.backup.manifest import Manifest
from ipse.clock import Clock
from ipse.security import keysets
from ipse.security.keyring import KeyRing, Ring
from ipse.settings import Settings
from ipse.storage import migrate
from ipse.storage.blobs import BlobExists, BlobNotFound, BlobStore, FolderBlobStore, open_blob_store
from ipse.storage.database import Database

_DATABASE: Final = "database"
_BLOBS: Final = "blobs"


async def create(settings: Settings, folder: Path, clock: Clock) -> Manifest:
    """Copy the installation of ``settings`` into ``folder``, which must be new or empty.

    Raises:
        FolderInUse: something is there.
        BackupDamaged: an image in the store is not what was stored.
    """
    await asyncio.to_thread(_begin, folder)
    url, created_at = settings.resolved_database_url, clock.now()
    copied = await asyncio.to_thread(databases.dump, url, folder / _DATABASE)
    blobs = open_blob_store(settings.resolved_blob_url)
    erased = await _copy_blobs(blobs, FolderBlobStore(folder / _BLOBS), copied.blobs)
    made = Manifest(
        format=manifest.FORMAT,
        version=__version__,
        created_at=created_at.isoformat(),
        engine=_engine(url),
        revision=copied.revision,
        tables=copied.tables,
        blobs=len(copied.blobs) - len(erased),
        erased_meanwhile=erased,
        rings=copied.rings,
        sums=await asyncio.to_thread(manifest.write_sums, folder),
    )
    manifest.write(folder, made)
    return await asyncio.to_thread(manifest.read, folder)


async def verify(folder: Path) -> tuple[Manifest, int]:
    """Return the manifest of a whole backup and how many files were compared.

    Raises:
        NotABackup: no finished backup.
        BackupDamaged: a file is missing, changed or too many.
    """
    found = manifest.read(folder)
    return found, await asyncio.to_thread(manifest.check_files, folder, found)


def try_keys(settings: Settings, found: Manifest) -> None:
    """Raise ``KeyRingError`` unless the master keys of ``settings`` open the rings of a backup."""
    masters = keysets.load_master_keys(settings)
    for ring in found.rings:
        if ring.ring in {*Ring}:
            KeyRing.unwrap(Ring(ring.ring), ring.version, base64.b64decode(ring.wrapped), masters[Ring(ring.ring)])


async def restore(settings: Settings, folder: Path) -> Manifest:
    """Fill the empty installation of ``settings`` from a backup; its master keys must be in place already.

    Raises:
        NotABackup, BackupDamaged: see :func:`verify`.
        OtherEngine: the backup is of the other kind of database.
        InstallationInUse: the database or the blob store is not empty.
        KeyRingError: the master keys at hand do not open the backup.
    """
    found, _ = await verify(folder)
    url = settings.resolved_database_url
    if found.engine != _engine(url):
        raise OtherEngine(f"This is a backup of {found.engine}; the installation uses {_engine(url)}.")
    await asyncio.to_thread(databases.require_empty, url)
    try_keys(settings, found)
    source, target = FolderBlobStore(folder / _BLOBS), open_blob_store(settings.resolved_blob_url)
    keys = {blob.key async for blob in source.list_blobs()}
    strangers = {blob.key async for blob in target.list_blobs()} - keys
    if strangers:
        raise InstallationInUse(f"The blob store holds {len(strangers)} other blobs. Restore into an empty one.")
    for key in sorted(keys):
        await _put_again(target, key, await source.get(key))
    if found.engine == "postgresql":
        database = Database(url)
        try:
            await migrate.upgrade(database.engine, found.revision)
        finally:
            await database.close()
    await asyncio.to_thread(databases.load, url, folder / _DATABASE, found.tables)
    return found


def _begin(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise FolderInUse(f"{folder} is not empty. Name a new folder for each backup.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / _DATABASE).mkdir(mode=0o700)


async def _copy_blobs(source: BlobStore, target: BlobStore, wanted: Mapping[str, str]) -> list[str]:
    """Copy blobs by key, comparing digests; return the keys of those that are gone."""
    gone = []
    for key, digest in wanted.items():
        try:
            sealed = await source.get(key)
        except BlobNotFound:
            gone.append(key)
            continue
        if hashlib.sha256(sealed).hexdigest() != digest:
            raise BackupDamaged(f"The image {key} in the blob store is not what was stored.")
        await target.put(key, sealed)
    return gone


async def _put_again(target: BlobStore, key: str, sealed: bytes) -> None:
    """Store a blob that an interrupted restore may have stored already."""
    try:
        await target.put(key, sealed)
    except BlobExists as error:
        if await target.get(key) != sealed:
            raise InstallationInUse(f"The blob store holds another image under {key}.") from error


def _engine(url: str) -> str:
    return "sqlite" if databases.is_sqlite(url) else "postgresql"
