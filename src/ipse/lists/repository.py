"""Rows of lists and their entries, always within one application."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Executable, bindparam, delete, func, literal, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from ipse.lists.values import EntryType, ListType
from ipse.runtime import search
from ipse.runtime.scope import Scope
from ipse.runtime.search import Kind
from ipse.storage.sealed import sealed_columns, vault_of
from ipse.storage.tables import (
    Base,
    FaceRow,
    ListEntryRow,
    ListRow,
    MediaRow,
    ReportRow,
    SessionRow,
    SightingRow,
    UserRow,
)

VALUES_PER_QUERY: Final = 1000
"""Far below the parameters that SQLite and PostgreSQL take in one statement."""
LISTED_FACE: Final = "listed_face"
"""Kind of the picture behind an uploaded face entry."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One value that stands on one list."""

    entry_type: EntryType
    value: str
    list_type: ListType
    list_name: str


@dataclass(frozen=True, slots=True)
class Size:
    """How many entries a list has, and when the last of them came."""

    entries: int = 0
    last_at: datetime | None = None


def _live(scope: Scope) -> ColumnElement[bool]:
    return or_(ListEntryRow.expires_at.is_(None), ListEntryRow.expires_at > scope.services.clock.now())


def _is_over(scope: Scope) -> ColumnElement[bool]:
    return ListEntryRow.expires_at <= scope.services.clock.now()


async def hits(scope: Scope, wanted: Mapping[EntryType, Sequence[str]]) -> Sequence[Hit]:
    """Every list on which a normalised value stands. One statement, one index range for each value."""
    asked = {entry_type.value: values for entry_type, values in wanted.items() if values}
    if not asked:
        return ()
    await scope.tx.flush()  # a plain query does not see what is only pending
    parameters = {"application_id": scope.application_id, "now": scope.services.clock.now(), **asked}
    rows = await scope.tx.execute(_hits_query(tuple(asked)), parameters)
    return [Hit(EntryType(kind), value, ListType(list_type), name) for kind, value, list_type, name in rows]


@cache
def _hits_query(entry_types: tuple[str, ...]) -> Executable:
    """The query of :func:`hits`, put together once: each entry type is the parameter of its values."""
    entries, lists = Base.metadata.tables[ListEntryRow.__tablename__], Base.metadata.tables[ListRow.__tablename__]
    parts = [
        select(entries.c.entry_type, entries.c.value, lists.c.list_type, lists.c.name)
        .select_from(entries.join(lists, lists.c.id == entries.c.list_id))
        .where(
            entries.c.application_id == bindparam("application_id"),
            entries.c.entry_type == literal(entry_type),
            entries.c.value.in_(bindparam(entry_type, expanding=True)),
            or_(entries.c.expires_at.is_(None), entries.c.expires_at > bindparam("now")),
        )
        for entry_type in entry_types
    ]
    return union_all(*parts) if len(parts) > 1 else parts[0]


async def find(scope: Scope, list_id: str, *, lock: bool = False) -> ListRow | None:
    """A list of the application."""
    query = select(ListRow).where(ListRow.application_id == scope.application_id, ListRow.id == list_id)
    row: ListRow | None = await scope.tx.scalar(query.with_for_update() if lock else query)
    return row


async def find_named(scope: Scope, name: str) -> ListRow | None:
    """The list of a name."""
    row: ListRow | None = await scope.tx.scalar(
        select(ListRow).where(ListRow.application_id == scope.application_id, ListRow.name == name)
    )
    return row


async def system_keys(scope: Scope) -> set[tuple[str, str]]:
    """List type and entry type of every system list that is there."""
    rows = await scope.tx.execute(
        select(ListRow.list_type, ListRow.entry_type).where(
            ListRow.application_id == scope.application_id, ListRow.is_system.is_(True)
        )
    )
    return {(list_type, entry_type) for list_type, entry_type in rows}


