"""Rows of sessions, always within one application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, update

from ipse.decision.statuses import UNFINISHED, SessionStatus
from ipse.runtime.scope import Scope
from ipse.storage.columns import Id
from ipse.storage.tables import ApplicationRow, CaptureRow, ChallengeRow, ReportRow, ReviewRow, SessionRow

# Queries of every step-up are built once: building one costs as much as running it.
_BY_ID: Final = select(SessionRow).where(
    SessionRow.id == bindparam("session", type_=Id),
    SessionRow.application_id == bindparam("application", type_=Id),
    SessionRow.deleted_at.is_(None),
)
_BY_ID_LOCKED: Final = _BY_ID.with_for_update()
_REPORTS: Final = (
    select(ReportRow)
    .where(ReportRow.session_id == bindparam("session", type_=Id))
    .order_by(ReportRow.created_at, ReportRow.position, ReportRow.node_id)
)
_REVIEWS: Final = (
    select(ReviewRow).where(ReviewRow.session_id == bindparam("session", type_=Id)).order_by(ReviewRow.sequence)
)
_LAST_REVIEW: Final = select(func.max(ReviewRow.sequence)).where(ReviewRow.session_id == bindparam("session", type_=Id))


async def find(scope: Scope, session_id: str, *, lock: bool = False) -> SessionRow | None:
    """Return a session that exists, is not deleted, and is ours."""
    row: SessionRow | None = await scope.tx.scalar(
        _BY_ID_LOCKED if lock else _BY_ID, {"session": session_id, "application": scope.application_id}
    )
    return row


async def next_number(scope: Scope) -> int:
    """Take the application's next session number; the row stays locked until the transaction ends."""
    number: int | None = await scope.tx.scalar(
        update(ApplicationRow)
        .where(ApplicationRow.id == scope.application_id)
        .values(last_session_number=ApplicationRow.last_session_number + 1)
        .returning(ApplicationRow.last_session_number)
    )
    assert number is not None
    return number


async def find_reusable(scope: Scope, vendor_data: str, workflow_version_id: str, now: datetime) -> SessionRow | None:
    """The newest unfinished session of a person on a workflow version (contract 10, "Reuse instead of create")."""
    row: SessionRow | None = await scope.tx.scalar(
        select(SessionRow)
        .where(
            SessionRow.application_id == scope.application_id,
            SessionRow.vendor_data == vendor_data,
            SessionRow.workflow_version_id == workflow_version_id,
            SessionRow.environment == scope.application.mode.value,
            SessionRow.kind == "HOSTED",
            SessionRow.status.in_([status.value for status in UNFINISHED]),
            SessionRow.deleted_at.is_(None),
            SessionRow.expires_at > now,
        )
        .order_by(SessionRow.session_number.desc())
        .limit(1)
        .with_for_update()
    )
    return row


async def count_declined(scope: Scope, vendor_data: str, workflow_id: str, since: datetime | None) -> int:
    """How often a person was declined in a workflow since an instant (ever, when None)."""
    query = select(func.count()).where(
        SessionRow.application_id == scope.application_id,
        SessionRow.vendor_data == vendor_data,
        SessionRow.workflow_id == workflow_id,
        SessionRow.status == SessionStatus.DECLINED.value,
        SessionRow.deleted_at.is_(None),
    )
    if since is not None:
        query = query.where(SessionRow.decided_at >= since)
    return await scope.tx.scalar(query) or 0


async def reports_of(scope: Scope, session_id: str) -> Sequence[ReportRow]:
    """Every report row of a session in the order in which the steps were first reached."""
    return (await scope.tx.scalars(_REPORTS, {"session": session_id})).all()


async def reports_of_many(scope: Scope, session_ids: Sequence[str]) -> dict[str, list[ReportRow]]:
    """Reports of several sessions, by session."""
    found = await scope.tx.scalars(
        select(ReportRow)
        .where(ReportRow.session_id.in_(session_ids))
        .order_by(ReportRow.created_at, ReportRow.position, ReportRow.node_id)
    )
    grouped: dict[str, list[ReportRow]] = {session_id: [] for session_id in session_ids}
    for row in found:
        grouped[row.session_id].append(row)
    return grouped


async def has_captures(scope: Scope, session_id: str) -> bool:
    """Whether a face was shown in a session: frames of some step were taken."""
    return await scope.tx.scalar(select(CaptureRow.id).where(CaptureRow.session_id == session_id).limit(1)) is not None


async def end_challenges(scope: Scope, session_id: str) -> None:
    """End every challenge of a session that was not answered to its end."""
    await scope.tx.execute(
        update(ChallengeRow)
        .where(ChallengeRow.session_id == session_id, ChallengeRow.used_at.is_(None))
        .values(used_at=scope.services.clock.now())
    )


async def capture_with_key(scope: Scope, session_id: str, node_id: str, submission_key: str) -> CaptureRow | None:
    """An earlier submission with the same key."""
    row: CaptureRow | None = await scope.tx.scalar(
        select(CaptureRow).where(
            CaptureRow.session_id == session_id,
            CaptureRow.node_id == node_id,
            CaptureRow.submission_key == submission_key,
        )
    )
    return row


async def add_review(
    scope: Scope,
    session_id: str,
    activity_type: str,
    *,
    previous_status: str | None = None,
    new_status: str | None = None,
    comment: str | None = None,
    changes: dict[str, object] | None = None,
) -> ReviewRow:
    """Append to the audit trail of a session."""
    last: int | None = await scope.tx.scalar(_LAST_REVIEW, {"session": session_id})
    row = ReviewRow(
        id=scope.services.identifiers.uuid(),
        session_id=session_id,
        sequence=(last or 0) + 1,
        activity_type=activity_type,
        actor_type=scope.actor.kind,
        actor_display=scope.actor.display,
        actor_email=scope.actor.email,
        previous_status=previous_status,
        new_status=new_status,
        comment=comment,
        changes=dict(changes or {}),
        created_at=scope.services.clock.now(),
    )
    scope.tx.add(row)
    await scope.tx.flush()
    return row


async def reviews_of(scope: Scope, session_id: str) -> Sequence[ReviewRow]:
    """The audit trail, oldest first."""
    return (await scope.tx.scalars(_REVIEWS, {"session": session_id})).all()
