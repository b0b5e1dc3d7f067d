"""The calls by which a session moves to a second device and back (docs/handoff.md)."""

from __future__ import annotations

from fastapi import Request

from ipse.capture import handoffs, options, service, view
from ipse.capture.authentication import DeviceParam
from ipse.capture.endpoints import request_facts
from ipse.capture.errors import HandoffNotAllowed
from ipse.capture.schemas import CaptureState, HandoffOffer, HandoffOpened, OpenHandoff
from ipse.edge.authentication import limits_of
from ipse.edge.documented import documented
from ipse.edge.limits import OPEN_LINK
from ipse.edge.routing import router as make_router
from ipse.edge.unit import services_of, unit_of

router = make_router(prefix="/v1/capture/handoffs", tags=["Capture"])


@router.post("/", response_model=HandoffOffer, responses=documented(403, 409, 410))
async def offer(request: Request, device: DeviceParam) -> HandoffOffer:
    """First device: get a link for a second one. It works once, for five minutes, and replaces every earlier link."""
    scope = await device.begin()
    session, progress = await service.load(scope, device.session_id, lock=True)
    service.require_open(scope, session)
    if not options.allows_handoff(progress.version.graph):
        raise HandoffNotAllowed
    return await handoffs.offer(scope, device, session, request_facts(request))


@router.post("/open/", response_model=HandoffOpened, responses=documented(400, 403, 410, 429))
async def open_link(request: Request, body: OpenHandoff) -> HandoffOpened:
    """Second device, without a Session-Token: follow the link and get a token of one's own."""
    facts = request_facts(request)
    await limits_of(request).hit(OPEN_LINK, facts.ip or "unknown")
    return await handoffs.open_link(unit_of(request), services_of(request), body.token, facts)


@router.post("/confirm/", response_model=CaptureState, responses=documented(403, 409, 410))
async def confirm(device: DeviceParam) -> CaptureState:
    """Second device: both screens show the same number; from now on only this device captures."""
    scope = await device.begin()
    session, progress = await service.load(scope, device.session_id, lock=True)
    service.require_open(scope, session)
    await handoffs.confirm(scope, device, session)
    return await view.state(scope, device, session, progress, progress.evaluation())


@router.post("/end/", response_model=CaptureState, responses=documented(403, 410))
async def end(device: DeviceParam) -> CaptureState:
    """Either device: the first goes on. Answered also when nothing was handed over, or the session is finished."""
    scope = await device.begin()
    session, progress = await service.load(scope, device.session_id, lock=True)
    await handoffs.end(scope, device, session)
    return await view.state(scope, device, session, progress, progress.evaluation())
