"""How a person comes into a session by a share link, and how they leave one without finishing."""

from __future__ import annotations

from fastapi import Request

from ipse.capture import leaving, sharing
from ipse.capture.authentication import DeviceParam
from ipse.capture.schemas import CaptureState, Leave, SharedSession
from ipse.edge.authentication import limits_of
from ipse.edge.client_address import client_address
from ipse.edge.documented import documented
from ipse.edge.limits import CREATE_SESSION, OPEN_LINK, SANDBOX_CREATE
from ipse.edge.routing import router as make_router
from ipse.edge.unit import services_of, unit_of
from ipse.runtime.application import Mode

router = make_router(prefix="/v1/capture", tags=["Capture"])


@router.post("/cancel/", response_model=CaptureState, responses=documented(400, 403, 409, 410))
async def leave(device: DeviceParam, body: Leave) -> CaptureState:
    """Leave: for now, because the action is not yours, or by the way without biometrics."""
    return await leaving.leave(device, body.reason)


@router.post("/share/{code}/", status_code=201, response_model=SharedSession, responses=documented(404, 429))
async def open_share_link(request: Request, code: str) -> SharedSession:
    """Make a session of a workflow for whoever opened its share link."""
    limits = limits_of(request)
    await limits.hit(OPEN_LINK, client_address(request, services_of(request).settings.trusted_proxies) or "unknown")
    caller, workflow_id = await sharing.caller_of(unit_of(request), code)
    await limits.hit(CREATE_SESSION, caller.application.id)
    if caller.application.mode is Mode.SANDBOX:
        await limits.hit(SANDBOX_CREATE, caller.application.id)
    return await sharing.create(caller, workflow_id)
