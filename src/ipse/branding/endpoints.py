"""`/v3/customization/` (contract 60, section 6) and the logos themselves."""

from __future__ import annotations

from fastapi import Response
from starlette.requests import Request

from ipse.branding import form, repository, service
from ipse.branding.schemas import BrandingCustomization
from ipse.edge.authentication import CallerParam, ReadScope, as_uuid
from ipse.edge.documented import documented
from ipse.edge.errors import NotFound
from ipse.edge.routing import router as make_router
from ipse.edge.unit import unit_of
from ipse.hosted import headers

router = make_router(tags=["Customization"])


@router.get("/v3/customization/", operation_id="get_customization", responses=documented(403, 429))
async def get_customization(scope: ReadScope) -> BrandingCustomization:
    """How the hosted page of the application looks, defaults included."""
    return await service.customization(scope)


@router.patch(
    "/v3/customization/",
    operation_id="update_customization",
    responses=documented(400, 403, 409, 413, 429),
    openapi_extra=form.documentation(),
)
async def update_customization(request: Request, caller: CallerParam) -> BrandingCustomization:
    """Change any subset, as JSON, or as a form with logos: 1:1 and 2:1 of at most 1 MB, a favicon of at most 500 kB."""
    wanted, images = await form.read(request)
    scope = await caller.begin()
    await service.change(scope, wanted, images)
    return await service.customization(scope)


@router.get("/hosted/brand/{application_id}/{digest}", include_in_schema=False)
@router.head("/hosted/brand/{application_id}/{digest}", include_in_schema=False)
async def brand_image(request: Request, application_id: str, digest: str) -> Response:
    """A logo. Its address changes with its content, so browsers keep it."""
    async with unit_of(request).peek() as tx:
        row = await repository.image_by_digest(tx, as_uuid(application_id), digest) if len(digest) == 16 else None
    if row is None:
        raise NotFound
    return Response(row.content, media_type=row.content_type, headers=dict(headers.brand_image()))
