"""Asking for a challenge, and answering it phase by phase."""

from __future__ import annotations

from fastapi import Request

from ipse.capture import challenges, handoffs, lockouts, service
from ipse.capture.authentication import DeviceParam
from ipse.capture.checking import require_accepted
from ipse.capture.endpoints import request_facts
from ipse.capture.schemas import ChallengeRequest, ChallengeView, PhaseDone
from ipse.decision.config import CaptureMethod
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router

router = make_router(prefix="/v1/capture", tags=["Capture"])


@router.post(
    "/steps/{node_id}/challenge/",
    response_model=ChallengeView,
    responses=documented(400, 403, 404, 409, 410, 429),
)
async def begin(request: Request, node_id: str, device: DeviceParam, body: ChallengeRequest) -> ChallengeView:
    """Ask for a challenge and learn its first phase. An unfinished challenge of the session ends here."""
    scope = await device.begin()
    session, progress = await service.load(scope, device.session_id, lock=True)
    service.require_open(scope, session)
    service.require_shown(session, body.action_hash)
    await handoffs.take_over(scope, device)
    method, node = CaptureMethod(body.method), service.awaited_node(progress, node_id)
    require_accepted(method, node)
    await lockouts.admit(scope, device, progress, request_facts(request))
    return await challenges.begin(scope, session.id, node_id, progress.attempts_at(node_id) + 1, method)


@router.post(
    "/challenges/{challenge_id}/phases/",
    response_model=ChallengeView,
    responses=documented(400, 403, 404, 409, 410),
)
async def commit(challenge_id: str, device: DeviceParam, body: PhaseDone) -> ChallengeView:
    """Commit to the frames of a phase by their digests and learn the next one.

    Repeating the latest commitment repeats the answer, so a lost response costs nothing but time.
    """
    arrived = device.services.clock.now()
    scope = await device.begin()
    session, _ = await service.load(scope, device.session_id, lock=True)
    service.require_open(scope, session)
    await handoffs.take_over(scope, device)
    return await challenges.commit(scope, session.id, challenge_id, body, arrived)
