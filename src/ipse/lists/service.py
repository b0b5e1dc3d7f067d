"""Lists, and what other parts ask them: which values are listed, and is this person blocked?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ipse.audit.service import record
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import NotFound
from ipse.lists import repository
from ipse.lists.errors import ListExists, SystemList
from ipse.lists.schemas import ListCreate, ListPatch
from ipse.lists.values import EntryType, ListType, UnusableValue, normalise, spellings
from ipse.runtime.scope import Scope
from ipse.signals.lists import HIGH_RISK_COUNTRIES
from ipse.storage.tables import ListEntryRow, ListRow

SYSTEM_LISTS: Final[Mapping[tuple[ListType, EntryType], str]] = {
    **{(ListType.BLOCKLIST, kind): f"Blocklist: {kind.value}" for kind in EntryType},
    **{
        (ListType.ALLOWLIST, kind): f"Allowlist: {kind.value}"
        for kind in (EntryType.FACE, EntryType.IP_ADDRESS, EntryType.DEVICE_FINGERPRINT)
    },
    (ListType.CUSTOM, EntryType.COUNTRY): HIGH_RISK_COUNTRIES,
}
"""The lists every application has (contract 60 section 2), and their names."""


async def types_of(scope: Scope, values: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """Entry type -> the types of lists on which one of its values stands, such as ``("blocklist",)``.

    Each entry type with a readable value is a key of the answer, with ``()`` where nothing is listed. Values are
    spelled as they come; text that is no value of its type stands on no list. An entry whose time is over is no hit.
    """
    return _types(await _hits(scope, values))


async def named(scope: Scope, values: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """Entry type -> names of the lists on which one of its values stands; otherwise as :func:`types_of`."""
    return _names(await _hits(scope, values))


async def types_and_names(
    scope: Scope, values: Mapping[str, Sequence[str]]
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """The answers of :func:`types_of` and :func:`named` from one look-up."""
    hits = await _hits(scope, values)
    return _types(hits), _names(hits)


async def face_entries(scope: Scope, face_ids: Sequence[str]) -> Mapping[str, str]:
    """Face id -> the type of the list it stands on; a blocklist beats an allowlist, both beat a custom list."""
    strength = [ListType.CUSTOM, ListType.ALLOWLIST, ListType.BLOCKLIST]
    found: dict[str, ListType] = {}
    for start in range(0, len(face_ids), repository.VALUES_PER_QUERY):
        some = face_ids[start : start + repository.VALUES_PER_QUERY]
        for hit in await repository.hits(scope, {EntryType.FACE: some}):
            found[hit.value] = max(found.get(hit.value, ListType.CUSTOM), hit.list_type, key=strength.index)
    return {face_id: list_type.value for face_id, list_type in found.items()}


async def is_user_blocked(scope: Scope, vendor_data: str) -> bool:
    """Whether a person stands on the blocklist of users now, whatever status the user has."""
    hits = await types_of(scope, {EntryType.USER: [vendor_data]})
    return ListType.BLOCKLIST in hits.get(EntryType.USER, ())


async def block_user(scope: Scope, vendor_data: str, *, comment: str | None = None) -> None:
    """Put a person on the blocklist of users, for good; one who stands there already stays. No status changes."""
    blocklist = await system_list(scope, ListType.BLOCKLIST, EntryType.USER)
    value = normalise(EntryType.USER, vendor_data)
    await repository.forget_expired(scope, blocklist.id, [value])
    if await repository.with_value(scope, blocklist.id, value) is None:
        await repository.insert(scope, entry_row(scope, blocklist, value, comment=comment))


async def unblock_user(scope: Scope, vendor_data: str) -> None:
    """Take a person off the blocklist of users; one who does not stand there is no error. No status changes."""
    try:
        value = normalise(EntryType.USER, vendor_data)
    except UnusableValue:
        return
    await repository.remove(scope, [row.id for row in await repository.blocking(scope, EntryType.USER, value)])


def entry_row(scope: Scope, row: ListRow, value: str, *, comment: str | None = None) -> ListEntryRow:
    """A fresh entry with a normalised value, not stored yet."""
    return ListEntryRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        list_id=row.id,
        entry_type=row.entry_type,
        value=value,
        comment=comment,
        details={},
        added_by=scope.actor.email or scope.actor.display,
        created_at=scope.services.clock.now(),
    )


async def has_system_lists(scope: Scope) -> bool:
    """Whether every system list has been made."""
    return await repository.system_keys(scope) >= {(kind.value, entry.value) for kind, entry in SYSTEM_LISTS}


async def make_system_lists(scope: Scope) -> None:
    """Make the system lists that are missing."""
    there = await repository.system_keys(scope)
    for list_type, entry_type in SYSTEM_LISTS:
        if (list_type.value, entry_type.value) not in there:
            await system_list(scope, list_type, entry_type)


async def system_list(scope: Scope, list_type: ListType, entry_type: EntryType) -> ListRow:
    """One system list, made when it is first needed."""
    found = await repository.find_system(scope, list_type, entry_type)
    if found is None:
        row = _row(scope, SYSTEM_LISTS[list_type, entry_type], "", list_type, entry_type, is_system=True)
        found = row if await repository.insert(scope, row) else None
        found = found or await repository.find_system(scope, list_type, entry_type)
        assert found is not None
    return found


async def get(scope: Scope, list_id: str, *, lock: bool = False) -> ListRow:
    """A list of the application, or 404."""
    row = await repository.find(scope, as_uuid(list_id), lock=lock)
    if row is None:
        raise NotFound
    return row


async def create(scope: Scope, body: ListCreate) -> ListRow:
    """Create an allowlist or a custom list.

    Raises:
        ListExists: the name is taken.
    """
    row = _row(scope, body.name, body.description, ListType(body.list_type), body.entry_type, is_system=False)
    await _require_free(scope, body.name)
    if not await repository.insert(scope, row):
        raise ListExists
    await written(scope, "list.created", row)
    return row


async def change(scope: Scope, row: ListRow, patch: ListPatch) -> None:
    """Rename or describe a list.

    Raises:
        SystemList: it is one.
        ListExists: the name is taken.
    """
    require_own(row)
    if patch.name is not None and patch.name != row.name:
        await _require_free(scope, patch.name)
        row.name = patch.name
    if patch.description is not None:
        row.description = patch.description
    row.updated_at = scope.services.clock.now()
    await written(scope, "list.changed", row)
    await scope.tx.flush()


async def written(scope: Scope, act: str, row: ListRow) -> None:
    """Write an act on a list into the audit log."""
    details = {"list_type": row.list_type, "entry_type": row.entry_type}
    await record(scope, act, object_type="list", object_id=row.id, details=details)


def require_own(row: ListRow) -> None:
    """Raise :class:`SystemList` for a list that the service keeps."""
    if row.is_system:
        raise SystemList


async def _require_free(scope: Scope, name: str) -> None:
    if name in SYSTEM_LISTS.values() or await repository.find_named(scope, name) is not None:
        raise ListExists


_Hits = Mapping[str, Sequence[repository.Hit]]


def _types(found: _Hits) -> Mapping[str, tuple[str, ...]]:
    return {kind: tuple(sorted({hit.list_type.value for hit in hits})) for kind, hits in found.items()}


def _names(found: _Hits) -> Mapping[str, tuple[str, ...]]:
    return {kind: tuple(sorted({hit.list_name for hit in hits})) for kind, hits in found.items()}


async def _hits(scope: Scope, values: Mapping[str, Sequence[str]]) -> _Hits:
    wanted = {
        EntryType(kind): tuple(dict.fromkeys(one for text in texts for one in spellings(EntryType(kind), text)))
        for kind, texts in values.items()
    }
    found: dict[str, list[repository.Hit]] = {kind.value: [] for kind, texts in wanted.items() if texts}
    for hit in await repository.hits(scope, wanted):
        found[hit.entry_type.value].append(hit)
    return found


def _row(
    scope: Scope, name: str, description: str, list_type: ListType, entry_type: EntryType, *, is_system: bool
) -> ListRow:
    now = scope.services.clock.now()
    return ListRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        name=name,
        description=description,
        list_type=list_type.value,
        entry_type=entry_type.value,
        is_system=is_system,
        created_at=now,
        updated_at=now,
    )
