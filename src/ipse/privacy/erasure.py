"""The one way in which sessions, persons and applications are destroyed (decision 0020).

An erasure is one transaction: everything is found first, then images and rows go, children first, and a signed receipt
of what was destroyed is left. Blobs go right after the commit; if the process dies before, they are already unreadable,
because the row that held their key is gone, and ``media.sweep`` deletes them. Nothing else needs to be finished later.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select, update

from ipse.audit import erasure as audit
from ipse.lists import listed_faces
from ipse.lists.values import ListType
from ipse.media import service as media
from ipse.privacy import extent as extents
from ipse.privacy import receipts
from ipse.privacy.inventory import Condition, Extent, holdings
from ipse.privacy.receipts import Destroyed, Kind, Reason
from ipse.runtime.scope import Scope
from ipse.storage.database import after_commit
from ipse.storage.tables import (
    AttemptRow,
    Base,
    ErasureReceiptRow,
    FaceRow,
    ListEntryRow,
    MediaRow,
    SessionRow,
    UserRow,
)

NO_SESSION: Final = str(uuid.UUID(int=0))
"""What an attempt names once its session is erased."""
AUDIT_DETAILS: Final = "audit_entries.details"
"""Under this name a receipt counts the audit entries whose content was destroyed."""
_IDS_AT_ONCE: Final = 500


@dataclass(slots=True)
class _Tally:
    rows: Counter[str] = field(default_factory=Counter)
    blobs: list[str] = field(default_factory=list)

    def destroyed(self) -> Destroyed:
        return Destroyed(dict(self.rows), self.blobs)


async def erase_session(scope: Scope, row: SessionRow, *, reason: Reason = Reason.REQUEST) -> ErasureReceiptRow:
    """Destroy a session, which the caller has locked. What stands on a list stays there, without the session's id."""
    tally = _Tally()
    session_id = row.id
    await _erase_sessions(scope, [row], tally)
    return await receipts.issue(scope, Kind.SESSION, session_id, reason, tally.destroyed())


async def erase_user(
    scope: Scope, vendor_data: str, *, keep_blocks: bool = True, reason: Reason = Reason.REQUEST
) -> ErasureReceiptRow | None:
    """Destroy everything about a person, known as a user or not; None when there was nothing.

    Args:
        keep_blocks: leave the person's values and faces on blocklists. Off, they come off those, too.
    """
    user = await scope.tx.scalar(
        select(UserRow)
        .where(UserRow.application_id == scope.application_id, UserRow.vendor_data == vendor_data)
        .with_for_update()
    )
    tally = _Tally()
    await _unlist(scope, await extents.listed(scope, vendor_data, user), tally, keep_blocks=keep_blocks)
    while rows := await _some_sessions(scope, vendor_data, user):
        await _erase_sessions(scope, rows, tally)
    await _destroy(scope, await extents.of_person(scope, vendor_data, user), tally)
    await _forget_audit(scope, tally, vendor_data=vendor_data)
    if not +tally.rows and not tally.blobs:
        return None
    return await receipts.issue(scope, Kind.USER, vendor_data, reason, tally.destroyed())


async def erase_application(scope: Scope) -> ErasureReceiptRow:
    """Destroy an application with everything in it. Its receipts and the bare chain of its audit log stay.

    One transaction, and a long one if millions of rows go: erase the persons first where that matters.
    """
    tally = _Tally()
    await scope.tx.flush()
    await _erase_media(scope, [MediaRow.application_id == scope.application_id], tally)
    for table in _children_first():
        condition = holdings()[table].of_application(scope.application_id)
        if condition is not None:
            await _delete(scope, table, condition, tally)
    tally.rows[AUDIT_DETAILS] += await audit.forget_application(scope)
    _clean_up_after_commit(scope, None)
    return await receipts.issue(scope, Kind.APPLICATION, scope.application_id, Reason.REQUEST, tally.destroyed())


async def _some_sessions(scope: Scope, vendor_data: str, user: UserRow | None) -> Sequence[SessionRow]:
    found = await scope.tx.scalars(
        select(SessionRow)
        .where(SessionRow.application_id == scope.application_id, extents.of_subject(vendor_data, user))
        .order_by(SessionRow.id)
        .limit(extents.SESSIONS_AT_ONCE)
        .with_for_update()
    )
    return found.all()


