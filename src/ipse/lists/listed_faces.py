"""Faces that stand on lists. Each is a copy of its own, so that it outlives the session or the user it came from.

The copy belongs to nobody (no ``vendor_data``, no session): leaving a person's own faces out of a search cannot hide
it, and deleting that person does not lift the block. Deleting the entry forgets the copy.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipse.faces import service as faces
from ipse.faces.errors import NoTemplate, TemplateRevoked
from ipse.lists import repository
from ipse.lists.errors import RefusedValue
from ipse.lists.values import EntryType
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, ListEntryRow
from ipse.users.portraits import ExaminedPortrait


async def copy_of(scope: Scope, original: FaceRow) -> FaceRow:
    """Keep a stored face for a list. The picture stays with its owner and disappears with it.

    Raises:
        RefusedValue: the template was revoked: a list would hold a face that nobody is compared with.
    """
    try:
        template = await faces.open_template(scope, original)
    except NoTemplate:
        template = None
    except TemplateRevoked as error:
        raise RefusedValue("The template of this face was revoked. Upload a picture instead.") from error
    return await faces.add(
        scope,
        user=None,
        session_id=None,
        media_id=original.media_id,
        template=template,
        purpose="listed",
        source="list_entry",
        supplied_by=original.supplied_by,
        searchable=True,
    )


async def of_picture(scope: Scope, portrait: ExaminedPortrait) -> FaceRow:
    """Keep an uploaded face and its picture for a list."""
    kept = await media.store(
        scope,
        kind=repository.LISTED_FACE,
        content=portrait.content,
        content_type=portrait.content_type,
        session_id=None,
    )
    return await faces.add(
        scope,
        user=None,
        session_id=None,
        media_id=kept.id,
        template=portrait.template,
        purpose="listed",
        source="list_entry",
        supplied_by="operator",
        searchable=True,
    )


async def forget(scope: Scope, entries: Sequence[ListEntryRow]) -> None:
    """Delete the faces behind entries, and the pictures that were uploaded for them.

    Pictures are looked up before the rows go: the other order loses the only trace of them.
    """
    face_ids = [entry.value for entry in entries if entry.entry_type == EntryType.FACE]
    for start in range(0, len(face_ids), repository.VALUES_PER_QUERY):
        some = face_ids[start : start + repository.VALUES_PER_QUERY]
        rows = await repository.faces(scope, some)
        pictures = [row.media_id for row in rows.values() if row.media_id is not None]
        await media.erase(scope, await repository.uploaded_pictures(scope, pictures))
        await repository.forget_faces(scope, some)
