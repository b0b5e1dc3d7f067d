"""Users and what their sessions add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, String, Subquery, bindparam, case, cast, func, or_, select
from sqlalchemy.exc import IntegrityError

from ipse.runtime import search
from ipse.runtime.scope import Scope
from ipse.runtime.search import Kind
from ipse.storage.columns import Id
from ipse.storage.tables import FaceRow, ReportRow, SessionRow, UserRow
from ipse.users.schemas import UserStatus

MOST_COUNTED = 100
"""The contract counts users only this far (file 00, "Pagination")."""

_BY_VENDOR_DATA: Final = select(UserRow).where(
    UserRow.application_id == bindparam("application", type_=Id), UserRow.vendor_data == bindparam("vendor_data")
)
"""The user of a ``vendor_data``, built once: every session and every evaluation asks."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a person's sessions add up to."""

    sessions: int = 0
    approved: int = 0
    declined: int = 0
    in_review: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_activity_at: datetime | None = None


def _activity(scope: Scope) -> Subquery:
    def counted(status: str) -> ColumnElement[int]:
        return func.sum(case((SessionRow.status == status, 1), else_=0))

    return (
        select(
            SessionRow.user_id.label("user_id"),
            func.count().label("sessions"),
            counted("Approved").label("approved"),
            counted("Declined").label("declined"),
            counted("In Review").label("in_review"),
            func.min(SessionRow.created_at).label("first_at"),
            func.max(SessionRow.created_at).label("last_at"),
            func.max(func.coalesce(SessionRow.decided_at, SessionRow.opened_at, SessionRow.created_at)).label(
                "last_activity_at"
            ),
        )
        .where(
            SessionRow.application_id == scope.application_id,
            SessionRow.user_id.is_not(None),
            SessionRow.deleted_at.is_(None),
        )
        .group_by(SessionRow.user_id)
        .subquery()
    )


async def find(scope: Scope, vendor_data: str) -> UserRow | None:
    """The user of a ``vendor_data``."""
    row: UserRow | None = await scope.tx.scalar(
        _BY_VENDOR_DATA, {"application": scope.application_id, "vendor_data": vendor_data}
    )
    return row


async def find_by_id(scope: Scope, user_id: str) -> UserRow | None:
    """The user of an id, if it is the application's own."""
    row: UserRow | None = await scope.tx.scalar(
        select(UserRow).where(UserRow.application_id == scope.application_id, UserRow.id == user_id)
    )
    return row


async def insert(scope: Scope, row: UserRow) -> bool:
    """Insert a user; False when another request was faster, with the transaction still usable."""
    try:
        async with scope.tx.begin_nested():
            scope.tx.add(row)
    except IntegrityError:
        return False
    await search.index(scope, Kind.VENDOR_DATA, [(row.id, [row.vendor_data])])
    await search.index(scope, Kind.NAME, [(row.id, _names(row))])
    return True


async def names_changed(scope: Scope, row: UserRow) -> None:
    """Let a user be found by the names it has now."""
    await search.reindex(scope, Kind.NAME, row.id, _names(row))


def _names(row: UserRow) -> tuple[str | None, str | None]:
    return row.display_name, row.full_name


async def page(
    scope: Scope,
    *,
    status: UserStatus | None,
    wanted: str | None,
    country: str | None,
    limit: int,
    offset: int,
) -> tuple[int, Sequence[UserRow]]:
    """One page, the most recent session first, and the count (at most 100)."""
    activity = _activity(scope)
    query = (
        select(UserRow)
        .outerjoin(activity, activity.c.user_id == UserRow.id)
        .where(UserRow.application_id == scope.application_id)
    )
    if status is not None:
        query = query.where(UserRow.status == status.value)
    if wanted:
        found = (search.matches(scope, UserRow.id, kind, wanted) for kind in (Kind.VENDOR_DATA, Kind.NAME))
        query = query.where(or_(UserRow.vendor_data == wanted, *found))
    if country is not None:
        query = query.where(cast(UserRow.issuing_states, String).contains(f'"{country}"', autoescape=True))
    count = (
        await scope.tx.execute(
            select(func.count()).select_from(query.with_only_columns(UserRow.id).limit(MOST_COUNTED).subquery())
        )
    ).scalar_one()
    ordered = query.order_by(
        activity.c.last_at.is_(None), activity.c.last_at.desc(), UserRow.created_at.desc(), UserRow.id
    )
    return count, (await scope.tx.scalars(ordered.limit(limit).offset(offset))).all()


