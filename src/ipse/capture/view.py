"""What the capture page is told: the next step, or the result in words of the contract. Never a score."""

from __future__ import annotations

from dataclasses import asdict

from ipse.branding.service import brand_of
from ipse.capture import handoffs, options
from ipse.capture.authentication import Device
from ipse.capture.checking import max_attempts, method_of, methods_of, suggested_method
from ipse.capture.progress import Progress
from ipse.capture.purpose import purpose_of, purpose_of_action
from ipse.capture.schemas import Alternative, CaptureState, CaptureStep, HandoffView
from ipse.checks.liveness import retry_hints
from ipse.checks.registry import Need, needs
from ipse.checks.selfie import Selfie
from ipse.decision.evaluation import Awaiting, Decided
from ipse.decision.graph import FeatureNode
from ipse.decision.lockout import MOST_TRIES
from ipse.decision.reports import Report
from ipse.decision.statuses import UNFINISHED, SessionStatus
from ipse.privacy.due import kept_until
from ipse.runtime.scope import Scope
from ipse.sessions.view import timestamp
from ipse.step_up import codes
from ipse.storage.tables import SessionRow

FRAMES_MAX = 10
"""Frames of one submission: a passive burst of a second at ten frames a second."""


async def state(
    scope: Scope,
    device: Device,
    session: SessionRow,
    progress: Progress,
    evaluation: Awaiting | Decided,
    *,
    submitted: bool = False,
    retried: Report | None = None,
    selfie: Selfie | None = None,
) -> CaptureState:
    """The state of a session after a call, as one of its devices is told."""
    open_still = SessionStatus(session.status) in UNFINISHED
    step, alternative = None, None
    if open_still and isinstance(evaluation, Awaiting):
        alternative = options.alternative_url(progress.version.graph, evaluation.node)
        step = _step(evaluation.node, progress)
    hints: list[str] = []
    outcome = "none"
    if retried is not None:
        outcome = "retry"
        hints = list(retry_hints(selfie, retried)) if selfie is not None else []
    elif submitted:
        outcome = "accepted" if step is not None else "finished"
    handoff = await handoffs.view_for(scope, device, session)
    return CaptureState.model_validate(
        {
            "session_id": session.id,
            "status": session.status,
            "environment": session.environment,
            "brand": asdict(await brand_of(scope)),
            "purpose": purpose_of_action(session.action) if session.action else purpose_of(session.session_metadata),
            "action_hash": session.action_hash,
            "language": session.language,
            "callback": session.callback,
            "callback_method": session.callback_method,
            "expires_at": timestamp(session.expires_at),
            "kept_until": _kept_until(scope, session),
            "alternative": None if alternative is None else Alternative(url=alternative),
            "handoff": handoff,
            "step": step,
            "outcome": outcome,
            "hints": hints,
            "code": await code_for(scope, device, session, handoff),
        }
    )


async def code_for(scope: Scope, device: Device, session: SessionRow, handoff: HandoffView | None) -> str | None:
    """The code that replaces an SMS, for the device at which the face was shown and for no other."""
    captured_at = "second" if handoff is not None and handoff.state == "active" else "first"
    return await codes.to_show(scope, session) if device.role == captured_at else None


def _kept_until(scope: Scope, session: SessionRow) -> str | None:
    """When the pictures are erased; not told where the portrait may become the person's reference, and so stay."""
    if session.user_id is not None and session.reference_kind is None:
        return None
    moment = kept_until(session.created_at, scope.application.retention_days)
    return None if moment is None else timestamp(moment)


def _step(node: FeatureNode, progress: Progress) -> CaptureStep:
    attempts_made = progress.attempts_at(node.id)
    granted = max_attempts(node)
    shows_face = Need.SELFIE in needs(node.feature)
    method = method_of(node)
    suggested = suggested_method(node, attempts_made, progress.latest_method(node.id))
    return CaptureStep(
        node_id=node.id,
        feature=node.feature.value,
        label=node.label,
        method=None if method is None else method.value,
        methods=[accepted.value for accepted in methods_of(node)],
        suggested_method=None if suggested is None else suggested.value,
        needs=["selfie_frames"] if shows_face else [],
        frames_min=1 if shows_face else 0,
        frames_max=FRAMES_MAX if shows_face else 0,
        attempt=attempts_made + 1,
        attempts_left=max(0, min(granted - attempts_made, MOST_TRIES - progress.tries())),
    )
