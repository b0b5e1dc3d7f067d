"""Moving what belongs to one user to another: rows of sessions, faces and evaluations, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, update

from ipse.runtime.scope import Scope
from ipse.storage.tables import EvaluationRow, FaceRow, SessionRow, UserRow


async def locked(scope: Scope, user_ids: Sequence[str]) -> Sequence[UserRow]:
    """The users with these ids, kept from changing until the transaction ends; always locked in the same order."""
    query = (
        select(UserRow)
        .where(UserRow.application_id == scope.application_id, UserRow.id.in_(user_ids))
        .order_by(UserRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await scope.tx.scalars(query)).all()


async def has_history(scope: Scope, user: UserRow) -> bool:
    """Whether a user has sessions, faces or evaluations."""
    found = (
        exists().where(*_sessions(scope, user)),
        exists().where(*_faces(scope, user)),
        exists().where(*_evaluations(scope, user)),
    )
    return bool(await scope.tx.scalar(select(or_(*found))))


async def move_sessions(scope: Scope, source: UserRow, target: UserRow) -> int:
    """Give the sessions of ``source`` to ``target``; return how many there were."""
    moved = await scope.tx.scalars(
        update(SessionRow)
        .where(*_sessions(scope, source))
        .values(user_id=target.id, vendor_data=target.vendor_data)
        .returning(SessionRow.id)
    )
    return len(moved.all())


async def move_evaluations(scope: Scope, source: UserRow, target: UserRow) -> int:
    """Give the policy evaluations, and with them the velocity, of ``source`` to ``target``."""
    moved = await scope.tx.scalars(
        update(EvaluationRow)
        .where(*_evaluations(scope, source))
        .values(vendor_data=target.vendor_data)
        .returning(EvaluationRow.id)
    )
    return len(moved.all())


async def move_faces(scope: Scope, source: UserRow, target: UserRow, now: datetime) -> int:
    """Give the faces of ``source`` to ``target``, who keeps the reference in use where there is one."""
    in_use = (
        FaceRow.application_id == scope.application_id,
        FaceRow.purpose == "reference",
        FaceRow.superseded_at.is_(None),
    )
    if await scope.tx.scalar(select(exists().where(*in_use, FaceRow.user_id == target.id))):
        await scope.tx.execute(update(FaceRow).where(*in_use, FaceRow.user_id == source.id).values(superseded_at=now))
    moved = await scope.tx.scalars(
        update(FaceRow)
        .where(*_faces(scope, source))
        .values(user_id=target.id, vendor_data=target.vendor_data)
        .returning(FaceRow.id)
    )
    return len(moved.all())


def _sessions(scope: Scope, user: UserRow) -> tuple[ColumnElement[bool], ...]:
    return (
        SessionRow.application_id == scope.application_id,
        or_(SessionRow.user_id == user.id, SessionRow.vendor_data == user.vendor_data),
    )


def _faces(scope: Scope, user: UserRow) -> tuple[ColumnElement[bool], ...]:
    return (
        FaceRow.application_id == scope.application_id,
        or_(FaceRow.user_id == user.id, FaceRow.vendor_data == user.vendor_data),
    )


def _evaluations(scope: Scope, user: UserRow) -> tuple[ColumnElement[bool], ...]:
    return (EvaluationRow.application_id == scope.application_id, EvaluationRow.vendor_data == user.vendor_data)
