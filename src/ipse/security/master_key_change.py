"""A new master key for a ring: every stored version is wrapped again; what the ring sealed stays as it is.

The new one is a fresh key, or a key of a key-management service.

The new key is on disk before the database needs it: losing it after the commit would lose everything sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from ipse.security import keysets
from ipse.security.key_management import ManagedMasterKey
from ipse.security.keyring import KeyRing, KeyRingError, MasterKey, Ring
from ipse.security.lookup import LookupKey
from ipse.settings import Settings
from ipse.storage.database import Database
from ipse.storage.tables import KeysetRow


class UnfinishedChange(KeyRingError):
    """A file of an earlier, interrupted change is in the way."""

    code = "UNFINISHED_CHANGE"


class NothingToWrap(KeyRingError):
    """The installation has no rings yet."""

    code = "NOTHING_TO_WRAP"


@dataclass(frozen=True, slots=True)
class MasterKeyChange:
    """Where the new key is: a file or the URI of a managed key.

    ``in_effect`` is False when the operator must still configure it.
    """

    path: Path | None
    uri: str | None
    in_effect: bool
    versions: int


async def change_master_key(settings: Settings, database: Database, ring: Ring) -> MasterKeyChange:
    """Wrap every stored version of ``ring`` with a fresh master key.

    Where the old one is a file, the new one takes its place and the old one is kept with the suffix ``.previous``.
    Where it is configured, the new one is left in a 0600 file for the operator to move into the secret store.

    Raises:
        KeyRingError: the present master key does not open the ring, there is no ring, or an earlier change was
            interrupted.
    """
    path = keysets.master_key_path(settings.data_dir, ring)
    upcoming = path.with_name(f"{path.name}.next")
    present = keysets.load_master_keys(settings)[ring]
    is_file = ring in keysets.rings_on_files(settings)
    if not keysets.create_master_key_file(upcoming):
        raise UnfinishedChange(
            f"{upcoming} exists: an earlier change was interrupted. If the service no longer starts, that file is "
            f"the key: move it to {path}. Otherwise delete it and repeat."
        )
    try:
        versions = await _wrap_again(database, ring, present, keysets.load_master_key(None, upcoming))
    except KeyRingError:
        upcoming.unlink()
        raise
    if is_file:
        path.rename(path.with_name(f"{path.name}.previous"))
        upcoming.rename(path)
    return MasterKeyChange(path if is_file else upcoming, None, is_file, versions)


async def move_master_key(settings: Settings, database: Database, ring: Ring, uri: str) -> MasterKeyChange:
    """Wrap every stored version of ``ring`` with the key of a key-management service.

    Raises:
        KeyRingError: as :func:`change_master_key`; ``KeyServiceUnavailable`` when the service does not serve the key.
    """
    present = keysets.load_master_keys(settings)[ring]
    versions = await _wrap_again(database, ring, present, ManagedMasterKey(uri))
    return MasterKeyChange(None, uri, keysets.managed_uri(settings, ring) == uri, versions)


async def _wrap_again(database: Database, ring: Ring, present: MasterKey, following: MasterKey) -> int:
    async with database.writing() as tx:
        rows = (await tx.scalars(select(KeysetRow).where(KeysetRow.ring == ring).with_for_update())).all()
        if not rows:
            raise NothingToWrap(f"There is no {ring} ring yet. Run `ipse init`.")
        for row in rows:
            row.wrapped = KeyRing.unwrap(ring, row.version, row.wrapped, present).wrap(following)
        lookup = await tx.get(KeysetRow, (keysets.LOOKUP, 1), with_for_update=True)
        if ring is Ring.ORDINARY and lookup is not None:
            lookup.wrapped = LookupKey.unwrap(lookup.wrapped, present).wrap(following)
        return len(rows)
