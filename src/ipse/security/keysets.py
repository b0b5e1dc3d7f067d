"""Where the rings and their master keys are kept: wrapped rings in the database, master keys outside it (decision
0008).
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import select

from ipse.clock import Clock
from ipse.security.key_management import ManagedMasterKey
from ipse.security.keyring import (
    MASTER_KEY_BYTES,
    CannotOpen,
    KeyRing,
    KeyRingError,
    LocalMasterKey,
    MasterKey,
    Ring,
    WrongMasterKey,
)
from ipse.security.lookup import LookupKey
from ipse.settings import Settings
from ipse.storage.database import Database, Transaction
from ipse.storage.tables import KeysetRow

LOOKUP: Final = "lookup"
"""Name of the look-up secret among the stored key sets. It has one version and the ordinary master key wraps it."""

RELOAD_SECONDS: Final = 15
"""How often a process looks for a newer version of its rings."""

SETTLE_SECONDS: Final = 2 * RELOAD_SECONDS
"""How long a new key opens before it seals, so that every process has loaded it by then."""


class MasterKeyMissing(KeyRingError):
    """No master key is configured and none is in the data folder."""

    code = "MASTER_KEY_MISSING"


class MasterKeyMalformed(KeyRingError):
    """The configured text is not base64 of 32 bytes."""

    code = "MASTER_KEY_MALFORMED"


class MasterKeyExposed(KeyRingError):
    """Other users of the machine can read the key file."""

    code = "MASTER_KEY_EXPOSED"


def master_key_path(data_dir: Path, ring: Ring) -> Path:
    """Return where the development master key of ``ring`` lies; a backup of the database does not contain it."""
    return data_dir / "keys" / f"{ring}.key"


def create_master_key_file(path: Path) -> bool:
    """Write a fresh master key that only this user can read; return False if one is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def load_master_key(configured: str | None, path: Path) -> LocalMasterKey:
    """Return the configured master key (base64), or else the one in ``path``.

    Raises:
        MasterKeyMissing: neither exists.
        MasterKeyMalformed: not base64 of 32 bytes.
        MasterKeyExposed: the file can be read by others.
    """
    if configured is not None:
        return _decode(configured, "the configured master key")
    try:
        if path.stat().st_mode & 0o077:
            raise MasterKeyExposed(f"Other users can read {path}. Run: chmod 600 {path}")
        return _decode(path.read_text(), str(path))
    except FileNotFoundError as error:
        raise MasterKeyMissing(f"There is no master key at {path}. Run `ipse init`, or configure one.") from error


def load_master_keys(settings: Settings) -> dict[Ring, MasterKey]:
    """Return both master keys as configured; errors as :func:`load_master_key`.

    Raises:
        KeyServiceUnavailable: a key-management service is named and cannot be used.
    """
    return {ring: _master_key(settings, ring) for ring in Ring}


def managed_uri(settings: Settings, ring: Ring) -> str | None:
    """The key of a key-management service that wraps ``ring``, if one is named."""
    return settings.ordinary_master_key_uri if ring is Ring.ORDINARY else settings.biometric_master_key_uri


def rings_on_files(settings: Settings) -> tuple[Ring, ...]:
    """The rings whose master key lies in a file beside the data: for development only."""
    return tuple(ring for ring in Ring if managed_uri(settings, ring) is None and _configured(settings, ring) is None)


async def open_rings(settings: Settings, database: Database, clock: Clock) -> tuple[KeyRing, KeyRing]:
    """Return the ordinary and the biometric ring as stored, creating what a fresh installation lacks.

    Master key files are written only while the database holds no ring: once it does, a missing file means that the
    installation was copied without its keys, and a new key would only hide that.

    Raises:
        KeyRingError: one of its children.
    """
    async with database.reading() as tx:
        fresh = await tx.scalar(select(KeysetRow.ring).limit(1)) is None
    if fresh:
        for ring in rings_on_files(settings):
            create_master_key_file(master_key_path(settings.data_dir, ring))
    return await load_rings(database, load_master_keys(settings), clock)


async def load_rings(database: Database, masters: Mapping[Ring, MasterKey], clock: Clock) -> tuple[KeyRing, KeyRing]:
    """Return the newest stored version of the ordinary and the biometric ring; create those that do not exist yet.

    Raises:
        WrongMasterKey: a stored ring was wrapped by another master key.
    """
    async with database.writing() as tx:
        return (
            await _load_or_create(tx, Ring.ORDINARY, masters, clock),
            await _load_or_create(tx, Ring.BIOMETRIC, masters, clock),
        )


async def load_lookup_key(database: Database, masters: Mapping[Ring, MasterKey], clock: Clock) -> LookupKey:
    """Return the installation's look-up secret; create it if there is none yet.

    Raises:
        WrongMasterKey: it was wrapped by another ordinary master key.
    """
    master = masters[Ring.ORDINARY]
    async with database.writing() as tx:
        row = await tx.get(KeysetRow, (LOOKUP, 1))
        if row is None:
            created = LookupKey.create()
            tx.add(KeysetRow(ring=LOOKUP, version=1, wrapped=created.wrap(master), created_at=clock.now()))
            return created
    try:
        return LookupKey.unwrap(row.wrapped, master)
    except CannotOpen as error:
        raise WrongMasterKey(Ring.ORDINARY) from error


async def reload(database: Database, rings: Iterable[KeyRing], masters: Mapping[Ring, MasterKey]) -> None:
    """Let each of ``rings`` take over a newer stored version, if there is one."""
    async with database.reading() as tx:
        for held in rings:
            stored = await _newest(tx, held.ring, masters[held.ring], after=held.version)
            if stored is not None:
                held.take_over(stored)


async def save(tx: Transaction, ring: KeyRing, master: MasterKey, clock: Clock) -> None:
    """Store one version. Two processes that store the same version collide on the primary key: one of them fails."""
    tx.add(KeysetRow(ring=ring.ring, version=ring.version, wrapped=ring.wrap(master), created_at=clock.now()))
    await tx.flush()


async def _load_or_create(tx: Transaction, ring: Ring, masters: Mapping[Ring, MasterKey], clock: Clock) -> KeyRing:
    stored = await _newest(tx, ring, masters[ring])
    if stored is None:
        stored = KeyRing.create(ring)
        await save(tx, stored, masters[ring], clock)
    return stored


async def _newest(tx: Transaction, ring: Ring, master: MasterKey, *, after: int = 0) -> KeyRing | None:
    row = await tx.scalar(
        select(KeysetRow)
        .where(KeysetRow.ring == ring, KeysetRow.version > after)
        .order_by(KeysetRow.version.desc())
        .limit(1)
    )
    return None if row is None else KeyRing.unwrap(ring, row.version, row.wrapped, master)


def _master_key(settings: Settings, ring: Ring) -> MasterKey:
    uri = managed_uri(settings, ring)
    if uri is not None:
        return ManagedMasterKey(uri)
    return load_master_key(_configured(settings, ring), master_key_path(settings.data_dir, ring))


def _configured(settings: Settings, ring: Ring) -> str | None:
    secret = settings.ordinary_master_key if ring is Ring.ORDINARY else settings.biometric_master_key
    return None if secret is None else secret.get_secret_value()


def _decode(text: str, origin: str) -> LocalMasterKey:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise MasterKeyMalformed(f"{origin} is not base64.") from error
    if len(key) != MASTER_KEY_BYTES:
        raise MasterKeyMalformed(f"{origin} has {len(key)} bytes; it must have {MASTER_KEY_BYTES}.")
    return LocalMasterKey(key)
