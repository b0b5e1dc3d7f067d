"""The one place that changes the status of a session.

A change obeys the transition table, grows the session's version, writes the review, the audit entry and the outbox
event, and keeps the person's reference face in step: all in the caller's transaction, so either all of it
is committed or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from prometheus_client import Counter

from ipse.audit.service import record
from ipse.decision.statuses import Cause, SessionStatus, move
from ipse.devices import service as devices
from ipse.runtime.scope import Scope
from ipse.sessions import enrolment, repository, verdict_rows, view
from ipse.storage.tables import SessionRow
from ipse.webhooks import service as webhooks

STATUSES = Counter("ipse_session_statuses", "Session status changes", ["environment", "status"])

_WITHOUT_DECISION: Final = frozenset({SessionStatus.NOT_STARTED, SessionStatus.IN_PROGRESS, SessionStatus.RESUBMITTED})
"""Statuses whose event carries no decision (contract 40 section 3)."""

_DECIDING: Final = frozenset({Cause.EVALUATED, Cause.REVIEWER, Cause.REPORTED, Cause.LEFT})
"""Causes that fix the moment in which the session was decided; time only ends it."""

_ACTS: Final[Mapping[Cause, str]] = MappingProxyType(
    {
        Cause.OPENED: "session.opened",
        Cause.EVALUATED: "session.decided",
        Cause.REVIEWER: "session.reviewed",
        Cause.RESUBMISSION: "session.reopened",
        Cause.REPORTED: "session.reported",
        Cause.LEFT: "session.left",
        Cause.CLOCK: "session.expired",
    }
)
"""What the audit log calls a change, by its cause."""

_ENROLLING: Final = SessionStatus.APPROVED
_REVOKING: Final = frozenset({SessionStatus.DECLINED})


async def begin(scope: Scope, row: SessionRow) -> None:
    """Record the event of a session that was just created."""
    await _announce(scope, row, "session.created")


async def change(
    scope: Scope, row: SessionRow, target: SessionStatus, cause: Cause, *, comment: str | None = None
) -> None:
    """Move a session; raise :class:`ipse.decision.statuses.IllegalTransition` when the table forbids it.

    Reports and whatever else the event shall show must be written before.
    """
    previous = SessionStatus(row.status)
    row.status = move(previous, target, cause).value
    row.version += 1
    now = scope.services.clock.now()
    if target is SessionStatus.IN_PROGRESS and row.opened_at is None:
        row.opened_at = now
    if cause in _DECIDING:
        row.decided_at = now
    await repository.add_review(
        scope, row.id, "STATUS_UPDATED", previous_status=previous.value, new_status=target.value, comment=comment
    )
    if previous is SessionStatus.APPROVED:
        await verdict_rows.revoke(scope, row.id)
    if target is _ENROLLING:
        await enrolment.enrol(scope, row, cause)
        await devices.on_approved(scope, row)
    elif target in _REVOKING:
        await enrolment.revoke(scope, row)
        await devices.on_declined(scope, row, cause)
    await scope.tx.flush()
    await _announce(scope, row, _ACTS[cause])


async def _announce(scope: Scope, row: SessionRow, act: str) -> None:
    STATUSES.labels(row.environment, row.status).inc()
    payload = await session_payload(scope, row)
    await record(
        scope,
        act,
        object_type="session",
        object_id=row.id,
        vendor_data=row.vendor_data,
        details={
            "status": row.status,
            "version": row.version,
            "kind": row.kind,
            "workflow_id": row.workflow_id,
            "workflow_version": row.workflow_version,
            "risks": risks_of(payload.get("decision", {})),
        },
    )
    await webhooks.record_event(
        scope,
        session_id=row.id,
        session_version=row.version,
        webhook_type="status.updated",
        status=row.status,
        payload=payload,
    )


def risks_of(decision: Mapping[str, Any]) -> list[str]:
    """The codes of every warning in a decision, each once, by name."""
    items = (item for array in decision.values() if isinstance(array, list) for item in array)
    warnings = (warning for item in items if isinstance(item, dict) for warning in item.get("warnings") or ())
    return sorted({str(warning["risk"]) for warning in warnings})


async def session_payload(scope: Scope, row: SessionRow, **extra: Any) -> dict[str, Any]:
    """Root of a session event (contract 40 section 3) without what delivery stamps on it."""
    body: dict[str, Any] = {
        "application_id": row.application_id,
        "environment": row.environment,
        "session_id": row.id,
        "session_version": row.version,
        "status": row.status,
        "workflow_id": row.workflow_id,
        "workflow_version": row.workflow_version,
        "vendor_data": row.vendor_data,
        "metadata": row.session_metadata if isinstance(row.session_metadata, dict) else None,
        **extra,
    }
    status = SessionStatus(row.status)
    if status is SessionStatus.RESUBMITTED and row.resubmission is not None:
        body["resubmit_info"] = row.resubmission
    if status not in _WITHOUT_DECISION:
        decided = await view.decision(scope, row)
        body["decision"] = decided
        for name in ("liveness", "face", "face_match", "ip_analysis"):
            if name in decided:
                body[name] = decided[name]
    return body
