"""Putting values on lists and taking them off."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ipse.audit.service import record
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import NotFound
from ipse.lists import blocking, extraction, listed_faces, repository
from ipse.lists.errors import AlreadyListed, FacesOnly, NothingToList, NotOfTheSession, RefusedValue
from ipse.lists.schemas import EntryCreate
from ipse.lists.service import entry_row
from ipse.lists.values import EntryType, ListType, UnusableValue, normalise
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.storage.tables import FaceRow, ListEntryRow, ListRow, SessionRow
from ipse.users.portraits import ExaminedPortrait

MOST_USERS_OF_A_DEVICE: Final = 20
"""A fingerprint seen with more people is that of a kind of device, not of one; our choice."""
SHARED_DEVICE: Final = (
    f"More than {MOST_USERS_OF_A_DEVICE} people were seen with this fingerprint: "
    "it names a kind of device, and blocking it would block them all."
)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is said about an entry."""

    display_label: str | None = None
    comment: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None


async def add(scope: Scope, row: ListRow, body: EntryCreate) -> ListEntryRow:
    """Put a value on a list; ``row`` is locked.

    Raises:
        RefusedValue: no value was sent, or it cannot stand on this list.
        NothingToList, NotOfTheSession: the session has no such value.
        AlreadyListed: it stands there.
        NotFound: the session is not the application's own.
    """
    remarks = Remarks(body.display_label, body.comment, body.metadata or {}, body.expires_at)
    require_future(scope, remarks.expires_at)
    session = None
    if body.reference_session_id is not None:
        session = await sessions.get(scope, body.reference_session_id)
    if row.entry_type == EntryType.FACE:
        face = await _face(scope, row, session, body.value or body.reference_object_uuid)
        return await add_face(scope, row, face, remarks, session)
    value = await _value(scope, row, session, body.value)
    entry = await store(scope, row, value, remarks)
    entry.reference_session_id = None if session is None else session.id
    if body.reference_object_uuid is not None:
        entry.reference_object_id = _object_id(body.reference_object_uuid)
    await scope.tx.flush()
    return entry


async def store(scope: Scope, row: ListRow, value: str, remarks: Remarks) -> ListEntryRow:
    """Store a normalised value, in place of an entry whose time is over, and let it take effect.

    Raises:
        AlreadyListed: it stands there.
        RefusedValue: a shared device on a blocklist.
    """
    if guards_devices(row) and await repository.shared_fingerprints(scope, [value], MOST_USERS_OF_A_DEVICE):
        raise RefusedValue(SHARED_DEVICE)
    await repository.forget_expired(scope, row.id, [value])
    entry = _fill(entry_row(scope, row, value), remarks)
    earlier = await repository.with_value(scope, row.id, value)
    if earlier is not None:
        raise AlreadyListed(earlier.id)
    if not await repository.insert(scope, entry):
        faster = await repository.with_value(scope, row.id, value)
        raise AlreadyListed(entry.id if faster is None else faster.id)
    await blocking.block(scope, row, [value])
    await _record(scope, "list.entry_added", row, [entry])
    return entry


async def add_face(
    scope: Scope, row: ListRow, original: FaceRow, remarks: Remarks, session: SessionRow | None
) -> ListEntryRow:
    """Put a stored face on a list.

    Raises:
        AlreadyListed: this very face was put there before.
    """
    earlier = await repository.of_object(scope, row.id, original.id)
    if earlier is not None and (earlier.expires_at is None or earlier.expires_at > scope.services.clock.now()):
        raise AlreadyListed(earlier.id)
    if earlier is not None:
        await remove(scope, row, [earlier])
    copy = await listed_faces.copy_of(scope, original)
    entry = _fill(entry_row(scope, row, copy.id), remarks)
    entry.details = {**entry.details, "reference_type": original.source}
    entry.reference_object_id = original.id
    entry.reference_session_id = session.id if session is not None else original.session_id
    scope.tx.add(entry)
    await _record(scope, "list.entry_added", row, [entry])
    await scope.tx.flush()
    return entry


