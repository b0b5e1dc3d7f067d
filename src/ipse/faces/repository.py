"""Rows of faces, always within one application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, or_, select, update

from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, MediaRow, SessionRow, UserRow

_IDS_PER_QUERY: Final = 500
"""SQLite takes a limited number of parameters in one statement."""


class SealedFace(NamedTuple):
    """What an index needs of a face: a million rows of the whole table would be gigabytes of objects."""

    id: str
    sequence: int
    search_sealed: bytes | None
    template_sealed: bytes | None
    """Only of a face that was stored before search vectors were."""
    source: str


async def current(scope: Scope, user_id: str, *purposes: str) -> FaceRow | None:
    """The newest face of a person that nothing has superseded, of the first of these purposes that there is one of."""
    row: FaceRow | None = await scope.tx.scalar(
        select(FaceRow)
        .where(
            FaceRow.application_id == scope.application_id,
            FaceRow.user_id == user_id,
            FaceRow.purpose.in_(purposes),
            FaceRow.superseded_at.is_(None),
        )
        .order_by(
            case({purpose: rank for rank, purpose in enumerate(purposes)}, value=FaceRow.purpose),
            FaceRow.created_at.desc(),
            FaceRow.sequence.desc(),
        )
        .limit(1)
    )
    return row


async def last_superseded(scope: Scope, user_id: str) -> FaceRow | None:
    """The reference that was in use before the present one."""
    row: FaceRow | None = await scope.tx.scalar(
        select(FaceRow)
        .where(
            FaceRow.application_id == scope.application_id,
            FaceRow.user_id == user_id,
            FaceRow.purpose == "reference",
            FaceRow.superseded_at.is_not(None),
        )
        .order_by(FaceRow.superseded_at.desc(), FaceRow.sequence.desc())
        .limit(1)
    )
    return row


async def references_of_session(scope: Scope, session_id: str) -> Sequence[FaceRow]:
    """The references that a session provided."""
    found = await scope.tx.scalars(
        select(FaceRow).where(
            FaceRow.application_id == scope.application_id,
            FaceRow.session_id == session_id,
            FaceRow.purpose == "reference",
        )
    )
    return found.all()


async def mark_superseded(scope: Scope, user_id: str, now: datetime) -> None:
    """Take every reference of a person out of use."""
    await scope.tx.execute(
        update(FaceRow)
        .where(
            FaceRow.application_id == scope.application_id,
            FaceRow.user_id == user_id,
            FaceRow.purpose == "reference",
            FaceRow.superseded_at.is_(None),
        )
        .values(superseded_at=now)
    )


async def person(scope: Scope, vendor_data: str) -> UserRow | None:
    """The user of this name at the integrator's."""
    row: UserRow | None = await scope.tx.scalar(
        select(UserRow).where(UserRow.application_id == scope.application_id, UserRow.vendor_data == vendor_data)
    )
    return row


async def searchable_between(scope: Scope, above: int, up_to: int) -> Sequence[str]:
    """Ids of the searchable faces with a sequence number beyond ``above`` and not beyond ``up_to``."""
    found = await scope.tx.scalars(
        select(FaceRow.id).where(
            FaceRow.application_id == scope.application_id,
            FaceRow.searchable.is_(True),
            FaceRow.sequence > above,
            FaceRow.sequence <= up_to,
        )
    )
    return found.all()


async def sealed_after(scope: Scope, sequence: int, *, limit: int) -> Sequence[SealedFace]:
    """The first ``limit`` searchable faces beyond a sequence number, in order."""
    query = _sealed(scope).where(FaceRow.sequence > sequence).order_by(FaceRow.sequence).limit(limit)
    return [SealedFace._make(row) for row in await scope.tx.execute(query)]


async def sealed_with_ids(scope: Scope, face_ids: Sequence[str]) -> Sequence[SealedFace]:
    """Searchable faces by id, in no particular order."""
    faces: list[SealedFace] = []
    for start in range(0, len(face_ids), _IDS_PER_QUERY):
        query = _sealed(scope).where(FaceRow.id.in_(face_ids[start : start + _IDS_PER_QUERY]))
        faces += [SealedFace._make(row) for row in await scope.tx.execute(query)]
    return faces


