"""Queries of ``ipse.devices``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.exc import IntegrityError

from ipse.decision.statuses import SessionStatus
from ipse.runtime.scope import Scope
from ipse.storage.database import Transaction
from ipse.storage.tables import DeviceRow, EvaluationRow, ReportRow, SessionRow, SightingRow, UserDeviceRow, UserRow

MOST_VISITS: Final = 200
"""Visits of one person that are looked at, the newest first."""
MOST_OTHERS: Final = 100
"""Sightings of other persons that are looked at, for each of address, device and fingerprint."""
MOST_ALIKE: Final = 20
"""Devices that are compared component by component."""

NOBODY: Final = "00000000-0000-0000-0000-000000000000"

_GOOD: Final = (SessionStatus.APPROVED.value, SessionStatus.KYC_EXPIRED.value)


class Own(NamedTuple):
    """A device of a person, and when and whether it is trusted."""

    device: DeviceRow
    use: UserDeviceRow


class Visit(NamedTuple):
    """An earlier sighting of a person. Degrees; ``country`` is alpha-2."""

    seen_at: datetime
    device_id: str | None
    network: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    is_anonymous: bool
    is_good: bool
    """It ended well: an approved session, or an action that was allowed."""


async def by_persistent_hash(scope: Scope, persistent_hash: str) -> DeviceRow | None:
    """The device that keeps this id."""
    row: DeviceRow | None = await scope.tx.scalar(
        select(DeviceRow).where(
            DeviceRow.application_id == scope.application_id, DeviceRow.persistent_hash == persistent_hash
        )
    )
    return row


async def with_fingerprint(scope: Scope, fingerprint: str) -> Sequence[DeviceRow]:
    """The devices of one fingerprint, the most recently seen first, at most :data:`MOST_ALIKE`."""
    query = select(DeviceRow).where(
        DeviceRow.application_id == scope.application_id, DeviceRow.fingerprint == fingerprint
    )
    return (await scope.tx.scalars(query.order_by(DeviceRow.last_seen_at.desc(), DeviceRow.id).limit(MOST_ALIKE))).all()


async def count_devices(scope: Scope, most: int) -> int:
    """How many devices the application knows, counted up to ``most``."""
    some = select(DeviceRow.id).where(DeviceRow.application_id == scope.application_id).limit(most).subquery()
    return (await scope.tx.execute(select(func.count()).select_from(some))).scalar_one()


async def insert_device(scope: Scope, row: DeviceRow) -> bool:
    """Insert a device; False when another request was faster, with the transaction still usable."""
    return await _insert(scope, row)


async def insert_use(scope: Scope, row: UserDeviceRow) -> bool:
    """Insert that a person uses a device; False when another request was faster."""
    return await _insert(scope, row)


async def _insert(scope: Scope, row: DeviceRow | UserDeviceRow) -> bool:
    try:
        async with scope.tx.begin_nested():
            scope.tx.add(row)
    except IntegrityError:
        return False
    return True


async def device_of(scope: Scope, device_id: str) -> DeviceRow | None:
    """The device of an id, if it is the application's own."""
    row: DeviceRow | None = await scope.tx.scalar(
        select(DeviceRow).where(DeviceRow.application_id == scope.application_id, DeviceRow.id == device_id)
    )
    return row


async def user_of(scope: Scope, vendor_data: str) -> str | None:
    """The id of the user of a ``vendor_data``."""
    user_id: str | None = await scope.tx.scalar(
        select(UserRow.id).where(UserRow.application_id == scope.application_id, UserRow.vendor_data == vendor_data)
    )
    return user_id


async def use_of(scope: Scope, user_id: str, device_id: str, *, lock: bool = False) -> UserDeviceRow | None:
    """What is known of a person's use of a device."""
    query = select(UserDeviceRow).where(
        UserDeviceRow.application_id == scope.application_id,
        UserDeviceRow.user_id == user_id,
        UserDeviceRow.device_id == device_id,
    )
    row: UserDeviceRow | None = await scope.tx.scalar(query.with_for_update() if lock else query)
    return row


async def own_devices(scope: Scope, user: ColumnElement[bool], most: int) -> Sequence[Own]:
    """The devices of the user that ``user`` selects, the most recently seen first."""
    query = (
        select(DeviceRow, UserDeviceRow)
        .join(UserDeviceRow, UserDeviceRow.device_id == DeviceRow.id)
        .join(UserRow, UserRow.id == UserDeviceRow.user_id)
        .where(UserDeviceRow.application_id == scope.application_id, UserRow.application_id == scope.application_id)
        .where(user)
        .order_by(UserDeviceRow.last_seen_at.desc(), UserDeviceRow.device_id)
        .limit(most)
    )
    return [Own(device, use) for device, use in (await scope.tx.execute(query)).all()]