async def find_system(scope: Scope, list_type: ListType, entry_type: EntryType) -> ListRow | None:
    """The system list of two types."""
    row: ListRow | None = await scope.tx.scalar(
        select(ListRow).where(
            ListRow.application_id == scope.application_id,
            ListRow.is_system.is_(True),
            ListRow.list_type == list_type.value,
            ListRow.entry_type == entry_type.value,
        )
    )
    return row


async def insert(scope: Scope, row: ListRow | ListEntryRow) -> bool:
    """Insert a list or an entry; False when another request was faster, with the transaction still usable."""
    try:
        async with scope.tx.begin_nested():
            scope.tx.add(row)
    except IntegrityError:
        return False
    if isinstance(row, ListEntryRow):
        await search.index(scope, Kind.LIST_ENTRY, [(row.id, (row.value, row.display_label))])
    return True


async def page(
    scope: Scope,
    *,
    list_type: ListType | None,
    entry_type: EntryType | None,
    oldest_first: bool,
    limit: int,
    offset: int,
) -> tuple[int, Sequence[ListRow]]:
    """One page of lists and how many there are."""
    query = select(ListRow).where(ListRow.application_id == scope.application_id)
    if list_type is not None:
        query = query.where(ListRow.list_type == list_type.value)
    if entry_type is not None:
        query = query.where(ListRow.entry_type == entry_type.value)
    count = (await scope.tx.execute(query.with_only_columns(func.count()))).scalar_one()
    created = ListRow.created_at.asc() if oldest_first else ListRow.created_at.desc()
    rows = await scope.tx.scalars(query.order_by(created, ListRow.name).limit(limit).offset(offset))
    return count, rows.all()


async def sizes(scope: Scope, rows: Sequence[ListRow]) -> Mapping[str, Size]:
    """Live entries of each list; empty lists are absent.

    Counted by ``list_id`` alone, which an index covers: the rows are the application's own. Entries whose time is over
    are few, because a schedule removes them, and are taken off.
    """
    counted = select(ListEntryRow.list_id, func.count(), func.max(ListEntryRow.created_at)).group_by(
        ListEntryRow.list_id
    )
    # Asked for by time alone and counted here: with the list in the question, SQLite would read every row of it.
    over = Counter(await scope.tx.scalars(select(ListEntryRow.list_id).where(_is_over(scope))))
    found = await scope.tx.execute(counted.where(ListEntryRow.list_id.in_([row.id for row in rows])))
    return {list_id: Size(count - over[list_id], last_at) for list_id, count, last_at in found}


async def entry_page(
    scope: Scope, row: ListRow, *, wanted: str | None, session_id: str | None, limit: int, offset: int
) -> tuple[int, Sequence[ListEntryRow]]:
    """One page of live entries, newest first, and how many there are."""
    query = select(ListEntryRow).where(ListEntryRow.list_id == row.id, _live(scope))
    if wanted:
        found = search.matches(scope, ListEntryRow.id, Kind.LIST_ENTRY, wanted)
        query = query.where(or_(ListEntryRow.value == wanted, found))
    if session_id is not None:
        query = query.where(ListEntryRow.reference_session_id == session_id)
    if wanted or session_id is not None:
        count = (await scope.tx.execute(query.with_only_columns(func.count()))).scalar_one()
    else:
        count = (await sizes(scope, [row])).get(row.id, Size()).entries
    ordered = query.order_by(ListEntryRow.created_at.desc(), ListEntryRow.id.desc())
    return count, (await scope.tx.scalars(ordered.limit(limit).offset(offset))).all()


async def find_entry(scope: Scope, list_id: str, entry_id: str) -> ListEntryRow | None:
    """One entry of one list, also after its time."""
    return await _entry(scope, list_id, ListEntryRow.id == entry_id)


async def with_value(scope: Scope, list_id: str, value: str) -> ListEntryRow | None:
    """The entry of a value, also after its time."""
    return await _entry(scope, list_id, ListEntryRow.value == value)


async def of_object(scope: Scope, list_id: str, object_id: str) -> ListEntryRow | None:
    """The entry made from a stored object, such as a face of a session."""
    return await _entry(scope, list_id, ListEntryRow.reference_object_id == object_id)