async def activities(scope: Scope, user_ids: Sequence[str]) -> Mapping[str, Activity]:
    """What the sessions of each user add up to; users without sessions are absent."""
    activity = _activity(scope)
    rows = (await scope.tx.execute(select(activity).where(activity.c.user_id.in_(user_ids)))).all()
    return {
        row.user_id: Activity(
            sessions=row.sessions,
            approved=row.approved,
            declined=row.declined,
            in_review=row.in_review,
            first_at=row.first_at,
            last_at=row.last_at,
            last_activity_at=row.last_activity_at,
        )
        for row in rows
    }


async def features(scope: Scope, user_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """The newest status of each feature each user has gone through, by user, in alphabetical order."""
    newest_first = func.row_number().over(
        partition_by=(SessionRow.user_id, ReportRow.feature),
        order_by=(ReportRow.updated_at.desc(), ReportRow.session_id, ReportRow.node_id),
    )
    ranked = (
        select(
            SessionRow.user_id.label("user_id"),
            ReportRow.feature.label("feature"),
            ReportRow.status.label("status"),
            newest_first.label("rank"),
        )
        .join(SessionRow, SessionRow.id == ReportRow.session_id)
        .where(
            SessionRow.application_id == scope.application_id,
            SessionRow.user_id.in_(user_ids),
            SessionRow.deleted_at.is_(None),
        )
        .subquery()
    )
    found: dict[str, dict[str, str]] = {}
    query = select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.feature)
    for row in (await scope.tx.execute(query)).all():
        found.setdefault(row.user_id, {})[row.feature] = row.status
    return found


async def portraits(scope: Scope, user_ids: Sequence[str]) -> Mapping[str, str]:
    """The medium of each user's current portrait: the enrolled reference, otherwise the newest uploaded face."""
    rank = func.row_number().over(
        partition_by=FaceRow.user_id,
        order_by=(case((FaceRow.purpose == "reference", 0), else_=1), FaceRow.sequence.desc()),
    )
    ranked = (
        select(FaceRow.user_id.label("user_id"), FaceRow.media_id.label("media_id"), rank.label("rank"))
        .where(
            FaceRow.application_id == scope.application_id,
            FaceRow.user_id.in_(user_ids),
            FaceRow.purpose.in_(("reference", "profile")),
            FaceRow.superseded_at.is_(None),
            FaceRow.media_id.is_not(None),
        )
        .subquery()
    )
    rows = (await scope.tx.execute(select(ranked.c.user_id, ranked.c.media_id).where(ranked.c.rank == 1))).all()
    return {row.user_id: row.media_id for row in rows}


async def faces(scope: Scope, user: UserRow) -> Sequence[FaceRow]:
    """Every stored face of a user, the newest first."""
    query = select(FaceRow).where(
        FaceRow.application_id == scope.application_id,
        or_(FaceRow.user_id == user.id, FaceRow.vendor_data == user.vendor_data),
    )
    return (await scope.tx.scalars(query.order_by(FaceRow.sequence.desc()))).all()


async def uploaded_faces(scope: Scope, user_id: str) -> int:
    """How many profile faces a user has."""
    query = select(func.count()).where(
        FaceRow.application_id == scope.application_id,
        FaceRow.user_id == user_id,
        FaceRow.purpose == "profile",
        FaceRow.superseded_at.is_(None),
    )
    return (await scope.tx.execute(query)).scalar_one()


async def selected(scope: Scope, vendor_data: Sequence[str] | None) -> Sequence[UserRow]:
    """The users of these ``vendor_data``, or every user when None."""
    query = select(UserRow).where(UserRow.application_id == scope.application_id)
    if vendor_data is not None:
        query = query.where(UserRow.vendor_data.in_(vendor_data))
    return (await scope.tx.scalars(query.order_by(UserRow.id))).all()
