"""Lists and entries as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipse.lists import repository
from ipse.lists.schemas import EntryItem, ListItem
from ipse.lists.values import EntryType, ListType
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import ListEntryRow, ListRow


async def lists(scope: Scope, rows: Sequence[ListRow]) -> list[ListItem]:
    """The lists of a page, in their order."""
    sizes = await repository.sizes(scope, rows)
    return [_list(row, sizes.get(row.id, repository.Size())) for row in rows]


async def one_list(scope: Scope, row: ListRow) -> ListItem:
    """One list."""
    return (await lists(scope, [row]))[0]


async def entries(scope: Scope, rows: Sequence[ListEntryRow]) -> list[EntryItem]:
    """The entries of a page, in their order."""
    links = await face_links(scope, rows)
    return [_entry(row, links.get(row.id)) for row in rows]


async def one_entry(scope: Scope, row: ListEntryRow) -> EntryItem:
    """One entry."""
    return (await entries(scope, [row]))[0]


async def face_links(scope: Scope, rows: Sequence[ListEntryRow]) -> Mapping[str, str]:
    """Entry id -> where the picture of a listed face is shown for 60 minutes, for pictures that still exist."""
    faces = await repository.faces(scope, [row.value for row in rows if row.entry_type == EntryType.FACE])
    shown = {row.id: face.media_id for row in rows if (face := faces.get(row.value)) is not None and face.media_id}
    there = await repository.pictures(scope, list(shown.values()))
    return {
        entry_id: media.link(scope.services, scope.application_id, media_id)
        for entry_id, media_id in shown.items()
        if media_id in there
    }


def _list(row: ListRow, size: repository.Size) -> ListItem:
    return ListItem(
        uuid=row.id,
        name=row.name,
        description=row.description,
        list_type=ListType(row.list_type),
        entry_type=EntryType(row.entry_type),
        is_system=row.is_system,
        entry_count=size.entries,
        last_entry_added_at=size.last_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _entry(row: ListEntryRow, link: str | None) -> EntryItem:
    metadata: dict[str, Any] = dict(row.details)
    if link is not None:
        metadata["reference_image_url"] = link
    return EntryItem(
        uuid=row.id,
        value=row.value,
        display_label=row.display_label,
        comment=row.comment,
        reference_session_id=row.reference_session_id,
        reference_object_uuid=row.reference_object_id,
        metadata=metadata,
        added_by=row.added_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