async def add_picture(scope: Scope, row: ListRow, portrait: ExaminedPortrait, remarks: Remarks) -> ListEntryRow:
    """Put an uploaded face on a list; its value is the id of the stored face."""
    require_faces(row)
    require_future(scope, remarks.expires_at)
    face = await listed_faces.of_picture(scope, portrait)
    entry = _fill(entry_row(scope, row, face.id), remarks)
    entry.details = {**entry.details, "reference_type": "face_upload"}
    scope.tx.add(entry)
    await _record(scope, "list.entry_added", row, [entry])
    await scope.tx.flush()
    return entry


async def get(scope: Scope, row: ListRow, entry_id: str) -> ListEntryRow:
    """One entry of a list, or 404."""
    entry = await repository.find_entry(scope, row.id, as_uuid(entry_id))
    if entry is None:
        raise NotFound
    return entry


async def remove(scope: Scope, row: ListRow, entries: Sequence[ListEntryRow]) -> None:
    """Take entries off a list with everything that was kept for them; blocked people become active."""
    await listed_faces.forget(scope, entries)
    await repository.remove(scope, [entry.id for entry in entries])
    await blocking.unblock(scope, row, [entry.value for entry in entries])
    await _record(scope, "list.entry_removed", row, entries)


async def empty(scope: Scope, row: ListRow) -> None:
    """Forget what the entries of a list have kept, before the list goes with its entries."""
    if row.entry_type == EntryType.FACE:
        await listed_faces.forget(scope, await repository.all_of(scope, row.id))


def guards_devices(row: ListRow) -> bool:
    """Whether a value of the list would block every device that has it."""
    return row.entry_type == EntryType.DEVICE_FINGERPRINT and row.list_type == ListType.BLOCKLIST


def require_faces(row: ListRow) -> None:
    """Raise :class:`FacesOnly` unless pictures say something on this list."""
    if row.entry_type != EntryType.FACE or row.list_type == ListType.CUSTOM:
        raise FacesOnly


def require_future(scope: Scope, expires_at: datetime | None) -> None:
    """Raise :class:`RefusedValue` for a time that has passed."""
    if expires_at is not None and expires_at <= scope.services.clock.now():
        raise RefusedValue("This moment has passed. Name a later one, or leave it out.", "expires_at")


def session_filter(text: str | None) -> str | None:
    """The session id in a query; 404 for what is no id."""
    return None if text is None else as_uuid(text)


async def _record(scope: Scope, act: str, row: ListRow, entries: Sequence[ListEntryRow]) -> None:
    """Ids only: what stood on a list may be a person's, and goes when the entry goes."""
    for entry in entries:
        await record(
            scope,
            act,
            object_type="list",
            object_id=row.id,
            vendor_data=entry.value if row.entry_type == EntryType.USER else None,
            details={"entry_id": entry.id, "entry_type": row.entry_type, "list_type": row.list_type},
        )


def _fill(entry: ListEntryRow, remarks: Remarks) -> ListEntryRow:
    entry.display_label = remarks.display_label
    entry.comment = remarks.comment
    entry.details = dict(remarks.metadata)
    entry.expires_at = remarks.expires_at
    return entry


async def _value(scope: Scope, row: ListRow, session: SessionRow | None, given: str | None) -> str:
    entry_type = EntryType(row.entry_type)
    value = None
    if given is not None:
        try:
            value = normalise(entry_type, given)
        except UnusableValue as error:
            raise RefusedValue(str(error)) from error
    if session is None:
        if value is None:
            raise RefusedValue("Send value or reference_session_id.")
        return value
    known = await extraction.values_of(scope, session, entry_type)
    if value is not None and value not in known:
        raise NotOfTheSession(row.entry_type)
    if not known:
        raise NothingToList(row.entry_type)
    return value or known[0]


async def _face(scope: Scope, row: ListRow, session: SessionRow | None, given: str | None) -> FaceRow:
    face = None
    if given is not None:
        with contextlib.suppress(NotFound):
            face = await repository.face(scope, as_uuid(given))
        if face is None:
            raise RefusedValue("No stored face has this id. Add the face by session or by upload.")
        if session is not None and face.session_id != session.id and face.id != session.reference_face_id:
            raise NotOfTheSession(row.entry_type)
        return face
    if session is None:
        raise RefusedValue("Send value or reference_session_id.")
    face = await extraction.face_of(scope, session)
    if face is None:
        raise NothingToList(row.entry_type)
    return face


def _object_id(text: str) -> str:
    try:
        return as_uuid(text)
    except NotFound:
        raise RefusedValue("This is not a UUID.", "reference_object_uuid") from None