async def _entry(scope: Scope, list_id: str, which: ColumnElement[bool]) -> ListEntryRow | None:
    row: ListEntryRow | None = await scope.tx.scalar(
        select(ListEntryRow).where(
            ListEntryRow.application_id == scope.application_id, ListEntryRow.list_id == list_id, which
        )
    )
    return row


async def of_session(scope: Scope, list_ids: Sequence[str], session_id: str | None) -> Sequence[ListEntryRow]:
    """Live entries that came from a session, newest first; the newest 1,000 from any session when None."""
    query = select(ListEntryRow).where(
        ListEntryRow.application_id == scope.application_id, ListEntryRow.list_id.in_(list_ids), _live(scope)
    )
    if session_id is None:
        query = query.where(ListEntryRow.reference_session_id.is_not(None))
    else:
        query = query.where(ListEntryRow.reference_session_id == session_id)
    ordered = query.order_by(ListEntryRow.created_at.desc(), ListEntryRow.id.desc())
    return (await scope.tx.scalars(ordered.limit(VALUES_PER_QUERY))).all()


async def blocking(scope: Scope, entry_type: EntryType, value: str) -> Sequence[ListEntryRow]:
    """Entries of a value on blocklists, also after their time."""
    rows = await scope.tx.scalars(
        select(ListEntryRow)
        .join(ListRow, ListRow.id == ListEntryRow.list_id)
        .where(
            ListEntryRow.application_id == scope.application_id,
            ListEntryRow.entry_type == entry_type.value,
            ListEntryRow.value == value,
            ListRow.list_type == ListType.BLOCKLIST.value,
        )
    )
    return rows.all()


async def all_of(scope: Scope, list_id: str) -> Sequence[ListEntryRow]:
    """Every entry of a list."""
    rows = await scope.tx.scalars(
        select(ListEntryRow).where(ListEntryRow.application_id == scope.application_id, ListEntryRow.list_id == list_id)
    )
    return rows.all()


async def remove(scope: Scope, entry_ids: Sequence[str]) -> None:
    """Delete entries."""
    for start in range(0, len(entry_ids), VALUES_PER_QUERY):
        await scope.tx.execute(
            delete(ListEntryRow).where(
                ListEntryRow.application_id == scope.application_id,
                ListEntryRow.id.in_(entry_ids[start : start + VALUES_PER_QUERY]),
            )
        )


async def forget_expired(scope: Scope, list_id: str, values: Sequence[str]) -> None:
    """Delete entries of these values whose time is over, so that the values can be added anew."""
    await scope.tx.execute(
        delete(ListEntryRow).where(
            ListEntryRow.application_id == scope.application_id,
            ListEntryRow.list_id == list_id,
            ListEntryRow.value.in_(values),
            _is_over(scope),
        )
    )


async def known_values(scope: Scope, list_id: str, values: Sequence[str]) -> set[str]:
    """Which of these values stand on the list."""
    rows = await scope.tx.scalars(
        select(ListEntryRow.value).where(
            ListEntryRow.application_id == scope.application_id,
            ListEntryRow.list_id == list_id,
            ListEntryRow.value.in_(values),
        )
    )
    return set(rows)


