"""What an application keeps too long: the conditions, and how much of each kind there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from ipse.decision.statuses import SessionStatus
from ipse.runtime.services import Services
from ipse.storage.tables import ApplicationRow, EvaluationRow, FaceRow, MediaRow, SessionRow, SightingRow

IN_FLIGHT: Final = (
    SessionStatus.NOT_STARTED.value,
    SessionStatus.IN_PROGRESS.value,
    SessionStatus.AWAITING_USER.value,
    SessionStatus.RESUBMITTED.value,
)
"""The person may still act, until the session expires."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one application keeps too long, by kind."""

    application_id: str
    counts: Mapping[str, int]

    @property
    def is_empty(self) -> bool:
        """Nothing is due."""
        return not any(self.counts.values())


@dataclass(frozen=True, slots=True)
class Limit:
    """Until when an application has to have erased what: everything from before ``before``, as of ``now``."""

    application_id: str
    before: datetime
    now: datetime

    @classmethod
    def of(cls, services: Services, row: ApplicationRow) -> Limit | None:
        """The limit of an application; None when it keeps everything."""
        if row.retention_days is None:
            return None
        now = services.clock.now()
        return cls(row.id, now - timedelta(days=row.retention_days), now)


def kept_until(created_at: datetime, retention_days: int | None) -> datetime | None:
    """When a session of this moment is erased; None: when somebody does it."""
    return None if retention_days is None else created_at + timedelta(days=retention_days)


async def what_is_due(services: Services, application_id: str) -> Due | None:
    """Count what a run would erase; None when the application keeps everything."""
    async with services.database.reading() as tx:
        row = await tx.get(ApplicationRow, application_id)
        limit = None if row is None else Limit.of(services, row)
        if limit is None:
            return None
        ids = select(SessionRow.id).where(sessions(limit))
        wanted: dict[str, Any] = {
            "sessions": _count(SessionRow, sessions(limit)),
            "media": _count(MediaRow, MediaRow.session_id.in_(ids)),
            "step_up_evaluations": _count(EvaluationRow, or_(evaluations(limit), EvaluationRow.session_id.in_(ids))),
            "sightings": _count(SightingRow, or_(sightings(limit), SightingRow.session_id.in_(ids))),
            "references": _count(FaceRow, references(limit)),
        }
        return Due(application_id, {name: await tx.scalar(query) or 0 for name, query in wanted.items()})


def sessions(limit: Limit) -> ColumnElement[bool]:
    """Sessions that are too old, and that nobody can go on with."""
    in_flight = and_(SessionRow.status.in_(IN_FLIGHT), SessionRow.expires_at > limit.now)
    return and_(
        SessionRow.application_id == limit.application_id, SessionRow.created_at < limit.before, not_(in_flight)
    )


def references_of_the_staying(limit: Limit) -> ColumnElement[bool]:
    """References in use of persons who have a session that stays."""
    staying = aliased(SessionRow)
    return and_(
        FaceRow.application_id == limit.application_id,
        FaceRow.purpose == "reference",
        FaceRow.superseded_at.is_(None),
        exists().where(
            staying.application_id == limit.application_id,
            staying.user_id == FaceRow.user_id,
            or_(
                staying.created_at >= limit.before,
                and_(staying.status.in_(IN_FLIGHT), staying.expires_at > limit.now),
            ),
        ),
    )


def references(limit: Limit) -> ColumnElement[bool]:
    """References that were left to persons who have no session any more."""
    theirs = aliased(SessionRow)
    return and_(
        FaceRow.application_id == limit.application_id,
        FaceRow.purpose == "reference",
        FaceRow.session_id.is_(None),
        FaceRow.created_at < limit.before,
        ~exists().where(theirs.application_id == limit.application_id, theirs.user_id == FaceRow.user_id),
    )


def evaluations(limit: Limit) -> ColumnElement[bool]:
    """Evaluations that led to no session, or to one that is gone."""
    return and_(
        EvaluationRow.application_id == limit.application_id,
        EvaluationRow.evaluated_at < limit.before,
        ~exists().where(SessionRow.id == EvaluationRow.session_id),
    )


def sightings(limit: Limit) -> ColumnElement[bool]:
    """Sightings outside sessions."""
    return and_(
        SightingRow.application_id == limit.application_id,
        SightingRow.seen_at < limit.before,
        SightingRow.session_id.is_(None),
    )


def _count(table: Any, condition: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(table).where(condition)
