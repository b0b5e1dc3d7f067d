"""The older blocklist calls as a view of the system blocklists (contract 60 section 3).

They name a session and kinds of values instead of lists and entries. Both calls may be repeated: what is blocked stays
blocked, what is not blocked is no error. What a call asks for and the session does not have is refused, so that nobody
believes a person to be blocked who is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, cast

from ipse.lists import entries, extraction, repository, service, view
from ipse.lists.entries import Remarks
from ipse.lists.errors import AlreadyListed, NothingSelected, NothingToList
from ipse.lists.schemas import BlocklistAdd, BlocklistChanged, BlocklistItem, BlocklistRemove
from ipse.lists.values import EntryType, ListType
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.storage.tables import ListEntryRow, ListRow, SessionRow

Kind = Literal["face", "document", "phone", "email"]
KINDS: Final[Mapping[Kind, EntryType]] = MappingProxyType(
    {
        "face": EntryType.FACE,
        "document": EntryType.DOCUMENT,
        "phone": EntryType.PHONE,
        "email": EntryType.EMAIL,
    }
)


async def add(scope: Scope, body: BlocklistAdd) -> BlocklistChanged:
    """Block the values of a session.

    Raises:
        NotFound: the session is not the application's own.
        NothingSelected: no kind was asked for.
        NothingToList: the session has no value of a kind; nothing was blocked.
    """
    chosen = [kind for kind in KINDS if getattr(body, f"blocklist_{kind}")]
    session = await _session(scope, body.session_id, chosen)
    for kind in chosen:
        row = await service.system_list(scope, ListType.BLOCKLIST, KINDS[kind])
        try:
            await _block(scope, row, session)
        except AlreadyListed:
            continue
    return await _changed(scope, session)


async def remove(scope: Scope, body: BlocklistRemove) -> BlocklistChanged:
    """Unblock the values of a session, whoever blocked them and however.

    Raises:
        NotFound: the session is not the application's own.
        NothingSelected: no kind was asked for.
    """
    chosen = [kind for kind in KINDS if getattr(body, f"unblock_{kind}")]
    session = await _session(scope, body.session_id, chosen)
    for kind in chosen:
        row = await service.system_list(scope, ListType.BLOCKLIST, KINDS[kind])
        await entries.remove(scope, row, await _entries(scope, row, session))
    return await _changed(scope, session)


async def items(scope: Scope, item_type: Kind | None) -> list[BlocklistItem]:
    """The blocked values that came from sessions, newest first; at most 1,000."""
    kinds = [item_type] if item_type is not None else list(KINDS)
    rows: list[ListEntryRow] = []
    for kind in kinds:
        row = await repository.find_system(scope, ListType.BLOCKLIST, KINDS[kind])
        rows += [] if row is None else await repository.of_session(scope, [row.id], None)
    rows.sort(key=lambda entry: (entry.created_at, entry.id), reverse=True)
    rows = rows[: repository.VALUES_PER_QUERY]
    numbers = await repository.session_numbers(scope, [one.reference_session_id or "" for one in rows])
    links = await view.face_links(scope, rows)
    return [
        BlocklistItem(
            type=cast("Kind", entry.entry_type),
            session_id=entry.reference_session_id,
            session_number=numbers.get(entry.reference_session_id or ""),
            blocklisted_at=entry.created_at,
            face_image=links.get(entry.id),
            document_type=None,
            document_number=_if(entry, EntryType.DOCUMENT),
            phone_number=_if(entry, EntryType.PHONE),
            email=_if(entry, EntryType.EMAIL),
        )
        for entry in rows
    ]


async def _session(scope: Scope, session_id: str, chosen: Sequence[Kind]) -> SessionRow:
    session = await sessions.get(scope, session_id)
    if not chosen:
        raise NothingSelected
    return session


async def _block(scope: Scope, row: ListRow, session: SessionRow) -> None:
    if row.entry_type == EntryType.FACE:
        face = await extraction.face_of(scope, session)
        if face is None:
            raise NothingToList(row.entry_type)
        await entries.add_face(scope, row, face, Remarks(), session)
        return
    values = await extraction.values_of(scope, session, EntryType(row.entry_type))
    if not values:
        raise NothingToList(row.entry_type)
    entry = await entries.store(scope, row, values[0], Remarks())
    entry.reference_session_id = session.id
    await scope.tx.flush()


async def _entries(scope: Scope, row: ListRow, session: SessionRow) -> list[ListEntryRow]:
    """Entries that came from the session, and those of its values that came from elsewhere."""
    found = {entry.id: entry for entry in await repository.of_session(scope, [row.id], session.id)}
    for value in await extraction.values_of(scope, session, EntryType(row.entry_type)):
        entry = await repository.with_value(scope, row.id, value)
        if entry is not None:
            found[entry.id] = entry
    return list(found.values())


async def _changed(scope: Scope, session: SessionRow) -> BlocklistChanged:
    blocked: dict[str, bool] = {}
    for kind, entry_type in KINDS.items():
        row = await repository.find_system(scope, ListType.BLOCKLIST, entry_type)
        blocked[kind] = row is not None and bool(await _entries(scope, row, session))
    return BlocklistChanged(session_id=session.id, **blocked)


def _if(entry: ListEntryRow, entry_type: EntryType) -> str | None:
    return entry.value if entry.entry_type == entry_type else None
