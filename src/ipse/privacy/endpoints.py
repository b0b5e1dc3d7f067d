"""``/v3/erasure-receipts/`` and the export of what is stored about a person (both ours)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import StreamingResponse

from ipse.audit import service as audit
from ipse.edge.authentication import ReadScope, UsersCaller, as_uuid
from ipse.edge.documented import documented
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.privacy import export, receipts, view
from ipse.privacy.receipts import Kind
from ipse.privacy.schemas import ReceiptItem

router = make_router(tags=["Privacy"], responses=documented(401, 403, 429))


@router.get("/v3/erasure-receipts/", responses=documented(404))
async def list_receipts(
    scope: ReadScope,
    window: WindowParam,
    session_id: Annotated[str | None, Query(description="The receipt of this session.")] = None,
    vendor_data: Annotated[str | None, Query(max_length=256, description="The receipts of this person.")] = None,
) -> Page[ReceiptItem]:
    """Signed receipts of what was erased, newest first. They name nobody; who knows an id finds its receipt."""
    wanted = [] if session_id is None else [(Kind.SESSION, as_uuid(session_id))]
    wanted += [] if vendor_data is None else [(Kind.USER, vendor_data)]
    count, rows = await receipts.page(scope, wanted, limit=window.limit, offset=window.offset)
    return window.page([view.receipt(row) for row in rows], count)


@router.get("/v3/users/{vendor_data:path}/export/", response_class=StreamingResponse, responses=documented(404))
async def export_person(
    caller: UsersCaller,
    vendor_data: str,
    images: Annotated[bool, Query(description="Add the images, decrypted.")] = False,
) -> StreamingResponse:
    """Everything that is stored about a person, as a ZIP archive of JSON lines. Never a template."""
    async with caller.unit.peek() as tx:
        await export.require_known(caller.within(tx), vendor_data)
    scope = await caller.begin()
    await audit.record(
        scope, "user.exported", object_type="user", object_id=vendor_data, vendor_data=vendor_data,
        details={"images": images},
    )  # fmt: skip
    return StreamingResponse(
        export.archive(scope.services, scope.application, vendor_data, images=images),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="person.zip"'},
    )