async def _erase_sessions(scope: Scope, rows: Sequence[SessionRow], tally: _Tally) -> None:
    await scope.tx.flush()
    extent = await extents.of_sessions(scope, rows)
    ids = extent.session_ids
    await scope.tx.execute(
        update(ListEntryRow)
        .where(ListEntryRow.reference_session_id.in_(ids), ListEntryRow.application_id == scope.application_id)
        .values(reference_session_id=None)
        .execution_options(synchronize_session=False)
    )
    await scope.tx.execute(
        update(AttemptRow)
        .where(AttemptRow.session_id.in_(ids))
        .values(session_id=NO_SESSION)
        .execution_options(synchronize_session=False)
    )
    await _destroy(scope, extent, tally)
    await _forget_audit(scope, tally, session_ids=ids)
    for row in rows:
        scope.tx.expunge(row)


async def _destroy(scope: Scope, extent: Extent, tally: _Tally) -> None:
    """Delete the images and rows of an extent. Images first: their rows are found through those of faces."""
    await scope.tx.flush()
    theirs = holdings()[FaceRow].of_extent(extent)
    faces = [] if theirs is None else (await scope.tx.scalars(select(FaceRow.id).where(theirs))).all()
    await _erase_images(scope, await extents.media_of(scope, extent, faces), tally)
    for table in _children_first():
        condition = holdings()[table].of_extent(extent)
        if condition is not None:
            await _delete(scope, table, condition, tally)
    _clean_up_after_commit(scope, frozenset(faces))


async def _unlist(
    scope: Scope, listed: Sequence[tuple[ListEntryRow, ListType]], tally: _Tally, *, keep_blocks: bool
) -> None:
    going = []
    for entry, list_type in listed:
        if keep_blocks and list_type is ListType.BLOCKLIST:
            entry.reference_session_id = entry.reference_object_id = None
        else:
            going.append(entry)
    await listed_faces.forget(scope, going)
    for entry in going:
        await scope.tx.delete(entry)
    await scope.tx.flush()
    tally.rows[ListEntryRow.__tablename__] += len(going)


async def _erase_media(scope: Scope, conditions: Sequence[Condition], tally: _Tally) -> None:
    while rows := (await scope.tx.scalars(select(MediaRow).where(*conditions).limit(_IDS_AT_ONCE))).all():
        await _erase_images(scope, rows, tally)


async def _erase_images(scope: Scope, rows: Sequence[MediaRow], tally: _Tally) -> None:
    ids = [row.id for row in rows]
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[start : start + _IDS_AT_ONCE]
        # Copies of faces on lists show the picture of the original, which goes with its owner.
        await scope.tx.execute(
            update(FaceRow)
            .where(
                FaceRow.application_id == scope.application_id,
                FaceRow.user_id.is_(None),
                FaceRow.purpose == "listed",
                FaceRow.media_id.in_(some),
            )
            .values(media_id=None)
            .execution_options(synchronize_session=False)
        )
        tally.rows[MediaRow.__tablename__] += await media.erase(scope, some)
    tally.blobs += [row.sha256 for row in rows]
    for row in rows:
        scope.tx.expunge(row)


async def _delete(scope: Scope, table: type[Base], condition: Condition, tally: _Tally) -> None:
    result = await scope.tx.execute(delete(table).where(condition).execution_options(synchronize_session=False))
    tally.rows[table.__tablename__] += cast("CursorResult[Any]", result).rowcount


async def _forget_audit(
    scope: Scope, tally: _Tally, *, session_ids: Sequence[str] = (), vendor_data: str | None = None
) -> None:
    tally.rows[AUDIT_DETAILS] += await audit.forget(scope, session_ids=session_ids, vendor_data=vendor_data)


def _clean_up_after_commit(scope: Scope, faces: Collection[str] | None) -> None:
    """Drop faces from this process' search index; other processes drop them when they next compare with the database.

    ``faces`` None: every face of the application.
    """
    services, application_id = scope.services, scope.application_id

    def discard() -> None:
        index = services.face_vectors
        index.discard(application_id, index.ids(application_id) if faces is None else faces)

    if faces is None or faces:
        after_commit(scope.tx, discard)


@cache
def _children_first() -> Sequence[type[Base]]:
    """Every table, before those that its foreign keys point to."""
    classes = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return [classes[table] for table in reversed(Base.metadata.sorted_tables) if table in classes]
