"""What the capture page is told: the next step, or the result in words of the contract. Never a score."""

from __future__ import annotations

from ipse.capture.checking import max_attempts
from ipse.capture.progress import Progress
from ipse.capture.schemas import CaptureState, CaptureStep, HandoffView
from ipse.checks.liveness import retry_hints
from ipse.checks.registry import Need, needs
from ipse.checks.selfie import Selfie
from ipse.decision.evaluation import Awaiting, Decided
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode
from ipse.decision.reports import Report
from ipse.decision.settings import AgeEstimationConfig, LivenessConfig
from ipse.decision.statuses import UNFINISHED, SessionStatus
from ipse.runtime.scope import Scope
from ipse.sessions.view import timestamp
from ipse.storage.tables import SessionRow

FRAMES_MAX = 10
"""Frames of one submission: a passive burst of a second at ten frames a second."""


def state(
    scope: Scope,
    session: SessionRow,
    progress: Progress,
    evaluation: Awaiting | Decided,
    *,
    handoff: HandoffView | None = None,
    submitted: bool = False,
    retried: Report | None = None,
    selfie: Selfie | None = None,
) -> CaptureState:
    """The state of a session after a call."""
    open_still = SessionStatus(session.status) in UNFINISHED
    step = None
    if open_still and isinstance(evaluation, Awaiting):
        step = _step(evaluation.node, progress.attempts_at(evaluation.node.id))
    hints: list[str] = []
    outcome = "none"
    if retried is not None:
        outcome = "retry"
        hints = list(retry_hints(selfie, retried)) if selfie is not None else []
    elif submitted:
        outcome = "accepted" if step is not None else "finished"
    return CaptureState.model_validate(
        {
            "session_id": session.id,
            "status": session.status,
            "environment": session.environment,
            "brand": {"name": scope.application.name},
            "purpose": None,
            "language": session.language,
            "callback": session.callback,
            "callback_method": session.callback_method,
            "expires_at": timestamp(session.expires_at),
            "handoff": handoff,
            "step": step,
            "outcome": outcome,
            "hints": hints,
        }
    )


def _step(node: FeatureNode, attempts_made: int) -> CaptureStep:
    granted = max_attempts(node)
    shows_face = Need.SELFIE in needs(node.feature)
    return CaptureStep(
        node_id=node.id,
        feature=node.feature.value,
        label=node.label,
        method=_method(node),
        needs=["selfie_frames"] if shows_face else [],
        frames_min=1 if shows_face else 0,
        frames_max=FRAMES_MAX if shows_face else 0,
        attempt=attempts_made + 1,
        attempts_left=max(0, granted - attempts_made),
    )


def _method(node: FeatureNode) -> str | None:
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).method.value
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.method.value
        case Feature.FACE_MATCH:
            return "PASSIVE"
        case _:
            return None
