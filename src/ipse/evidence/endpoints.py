"""``GET /v3/session/{id}/evidence/``: the evidence pack of a session. Ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from ipse.edge.authentication import SessionWriteScope
from ipse.edge.documented import documented
from ipse.edge.errors import Detail
from ipse.edge.routing import router as make_router
from ipse.evidence import exporting
from ipse.evidence.errors import EvidenceError

router = make_router(tags=["Evidence"])


@router.get(
    "/v3/session/{session_id}/evidence/",
    response_class=Response,
    responses={
        200: {
            "description": "The pack.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented(403, 404, 409, 503),
    },
)
async def session_evidence(
    scope: SessionWriteScope,
    session_id: str,
    images: Annotated[bool, Query(description="Put the images themselves into the pack.")] = False,
) -> Response:
    """The signed evidence pack: decision, its input, reports, workflow, models, image digests, events, audit proof.

    `ipse evidence verify` checks it without this service. The export is written down in the audit log.
    """
    try:
        content = await exporting.export(scope, session_id, with_images=images)
    except EvidenceError as error:
        raise Detail(409, str(error)) from error
    disposition = f'attachment; filename="evidence-{session_id}.zip"'
    return Response(content, media_type="application/zip", headers={"Content-Disposition": disposition})