@dataclass(frozen=True, slots=True)
class Apart:
    """What is no past: the session that asks, and the evaluations that belong to it."""

    session_id: str | None
    evaluation_id: str | None
    own_evaluation_id: str | None

    def parameters(self) -> dict[str, str]:
        """Parameters of a prepared query; an id that nobody has stands for none."""
        return {name: getattr(self, name) or NOBODY for name in ("session_id", "evaluation_id", "own_evaluation_id")}


async def visits(scope: Scope, vendor_data: str, apart: Apart) -> Sequence[Visit]:
    """Sightings of a person that ``apart`` leaves, the newest first, at most :data:`MOST_VISITS`."""
    parameters = {"application_id": scope.application_id, "vendor_data": vendor_data, **apart.parameters()}
    return [Visit(*row) for row in (await scope.tx.execute(_visits_query(), parameters)).all()]


async def others(
    scope: Scope, values: Sequence[tuple[str, str]], vendor_data: str | None, apart: Apart, since: datetime
) -> Sequence[Row[Any]]:
    """Sightings of other persons for each ``(kind, value)``, the newest first, in one query.

    A kind is ``ip``, ``device`` or ``fingerprint``; at most :data:`MOST_OTHERS` are read for each value.
    """
    if not values:
        return []
    parameters = {f"value_{index}": value for index, (_, value) in enumerate(values)}
    query = _others_query(tuple(kind for kind, _ in values))
    found = await scope.tx.execute(
        query,
        {
            **parameters,
            **apart.parameters(),
            "application_id": scope.application_id,
            "vendor_data": vendor_data or "",  # no vendor_data is empty
            "since": since,
        },
    )
    return found.all()


def _apart() -> ColumnElement[bool]:
    own = and_(
        SightingRow.evaluation_id != bindparam("evaluation_id"),
        SightingRow.evaluation_id != bindparam("own_evaluation_id"),
    )
    return and_(
        or_(SightingRow.session_id.is_(None), SightingRow.session_id != bindparam("session_id")),
        or_(SightingRow.evaluation_id.is_(None), own),
    )


# Queries of every request are put together once: building them costs more than running them.
@cache
def _visits_query() -> Executable:
    is_good = or_(
        SessionRow.status.in_(_GOOD),
        and_(
            SightingRow.session_id.is_(None),
            or_(EvaluationRow.answer == "allow", EvaluationRow.completed_at.is_not(None)),
        ),
    )
    return (
        select(
            SightingRow.seen_at,
            SightingRow.device_id,
            SightingRow.network,
            SightingRow.country,
            SightingRow.latitude,
            SightingRow.longitude,
            SightingRow.is_anonymous,
            func.coalesce(is_good, False).label("is_good"),
        )
        .outerjoin(SessionRow, SessionRow.id == SightingRow.session_id)
        .outerjoin(EvaluationRow, EvaluationRow.id == SightingRow.evaluation_id)
        .where(
            SightingRow.application_id == bindparam("application_id"),
            SightingRow.vendor_data == bindparam("vendor_data"),
            _apart(),
        )
        .order_by(SightingRow.seen_at.desc(), SightingRow.id)
        .limit(MOST_VISITS)
    )


@cache
def _others_query(kinds: tuple[str, ...]) -> Executable:
    columns = {"ip": SightingRow.ip, "device": SightingRow.device_id, "fingerprint": SightingRow.fingerprint}
    somebody_else = or_(SightingRow.vendor_data.is_(None), SightingRow.vendor_data != bindparam("vendor_data"))
    parts = [
        select(
            literal(kind).label("kind"),
            SightingRow.seen_at,
            SightingRow.session_id,
            SightingRow.vendor_data,
            SightingRow.device_id,
            SightingRow.fingerprint,
            SightingRow.ip,
            SightingRow.details,
            SessionRow.session_number,
            SessionRow.status,
            SessionRow.api_service,
            SessionRow.created_at,
            SessionRow.decided_at,
        )
        .outerjoin(SessionRow, SessionRow.id == SightingRow.session_id)
        .where(
            SightingRow.application_id == bindparam("application_id"),
            columns[kind] == bindparam(f"value_{index}"),
            SightingRow.seen_at > bindparam("since"),
            somebody_else,
            _apart(),
        )
        .order_by(SightingRow.seen_at.desc())
        .limit(MOST_OTHERS)
        .subquery()
        for index, kind in enumerate(kinds)
    ]
    found = union_all(*(select(part) for part in parts)).subquery()
    return select(found).order_by(found.c.seen_at.desc(), found.c.session_id)


async def devices_in(scope: Scope, session_id: str) -> set[str]:
    """The devices seen in a session."""
    query = select(SightingRow.device_id).where(
        SightingRow.application_id == scope.application_id,
        SightingRow.session_id == session_id,
        SightingRow.device_id.is_not(None),
    )
    return {one for one in (await scope.tx.scalars(query)).all() if one is not None}


