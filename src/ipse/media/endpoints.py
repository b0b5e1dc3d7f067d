"""``GET /media/{media_id}``: one image, to whoever holds a link that was signed less than an hour ago."""

from __future__ import annotations

from typing import Annotated, Any, Final

import structlog
from fastapi import Query, Response
from starlette.requests import Request

from ipse.audit.service import record_chain
from ipse.edge.authentication import as_uuid
from ipse.edge.documented import documented
from ipse.edge.errors import Detail, NotFound, Unavailable
from ipse.edge.routing import router as make_router
from ipse.edge.unit import unit_of
from ipse.media import repository
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.media.service import open_row
from ipse.runtime.scope import Actor
from ipse.runtime.services import Services
from ipse.security.links import LinkExpired, LinkRefused, check_link
from ipse.storage.blobs import BlobStoreUnavailable
from ipse.storage.tables import MediaRow

log = structlog.get_logger(__name__)

router = make_router(tags=["Media"])

_HOLDER: Final = Actor("LINK", "Holder of a signed link")
_SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/webp"})
_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",  # the integrator's own pages show these images
}
_IMAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The image.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(_SHOWN_INLINE)},
    }
}


@router.get(
    "/media/{media_id}",
    response_class=Response,
    responses={**_IMAGE, **documented(403, 404, 410, 503)},
    summary="Show an image behind a signed link",
)
async def show(
    request: Request,
    media_id: str,
    expires: Annotated[str, Query(description="Unix seconds at which the link ends.")] = "",
    signature: Annotated[str, Query(description="Proof that this service made the link.")] = "",
) -> Response:
    """Links come from the API (decision, standalone reports) and need no key. They die after 60 minutes."""
    unit = unit_of(request)
    async with unit.peek() as tx:
        try:
            row = await repository.find_any(tx, as_uuid(media_id))
        except NotFound:
            row = None
    try:
        if row is None:
            raise LinkRefused
        check_link(
            unit.services.ordinary_ring,
            application_id=row.application_id,
            media_id=row.id,
            expires=expires,
            signature=signature,
            now=unit.services.clock.now(),
        )
        medium = await open_row(unit.services, row)
        await _record(unit.services, row)
    except LinkExpired as error:
        raise Detail(410, str(error)) from error
    except LinkRefused as error:
        raise Detail(403, str(error)) from error
    except MediumNotFound as error:
        raise NotFound(str(error)) from error
    except MediumDamaged as error:
        log.error("media.damaged", media=row.id if row else None)
        raise NotFound("This medium cannot be shown; its stored bytes are damaged.") from error
    except BlobStoreUnavailable as error:
        raise Unavailable("The media store does not answer. Please try again.") from error
    shown = medium.content_type in _SHOWN_INLINE
    disposition = "inline" if shown else "attachment"
    return Response(
        medium.content,
        media_type=medium.content_type if shown else "application/octet-stream",
        headers={**_HEADERS, "Content-Disposition": disposition},
    )


async def _record(services: Services, row: MediaRow) -> None:
    """Nobody sees a face unless it is written down; who holds a link is not known, only whom it was made for."""
    async with services.database.writing() as tx:
        await record_chain(
            services,
            tx,
            row.application_id,
            "media.read",
            actor=_HOLDER,
            object_type="session" if row.session_id else "media",
            object_id=row.session_id or row.id,
            details={"media_id": row.id, "kind": row.kind},
        )
