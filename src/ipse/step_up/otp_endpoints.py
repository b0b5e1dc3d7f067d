"""``start`` and ``check``: the two calls of an SMS service, answered by a face."""

from __future__ import annotations

from fastapi import Request

from ipse.edge.authentication import CallerParam, limits_of
from ipse.edge.documented import documented
from ipse.edge.limits import CREATE_SESSION, SANDBOX_CREATE
from ipse.edge.routing import router as make_router
from ipse.runtime.application import Mode
from ipse.sessions.view import timestamp
from ipse.step_up import otp
from ipse.step_up.otp_schemas import OtpCheck, OtpChecked, OtpStart, OtpStarted
from ipse.step_up.verdict_endpoints import shown

router = make_router(prefix="/v3/step-up/otp", tags=["Step-up"])


@router.post("/start/", status_code=201, responses=documented(400, 403, 429, 503))
async def start(request: Request, caller: CallerParam, body: OtpStart) -> OtpStarted:
    """Get a link instead of sending a message. The page shows the person a code once their face is approved."""
    await limits_of(request).hit(CREATE_SESSION, caller.application.id)
    if caller.application.mode is Mode.SANDBOX:
        await limits_of(request).hit(SANDBOX_CREATE, caller.application.id)
    started = await otp.start(caller, body)
    return OtpStarted(
        id=started.id,
        url=started.url,
        status="pending",
        expires_at=timestamp(started.session.expires_at),
        channel="face",
        session_id=started.session.id,
        action_hash=started.session.action_hash,
    )


@router.post("/check/", responses=documented(400, 403, 404, 429))
async def check(caller: CallerParam, body: OtpCheck) -> OtpChecked:
    """Check the code that the person entered. Five wrong codes lock it; a right one works once."""
    checked = await otp.check(await caller.begin(), body)
    return OtpChecked(
        status=checked.status,
        valid=checked.status == "approved",
        verdict=None if checked.verdict is None else shown(checked.verdict),
    )