async def device_in(scope: Scope, session_id: str, fingerprint: str | None) -> DeviceRow | None:
    """The device of a session that has this fingerprint."""
    query = (
        select(DeviceRow)
        .join(SightingRow, SightingRow.device_id == DeviceRow.id)
        .where(
            SightingRow.application_id == scope.application_id,
            SightingRow.session_id == session_id,
            DeviceRow.fingerprint == fingerprint,
        )
        .limit(1)
    )
    row: DeviceRow | None = await scope.tx.scalar(query)
    return row


async def sighting_in(scope: Scope, session_id: str, device_id: str | None, ip: str | None) -> SightingRow | None:
    """The sighting of a device at an address in a session."""
    row: SightingRow | None = await scope.tx.scalar(
        select(SightingRow).where(
            SightingRow.application_id == scope.application_id,
            SightingRow.session_id == session_id,
            SightingRow.device_id.is_(None) if device_id is None else SightingRow.device_id == device_id,
            SightingRow.ip.is_(None) if ip is None else SightingRow.ip == ip,
        )
    )
    return row


async def latest_device_in(scope: Scope, session_id: str) -> DeviceRow | None:
    """The device that was seen last in a session."""
    query = (
        select(DeviceRow)
        .join(SightingRow, SightingRow.device_id == DeviceRow.id)
        .where(SightingRow.application_id == scope.application_id, SightingRow.session_id == session_id)
        .order_by(SightingRow.seen_at.desc(), SightingRow.id.desc())
        .limit(1)
    )
    row: DeviceRow | None = await scope.tx.scalar(query)
    return row


async def uses_in(scope: Scope, session: SessionRow) -> Sequence[UserDeviceRow]:
    """How the person of a session uses the devices of it, and of the evaluation that asked for it."""
    seen = or_(
        SightingRow.session_id == session.id,
        and_(SightingRow.evaluation_id.is_not(None), SightingRow.evaluation_id == session.evaluation_id),
    )
    devices = select(SightingRow.device_id).where(SightingRow.application_id == scope.application_id, seen)
    query = select(UserDeviceRow).where(
        UserDeviceRow.application_id == scope.application_id,
        UserDeviceRow.user_id == session.user_id,
        UserDeviceRow.device_id.in_(devices),
    )
    return (await scope.tx.scalars(query.with_for_update())).all()


async def reports_of(scope: Scope, session_id: str) -> Sequence[ReportRow]:
    """The reports of a session."""
    return (await scope.tx.scalars(select(ReportRow).where(ReportRow.session_id == session_id))).all()


async def count_persons(scope: Scope, fingerprint: str, most: int) -> int:
    """How many persons were seen with a fingerprint, counted up to ``most``."""
    persons = (
        select(SightingRow.vendor_data)
        .where(
            SightingRow.application_id == scope.application_id,
            SightingRow.fingerprint == fingerprint,
            SightingRow.vendor_data.is_not(None),
        )
        .distinct()
        .limit(most)
        .subquery()
    )
    return (await scope.tx.execute(select(func.count()).select_from(persons))).scalar_one()


async def forget_sightings(scope: Scope, vendor_data: str) -> None:
    """Delete every sighting of a person."""
    await scope.tx.execute(
        delete(SightingRow).where(
            SightingRow.application_id == scope.application_id, SightingRow.vendor_data == vendor_data
        )
    )


async def sightings_of(scope: Scope, vendor_data: str) -> Sequence[SightingRow]:
    """Every sighting of a person."""
    query = select(SightingRow).where(
        SightingRow.application_id == scope.application_id, SightingRow.vendor_data == vendor_data
    )
    return (await scope.tx.scalars(query)).all()


async def uses_of(scope: Scope, user_id: str) -> Sequence[UserDeviceRow]:
    """Every device use of a user, locked."""
    query = select(UserDeviceRow).where(
        UserDeviceRow.application_id == scope.application_id, UserDeviceRow.user_id == user_id
    )
    return (await scope.tx.scalars(query.with_for_update())).all()


async def delete_unseen(tx: Transaction, before: datetime, most: int) -> int:
    """Delete devices last seen before ``before`` that no sighting names any more, in every application."""
    seen = exists().where(SightingRow.application_id == DeviceRow.application_id, SightingRow.device_id == DeviceRow.id)
    ids = (await tx.scalars(select(DeviceRow.id).where(DeviceRow.last_seen_at < before, ~seen).limit(most))).all()
    if ids:
        await tx.execute(delete(UserDeviceRow).where(UserDeviceRow.device_id.in_(ids)))
        await tx.execute(delete(DeviceRow).where(DeviceRow.id.in_(ids)))
    return len(ids)
