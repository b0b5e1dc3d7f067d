"""``/v3/lists/*``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request

from ipse.edge.authentication import CallerParam, ReadScope, WriteScope
from ipse.edge.documented import documented
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.lists import entries, importing, repository, service, view
from ipse.lists.entries import Remarks
from ipse.lists.import_lines import reader_for
from ipse.lists.schemas import (
    EntryCreate,
    EntryItem,
    FaceEntryCreate,
    Imported,
    ListCreate,
    ListItem,
    ListPatch,
)
from ipse.lists.values import EntryType, ListType
from ipse.users import portraits

IMPORT_BODIES = {
    "text/csv": {"schema": {"type": "string"}, "example": "value,comment\n203.0.113.0/24,Botnet\n"},
    "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"value": "203.0.113.0/24"}\n'},
}

router = make_router(tags=["Lists"], responses=documented(403, 429))


@router.get("/v3/lists/", responses=documented(400))
async def list_lists(
    caller: CallerParam,
    window: WindowParam,
    list_type: ListType | None = None,
    entry_type: EntryType | None = None,
    ordering: Literal["created_at", "-created_at"] = "-created_at",
) -> Page[ListItem]:
    """Lists, the newest first, system lists included."""
    async with caller.unit.peek() as tx:
        complete = await service.has_system_lists(caller.within(tx))
    scope = await (caller.read() if complete else caller.begin())
    if not complete:
        await service.make_system_lists(scope)
    count, rows = await repository.page(
        scope,
        list_type=list_type,
        entry_type=entry_type,
        oldest_first=ordering == "created_at",
        limit=window.limit,
        offset=window.offset,
    )
    return window.page(await view.lists(scope, rows), count)


@router.post("/v3/lists/", status_code=201, responses=documented(400))
async def create_list(scope: WriteScope, body: ListCreate) -> ListItem:
    """Create an allowlist or a custom list."""
    return await view.one_list(scope, await service.create(scope, body))


@router.get("/v3/lists/{list_id}/", responses=documented(404))
async def get_list(scope: ReadScope, list_id: str) -> ListItem:
    """One list."""
    return await view.one_list(scope, await service.get(scope, list_id))


@router.patch("/v3/lists/{list_id}/", responses=documented(400, 404))
async def change_list(scope: WriteScope, list_id: str, body: ListPatch) -> ListItem:
    """Rename or describe a list. System lists stay as they are."""
    row = await service.get(scope, list_id, lock=True)
    await service.change(scope, row, body)
    return await view.one_list(scope, row)


@router.delete("/v3/lists/{list_id}/", status_code=204, responses=documented(400, 404))
async def delete_list(scope: WriteScope, list_id: str) -> None:
    """Delete a list with its entries, and the faces on it. System lists stay."""
    row = await service.get(scope, list_id, lock=True)
    service.require_own(row)
    await entries.empty(scope, row)
    await scope.tx.delete(row)
    await service.written(scope, "list.deleted", row)


@router.get("/v3/lists/{list_id}/entries/", responses=documented(400, 404))
async def list_entries(
    scope: ReadScope,
    window: WindowParam,
    list_id: str,
    search: Annotated[
        str | None, Query(max_length=512, description="A whole value, or words that begin words of a value or a label.")
    ] = None,
    reference_session_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[EntryItem]:
    """Entries that are in force, the newest first."""
    row = await service.get(scope, list_id)
    count, rows = await repository.entry_page(
        scope,
        row,
        wanted=search,
        session_id=entries.session_filter(reference_session_id),
        limit=window.limit,
        offset=window.offset,
    )
    return window.page(await view.entries(scope, rows), count)


@router.post("/v3/lists/{list_id}/entries/", status_code=201, responses=documented(400, 404))
async def add_entry(scope: WriteScope, list_id: str, body: EntryCreate) -> EntryItem:
    """Put a value on a list, or what a session has of the list's type."""
    row = await service.get(scope, list_id, lock=True)
    return await view.one_entry(scope, await entries.add(scope, row, body))


@router.post("/v3/lists/{list_id}/entries/face-upload/", status_code=201, responses=documented(400, 404, 503))
async def upload_face_entry(caller: CallerParam, list_id: str, body: FaceEntryCreate) -> EntryItem:
    """Put the largest face of a picture on a blocklist or an allowlist of faces."""
    async with caller.unit.peek() as tx:
        entries.require_faces(await service.get(caller.within(tx), list_id))
    portrait = await portraits.examine(caller, body.image)
    scope = await caller.begin()
    row = await service.get(scope, list_id, lock=True)
    remarks = Remarks(body.display_label, body.comment, {}, body.expires_at)
    return await view.one_entry(scope, await entries.add_picture(scope, row, portrait, remarks))


@router.post(
    "/v3/lists/{list_id}/entries/import/",
    responses=documented(400, 404, 413, 415),
    openapi_extra={"requestBody": {"required": True, "content": IMPORT_BODIES}},
)
async def import_entries(caller: CallerParam, request: Request, list_id: str) -> Imported:
    """Put up to a million values on a list: CSV, or one JSON value on each line. Not for faces."""
    reader = reader_for(request.headers.get("content-type", ""))
    return await importing.run(caller, list_id, request.stream(), reader)


@router.delete("/v3/lists/{list_id}/entries/{entry_id}/", status_code=204, responses=documented(404))
async def delete_entry(scope: WriteScope, list_id: str, entry_id: str) -> None:
    """Take an entry off its list; a face on it is forgotten at once."""
    row = await service.get(scope, list_id, lock=True)
    await entries.remove(scope, row, [await entries.get(scope, row, entry_id)])
