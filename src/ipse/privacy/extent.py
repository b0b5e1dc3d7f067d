"""Finding everything that is to be erased, before the first row goes: rows are what leads to the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from ipse.lists.values import EntryType, ListType, spellings
from ipse.privacy.inventory import Extent
from ipse.runtime.scope import Scope
from ipse.storage.tables import (
    EvaluationRow,
    FaceRow,
    ListEntryRow,
    ListRow,
    MediaRow,
    SessionRow,
    SightingRow,
    UserDeviceRow,
    UserRow,
)
from ipse.webhooks import service as webhooks

SESSIONS_AT_ONCE: Final = 200
"""Sessions in one statement: far below the parameters that SQLite takes, and few enough for a good plan."""


async def of_sessions(scope: Scope, rows: Sequence[SessionRow]) -> Extent:
    """What belongs to at most :data:`SESSIONS_AT_ONCE` sessions."""
    ids = [row.id for row in rows]
    evaluations = (
        await scope.tx.execute(
            select(EvaluationRow.id, EvaluationRow.device_id).where(EvaluationRow.session_id.in_(ids))
        )
    ).all()
    seen = await scope.tx.scalars(select(SightingRow.device_id).where(SightingRow.session_id.in_(ids)).distinct())
    return Extent(
        scope.application_id,
        session_ids=ids,
        persons=sorted({row.vendor_data for row in rows if row.vendor_data is not None}),
        evaluation_ids=[row.id for row in evaluations],
        device_ids=_known(chain(seen, (row.device_id for row in evaluations))),
    )


async def of_person(scope: Scope, vendor_data: str, user: UserRow | None) -> Extent:
    """What belongs to a person beside their sessions, which are gone by now."""
    person = scope.application_id, vendor_data
    seen = select(SightingRow.device_id).where(
        SightingRow.application_id == person[0], SightingRow.vendor_data == person[1]
    )
    asked = select(EvaluationRow.device_id).where(
        EvaluationRow.application_id == person[0], EvaluationRow.vendor_data == person[1]
    )
    used = [] if user is None else [select(UserDeviceRow.device_id).where(UserDeviceRow.user_id == user.id)]
    return Extent(
        scope.application_id,
        device_ids=_known([one for query in (seen, asked, *used) for one in await scope.tx.scalars(query.distinct())]),
        event_ids=await webhooks.events_about(scope, vendor_data),
        user_id=None if user is None else user.id,
        vendor_data=vendor_data,
        subject_tag=scope.services.lookup.tag("subject", *person),
    )


async def listed(scope: Scope, vendor_data: str, user: UserRow | None) -> Sequence[tuple[ListEntryRow, ListType]]:
    """The list entries about a person with the types of their lists: their ``vendor_data``, and what was put there
    from their sessions and faces."""
    application_id = scope.application_id
    sessions = select(SessionRow.id).where(SessionRow.application_id == application_id, of_subject(vendor_data, user))
    own = FaceRow.vendor_data == vendor_data
    faces = select(FaceRow.id).where(
        FaceRow.application_id == application_id,
        or_(own, FaceRow.session_id.in_(sessions), *([] if user is None else [FaceRow.user_id == user.id])),
    )
    conditions = (
        and_(ListEntryRow.entry_type == EntryType.USER, ListEntryRow.value.in_(spellings(EntryType.USER, vendor_data))),
        and_(ListEntryRow.entry_type == EntryType.FACE, ListEntryRow.reference_object_id.in_(faces)),
        ListEntryRow.reference_session_id.in_(sessions),
    )
    found: dict[str, tuple[ListEntryRow, ListType]] = {}
    for condition in conditions:
        rows = await scope.tx.execute(
            select(ListEntryRow, ListRow.list_type)
            .join(ListRow, ListRow.id == ListEntryRow.list_id)
            .where(ListEntryRow.application_id == application_id, condition)
        )
        found |= {entry.id: (entry, ListType(list_type)) for entry, list_type in rows}
    return list(found.values())


def of_subject(vendor_data: str, user: UserRow | None) -> ColumnElement[bool]:
    """Which sessions are a person's."""
    named = SessionRow.vendor_data == vendor_data
    return named if user is None else or_(named, SessionRow.user_id == user.id)


async def media_of(scope: Scope, extent: Extent, faces: Collection[str]) -> Sequence[MediaRow]:
    """The images of an extent: those of its sessions, and those that show its faces."""
    found: dict[str, MediaRow] = {}
    wanted = [MediaRow.session_id.in_(extent.session_ids)] if extent.session_ids else []
    if faces:
        wanted.append(MediaRow.id.in_(select(FaceRow.media_id).where(FaceRow.id.in_(faces))))
    for condition in wanted:
        rows = await scope.tx.scalars(
            select(MediaRow).where(MediaRow.application_id == scope.application_id, condition)
        )
        found |= {row.id: row for row in rows}
    return list(found.values())


def _known(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value is not None})
