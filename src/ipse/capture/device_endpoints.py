"""A device describes itself, where it could not do so when the session was started."""

from __future__ import annotations

from fastapi import Request

from ipse.capture import device_reports, service
from ipse.capture.authentication import DeviceParam
from ipse.capture.device_schema import BoundedReport, DeviceReport
from ipse.devices import service as devices
from ipse.edge.client_address import client_address
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router

router = make_router(prefix="/v1/capture", tags=["Capture"])


@router.post("/device/", status_code=204, responses=documented(400, 403, 409, 410, 413))
async def report_device(request: Request, device: DeviceParam, body: DeviceReport, _bounded: BoundedReport) -> None:
    """Describe the device, once and early. Checks that have run already do not run again for it."""
    scope = await device.begin()
    session, _ = await service.load(scope, device.session_id, lock=True)
    service.require_open(scope, session)
    holder = device_reports.holder_of(device)
    device_reports.keep(scope, session, holder, body)
    headers = {name.lower(): value for name, value in request.headers.items()}
    address = client_address(request, scope.services.settings.trusted_proxies)
    await devices.remember(
        scope,
        vendor_data=session.vendor_data,
        device=device_reports.facts_of(session, holder, headers),
        network=scope.services.network.look_up(address, on=scope.services.clock.now().date()),
        session_id=session.id,
    )
