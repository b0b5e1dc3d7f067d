"""Lists and entries as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipse.lists import repository
from ipse.lists.schemas import EntryItem, ListItem
from ipse.lists.values import EntryType, ListType
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, ListEntryRow, ListRow


async def lists(scope: Scope, rows: Sequence[ListRow]) -> list[ListItem]:
    """The lists of a page, in their order."""
    sizes = await repository.sizes(scope, rows)
    return [_list(row, sizes.get(row.id, repository.Size())) for row in rows]


async def one_list(scope: Scope, row: ListRow) -> ListItem:
    """One list."""
    return (await lists(scope, [row]))[0]


async def entries(scope: Scope, rows: Sequence[ListEntryRow]) -> list[EntryItem]:
    """The entries of a page, in their order."""
    faces = await repository.faces(scope, [row.value for row in rows if row.entry_type == EntryType.FACE])
    return [_entry(scope, row, faces.get(row.value)) for row in rows]


async def one_entry(scope: Scope, row: ListEntryRow) -> EntryItem:
    """One entry."""
    return (await entries(scope, [row]))[0]


def face_link(scope: Scope, face: FaceRow | None) -> str | None:
    """Where the picture of a listed face is shown for 60 minutes."""
    if face is None or face.media_id is None:
        return None
    return media.link(scope.services, scope.application_id, face.media_id)


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


def _entry(scope: Scope, row: ListEntryRow, face: FaceRow | None) -> EntryItem:
    metadata: dict[str, Any] = dict(row.details)
    link = face_link(scope, face)
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
