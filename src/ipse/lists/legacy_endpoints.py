"""``/v3/blocklist/*``: the older calls, kept for clients written against them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from ipse.edge.authentication import ReadScope, WriteScope
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.lists import legacy
from ipse.lists.schemas import BlocklistAdd, BlocklistChanged, BlocklistItem, BlocklistRemove

router = make_router(tags=["Lists"], responses=documented(403, 429))


@router.post("/v3/blocklist/add/", responses=documented(400, 404))
async def block_values_of_session(scope: WriteScope, body: BlocklistAdd) -> BlocklistChanged:
    """Block values of a session. Repeating the call changes nothing."""
    return await legacy.add(scope, body)


@router.post("/v3/blocklist/remove/", responses=documented(400, 404))
async def unblock_values_of_session(scope: WriteScope, body: BlocklistRemove) -> BlocklistChanged:
    """Unblock values of a session. Repeating the call changes nothing."""
    return await legacy.remove(scope, body)


@router.get("/v3/blocklist/", responses=documented(400))
async def list_blocked_values(
    scope: ReadScope, item_type: Annotated[legacy.Kind | None, Query(description="One kind only.")] = None
) -> list[BlocklistItem]:
    """Blocked values that came from sessions, the newest first."""
    return await legacy.items(scope, item_type)
