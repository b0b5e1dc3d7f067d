"""The secrets from which the transformations of an application's templates are derived (decision 0018).

Every application has numbered *template spaces*. The newest protects; older ones are retired and only compare, until no
face needs them and their secret is destroyed. A secret is random and stored, sealed by the biometric ring, and not
derived from the ring: when keys rotate it is sealed again and stays the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ipse.biometrics.protection import SECRET_BYTES
from ipse.faces.errors import TemplateRevoked
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, TemplateSpaceRow

DESTROYED: Final = b""
"""What stands in place of a secret that was destroyed: the number stays, so that none is used twice."""


@dataclass(frozen=True, slots=True)
class TemplateSpace:
    """A version with its secret of 32 bytes."""

    version: int
    secret: bytes = field(repr=False)


def seed_context(application_id: str, version: int) -> bytes:
    """Associated data that ties a sealed secret to its application and version; key rotation needs it too."""
    return f"template-space|{application_id}|{version}".encode()


async def current(scope: Scope) -> TemplateSpace:
    """The space that protects new templates; the first one is made in this transaction.

    The row is held until the transaction ends: nobody retires or destroys a space while a template goes into it.
    """
    newest = _of(scope).where(TemplateSpaceRow.retired_at.is_(None)).with_for_update(read=True)
    # Asked twice, because a space that was retired while we waited for it is no answer, and there is a newer one.
    row: TemplateSpaceRow | None = await scope.tx.scalar(newest) or await scope.tx.scalar(newest)
    if row is None:
        # Somebody else may store the first face of this application at the same time: whoever commits first wins.
        dialect = sqlite if scope.services.database.is_sqlite else postgresql
        fresh = _fresh(scope, await newest_version(scope) + 1)
        await scope.tx.execute(dialect.insert(TemplateSpaceRow).values(**fresh).on_conflict_do_nothing())
        row = (await scope.tx.scalars(newest)).one()
    return _opened(scope, row)


async def of_version(scope: Scope, version: int) -> TemplateSpace:
    """A space by number.

    Raises:
        TemplateRevoked: its secret was destroyed, or was never here.
        CannotOpen: the secret was sealed elsewhere or changed.
    """
    row: TemplateSpaceRow | None = await scope.tx.scalar(_of(scope).where(TemplateSpaceRow.version == version))
    if row is None or row.seed_sealed == DESTROYED:
        raise TemplateRevoked(version)
    return _opened(scope, row)


async def all_of(scope: Scope) -> Sequence[TemplateSpaceRow]:
    """Every space of the application, oldest first."""
    return (await scope.tx.scalars(_of(scope))).all()


def state(row: TemplateSpaceRow) -> str:
    """``protects``, ``retired`` or ``destroyed``."""
    if row.seed_sealed == DESTROYED:
        return "destroyed"
    return "protects" if row.retired_at is None else "retired"


async def newest_version(scope: Scope) -> int:
    """The highest number in use; 0 before the first face."""
    highest = select(func.max(TemplateSpaceRow.version)).where(TemplateSpaceRow.application_id == scope.application_id)
    return await scope.tx.scalar(highest) or 0


async def advance(scope: Scope) -> TemplateSpace:
    """Retire the space that protects and return a new one."""
    now = scope.services.clock.now()
    protecting = _of(scope).where(TemplateSpaceRow.retired_at.is_(None)).with_for_update()
    for row in await scope.tx.scalars(protecting):
        row.retired_at = now
    fresh = TemplateSpaceRow(**_fresh(scope, await newest_version(scope) + 1))
    scope.tx.add(fresh)
    await scope.tx.flush()
    return _opened(scope, fresh)


async def destroy(scope: Scope, *, needed_too: bool = False) -> tuple[int, ...]:
    """Destroy the secrets of retired spaces and return their numbers.

    Spaces that a face still needs stay, unless ``needed_too``: such faces cannot be compared any more.
    """
    retired = _of(scope).where(TemplateSpaceRow.retired_at.is_not(None), TemplateSpaceRow.seed_sealed != DESTROYED)
    gone = []
    for row in (await scope.tx.scalars(retired.with_for_update())).all():
        if needed_too or not await _is_needed(scope, row.version):
            row.seed_sealed = DESTROYED
            gone.append(row.version)
    await scope.tx.flush()
    return tuple(gone)


async def _is_needed(scope: Scope, version: int) -> bool:
    face = (
        select(FaceRow.id)
        .where(FaceRow.application_id == scope.application_id, FaceRow.space_version == version)
        .limit(1)
    )
    return await scope.tx.scalar(face) is not None


def _of(scope: Scope) -> Select[TemplateSpaceRow]:
    return (
        select(TemplateSpaceRow)
        .where(TemplateSpaceRow.application_id == scope.application_id)
        .order_by(TemplateSpaceRow.version)
    )


def _fresh(scope: Scope, version: int) -> dict[str, object]:
    context = seed_context(scope.application_id, version)
    return {
        "id": scope.services.identifiers.uuid(),
        "application_id": scope.application_id,
        "version": version,
        "seed_sealed": scope.services.biometric_ring.seal(secrets.token_bytes(SECRET_BYTES), context=context),
        "created_at": scope.services.clock.now(),
        "retired_at": None,
    }


def _opened(scope: Scope, row: TemplateSpaceRow) -> TemplateSpace:
    context = seed_context(scope.application_id, row.version)
    return TemplateSpace(row.version, scope.services.biometric_ring.open(row.seed_sealed, context=context))
