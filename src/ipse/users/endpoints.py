"""``/v3/users/*`` and the upload of profile faces.

``vendor_data`` stands in the path as clients send it, un-encoded and with any reserved character, a slash
included: hence the ``:path`` converters, and the order of the routes.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from ipse.edge.authentication import ConsoleCaller
from ipse.edge.documented import documented
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.media import service as media
from ipse.users import portraits, repository, service, view
from ipse.users.belonging_endpoints import router as belongings
from ipse.users.schemas import (
    Country,
    Deleted,
    Deletion,
    FaceUpload,
    FaceUploaded,
    StatusChange,
    UserCreate,
    UserDetail,
    UserItem,
    UserPatch,
    UserStatus,
)
from ipse.users.scopes import UsersReadScope, UsersWriteScope

router = make_router(tags=["Users"], responses=documented(401, 403, 429))
router.include_router(belongings)


@router.get("/v3/users/", responses=documented(400))
async def list_users(
    scope: UsersReadScope,
    window: WindowParam,
    status: UserStatus | None = None,
    search: Annotated[str | None, Query(max_length=256, description="Part of vendor_data or of a name.")] = None,
    country: Annotated[Country | None, Query(description="Issuing state, alpha-3.")] = None,
) -> Page[UserItem]:
    """Users, the most recent session first. ``count`` stops at 100."""
    count, rows = await repository.page(
        scope, status=status, wanted=search, country=country, limit=window.limit, offset=window.offset
    )
    return window.page(await view.items(scope, rows), count)


@router.post("/v3/users/create/", status_code=201, responses=documented(400))
async def create_user(scope: UsersWriteScope, body: UserCreate) -> UserDetail:
    """Create a user before the first session; sessions create theirs by themselves."""
    return await view.detail(scope, await service.create(scope, body))


@router.post("/v3/users/delete/", responses=documented(400))
async def delete_users(scope: UsersWriteScope, body: Deletion) -> Deleted:
    """Delete users for good, with their sessions and everything else about them. Blocks stay on their lists."""
    return Deleted(deleted=len(await service.delete(scope, body)))


@router.patch("/v3/users/{vendor_data:path}/update-status/", responses=documented(400, 404))
async def update_user_status(scope: UsersWriteScope, vendor_data: str, body: StatusChange) -> UserDetail:
    """Set the status. A blocked user gets no sessions; fires ``user.status.updated``."""
    row = await service.get(scope, vendor_data)
    await service.change_status(scope, row, body.status)
    return await view.detail(scope, row)


@router.get("/v3/users/{vendor_data:path}/", responses=documented(404))
async def get_user(scope: UsersReadScope, vendor_data: str) -> UserDetail:
    """One user."""
    return await view.detail(scope, await service.get(scope, vendor_data))


@router.patch("/v3/users/{vendor_data:path}/", responses=documented(400, 404))
async def change_user(scope: UsersWriteScope, vendor_data: str, body: UserPatch) -> UserDetail:
    """Change what is sent; fires ``user.data.updated``."""
    row = await service.get(scope, vendor_data)
    await service.change(scope, row, body)
    return await view.detail(scope, row)


@router.post(
    "/v3/organization/{organization_id}/application/{application_id}"
    "/vendor-users/by-id/{didit_internal_id}/faces/upload/",
    status_code=201,
    responses=documented(400, 404, 503),
)
async def upload_face(
    caller: ConsoleCaller, organization_id: str, application_id: str, didit_internal_id: str, body: FaceUpload
) -> FaceUploaded:
    """Enrol a portrait the integrator already has; at most five for a user."""
    async with caller.unit.peek() as tx:
        await service.get_by_id(caller.within(tx), didit_internal_id)
    portrait = await portraits.examine(caller, body.image)
    scope = await caller.begin()
    user = await service.get_by_id(scope, didit_internal_id)
    face = await portraits.store(scope, user, portrait, body.comment)
    return FaceUploaded(
        uuid=face.id,
        image_url=media.link(scope.services, scope.application_id, face.media_id) if face.media_id else None,
        comment=face.comment,
        uploaded_by=scope.actor.email or scope.actor.display,
        created_at=face.created_at,
    )
