"""What the signals of the session and of its camera are computed from (``ipse.signals`` computes them)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from ipse.capture.progress import Progress
from ipse.capture.schemas import Observations
from ipse.decision.values import JsonValue
from ipse.runtime.scope import Scope
from ipse.sessions.reference import FIRST_USE
from ipse.signals.camera import CameraObserved, of_camera
from ipse.signals.session import SessionFacts, of_session
from ipse.storage.tables import ChallengeRow, HandoffRow


async def of_this_session(
    scope: Scope,
    progress: Progress,
    *,
    submissions: int = 0,
    durations_ms: Mapping[str, JsonValue] | None = None,
    observations: Observations | None = None,
) -> dict[str, JsonValue]:
    """Signals of the session at this moment; ``submissions`` counts the one that is being handled."""
    session = progress.session
    challenges = select(func.count()).where(ChallengeRow.session_id == session.id).scalar_subquery()
    handoffs = (
        select(func.count())
        .where(HandoffRow.session_id == session.id, HandoffRow.device_hash.is_not(None))
        .scalar_subquery()
    )
    drawn, handed = (await scope.tx.execute(select(challenges, handoffs))).one()
    facts = SessionFacts(
        now=scope.services.clock.now(),
        created_at=session.created_at,
        opened_at=session.opened_at,
        expires_at=session.expires_at,
        attempts=sum(row.attempt for row in progress.rows.values()) + submissions,
        challenges=drawn,
        handoffs=handed,
        has_subject=session.vendor_data is not None,
        has_reference=session.reference_face_id is not None,
        is_first_use=session.reference_kind == FIRST_USE,
        action=session.action,
        durations_ms=durations_ms or {},
    )
    return {**of_session(facts), **({} if observations is None else of_camera(_camera(observations)))}


def _camera(observed: Observations) -> CameraObserved:
    camera = observed.camera
    return CameraObserved(
        label=camera.label,
        facing=camera.facing,
        width=camera.width,
        height=camera.height,
        frame_rate=camera.frame_rate,
        video_width=camera.video_width,
        video_height=camera.video_height,
        cameras=camera.cameras,
        frame_times_ms=observed.frame_times_ms,
        stills_at_ms=observed.stills_at_ms,
        is_automatic=observed.automatic,
    )