async def sealed_to_index(scope: Scope, sequence: int, *, limit: int) -> Sequence[SealedFace]:
    """The first ``limit`` searchable faces beyond a sequence number, kept from being deleted meanwhile."""
    query = _sealed(scope).where(FaceRow.sequence > sequence).order_by(FaceRow.sequence).limit(limit)
    locked = query.with_for_update(read=True, key_share=True)
    return [SealedFace._make(row) for row in await scope.tx.execute(locked)]


async def searchable_ids(scope: Scope) -> set[str]:
    """Ids of all searchable faces."""
    found = await scope.tx.scalars(
        select(FaceRow.id).where(FaceRow.application_id == scope.application_id, FaceRow.searchable.is_(True))
    )
    return set(found)


async def count_searchable(scope: Scope) -> int:
    """How many faces search may return."""
    return (
        await scope.tx.scalar(
            select(func.count()).where(FaceRow.application_id == scope.application_id, FaceRow.searchable.is_(True))
        )
        or 0
    )


async def by_id(scope: Scope, face_id: str, *, lock: bool = False) -> FaceRow | None:
    """A face, with ``lock`` kept from being changed by others until the transaction ends."""
    query = select(FaceRow).where(FaceRow.application_id == scope.application_id, FaceRow.id == face_id)
    row: FaceRow | None = await scope.tx.scalar(query.with_for_update() if lock else query)
    return row


async def behind(scope: Scope, version: int, sequence: int, *, limit: int) -> Sequence[FaceRow]:
    """The first ``limit`` faces beyond a sequence number whose template is not protected in this space or a newer."""
    query = select(FaceRow).where(*_behind(scope, version), FaceRow.sequence > sequence)
    return (await scope.tx.scalars(query.order_by(FaceRow.sequence).limit(limit))).all()


async def count_behind(scope: Scope, version: int, *, renewable: bool = False) -> int:
    """How many such faces there are; ``renewable`` ones need no person: unprotected, or their picture is still kept."""
    query = select(func.count()).select_from(FaceRow).where(*_behind(scope, version))
    if renewable:
        query = query.where(or_(FaceRow.space_version.is_(None), FaceRow.media_id.in_(select(MediaRow.id))))
    return await scope.tx.scalar(query) or 0


async def count_in(scope: Scope, versions: Sequence[int]) -> int:
    """How many faces are protected in these spaces."""
    counts = await count_by_space(scope)
    return sum(counts.get(version, 0) for version in versions)


async def count_by_space(scope: Scope) -> Mapping[int | None, int]:
    """How many templates there are of each space; under None those that are not protected."""
    found = await scope.tx.execute(
        select(FaceRow.space_version, func.count())
        .where(FaceRow.application_id == scope.application_id, func.length(FaceRow.template_sealed) > 0)
        .group_by(FaceRow.space_version)
    )
    return {row[0]: row[1] for row in found}


async def told_about(
    scope: Scope, face_ids: Sequence[str]
) -> dict[str, tuple[FaceRow, SessionRow | None, UserRow | None]]:
    """The faces that still exist and are searchable, with their sessions and people. Deleted sessions drop out."""
    told: dict[str, tuple[FaceRow, SessionRow | None, UserRow | None]] = {}
    for start in range(0, len(face_ids), _IDS_PER_QUERY):
        found = await scope.tx.execute(
            select(FaceRow, SessionRow, UserRow)
            .outerjoin(SessionRow, SessionRow.id == FaceRow.session_id)
            .outerjoin(UserRow, UserRow.id == FaceRow.user_id)
            .where(
                FaceRow.application_id == scope.application_id,
                FaceRow.searchable.is_(True),
                FaceRow.id.in_(face_ids[start : start + _IDS_PER_QUERY]),
                SessionRow.deleted_at.is_(None),
            )
        )
        told |= {face.id: (face, session, user) for face, session, user in found}
    return told


def _behind(scope: Scope, version: int) -> Sequence[ColumnElement[bool]]:
    return (
        FaceRow.application_id == scope.application_id,
        func.length(FaceRow.template_sealed) > 0,
        or_(FaceRow.space_version.is_(None), FaceRow.space_version < version),
    )


def _sealed(scope: Scope) -> Select[str, int, bytes | None, bytes | None, str]:
    unprotected = case((FaceRow.search_sealed.is_(None), FaceRow.template_sealed))
    return select(FaceRow.id, FaceRow.sequence, FaceRow.search_sealed, unprotected, FaceRow.source).where(
        FaceRow.application_id == scope.application_id, FaceRow.searchable.is_(True)
    )