async def insert_many(scope: Scope, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert entries; one that somebody else has just added is left alone."""
    dialect = sqlite if scope.services.database.is_sqlite else postgresql
    insertion = dialect.insert(Base.metadata.tables[ListEntryRow.__tablename__]).on_conflict_do_nothing()
    vault = vault_of(scope.services.database.engine.dialect)
    sealed = [sealed_columns(ListEntryRow, row, vault) for row in rows]
    await (await scope.tx.connection()).execute(insertion, sealed)  # past the ORM: half the time of a batch
    texts = [(row["id"], (row["value"], row["display_label"])) for row in rows]
    await search.index(scope, Kind.LIST_ENTRY, texts)


async def shared_fingerprints(scope: Scope, fingerprints: Sequence[str], most: int) -> set[str]:
    """Those of the device fingerprints that more than ``most`` persons were seen with."""
    persons = func.count(SightingRow.vendor_data.distinct())
    rows = await scope.tx.scalars(
        select(SightingRow.fingerprint)
        .where(SightingRow.application_id == scope.application_id, SightingRow.fingerprint.in_(fingerprints))
        .group_by(SightingRow.fingerprint)
        .having(persons > most)
    )
    return {one for one in rows if one is not None}


async def sightings_of(scope: Scope, session_id: str) -> Sequence[SightingRow]:
    """Where and with what a session was seen, newest first."""
    rows = await scope.tx.scalars(
        select(SightingRow)
        .where(SightingRow.application_id == scope.application_id, SightingRow.session_id == session_id)
        .order_by(SightingRow.seen_at.desc(), SightingRow.id)
    )
    return rows.all()


async def reports_of(scope: Scope, session: SessionRow) -> Sequence[Mapping[str, Any]]:
    """The reports of a session of the application, newest first."""
    rows = await scope.tx.scalars(
        select(ReportRow)
        .where(ReportRow.session_id == session.id)
        .order_by(ReportRow.updated_at.desc(), ReportRow.position, ReportRow.node_id)
    )
    return [row.report for row in rows]


async def face(scope: Scope, face_id: str) -> FaceRow | None:
    """A stored face."""
    row: FaceRow | None = await scope.tx.scalar(
        select(FaceRow).where(FaceRow.application_id == scope.application_id, FaceRow.id == face_id)
    )
    return row


async def faces(scope: Scope, face_ids: Sequence[str]) -> Mapping[str, FaceRow]:
    """Stored faces by id."""
    rows = await scope.tx.scalars(
        select(FaceRow).where(FaceRow.application_id == scope.application_id, FaceRow.id.in_(face_ids))
    )
    return {row.id: row for row in rows}


async def pictures(scope: Scope, media_ids: Sequence[str]) -> set[str]:
    """Those of the pictures that still exist: one of a deleted session is gone."""
    rows = await scope.tx.scalars(
        select(MediaRow.id).where(MediaRow.application_id == scope.application_id, MediaRow.id.in_(media_ids))
    )
    return set(rows)


async def uploaded_pictures(scope: Scope, media_ids: Sequence[str]) -> Sequence[str]:
    """Those of the pictures that belong to no session."""
    rows = await scope.tx.scalars(
        select(MediaRow.id).where(
            MediaRow.application_id == scope.application_id,
            MediaRow.id.in_(media_ids),
            MediaRow.session_id.is_(None),
            MediaRow.kind == LISTED_FACE,
        )
    )
    return rows.all()


async def forget_faces(scope: Scope, face_ids: Sequence[str]) -> None:
    """Delete the faces that only lists hold."""
    await scope.tx.execute(
        delete(FaceRow).where(
            FaceRow.application_id == scope.application_id,
            FaceRow.id.in_(face_ids),
            FaceRow.source == "list_entry",
        )
    )


async def session_numbers(scope: Scope, session_ids: Sequence[str]) -> Mapping[str, int]:
    """Numbers of the sessions that are not deleted."""
    rows = await scope.tx.execute(
        select(SessionRow.id, SessionRow.session_number).where(
            SessionRow.application_id == scope.application_id,
            SessionRow.id.in_(session_ids),
            SessionRow.deleted_at.is_(None),
        )
    )
    return {row.id: row.session_number for row in rows}


async def users(scope: Scope, vendor_data: Sequence[str]) -> Sequence[UserRow]:
    """The users of these ``vendor_data``."""
    found: list[UserRow] = []
    for start in range(0, len(vendor_data), VALUES_PER_QUERY):
        some = vendor_data[start : start + VALUES_PER_QUERY]
        rows = await scope.tx.scalars(
            select(UserRow).where(UserRow.application_id == scope.application_id, UserRow.vendor_data.in_(some))
        )
        found += rows.all()
    return found
