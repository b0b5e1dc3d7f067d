"""Queries of ``ipse.devices``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, delete, exists, func, or_, select

from ipse.runtime.scope import Scope
from ipse.storage.database import Transaction
from ipse.storage.tables import DeviceRow, ReportRow, SessionRow, SightingRow, UserDeviceRow


class Own(NamedTuple):
    """A device of a person, and when and whether it is trusted."""

    device: DeviceRow
    use: UserDeviceRow


async def count_devices(scope: Scope, most: int) -> int:
    """How many devices the application knows, counted up to ``most``."""
    some = select(DeviceRow.id).where(DeviceRow.application_id == scope.application_id).limit(most).subquery()
    return (await scope.tx.execute(select(func.count()).select_from(some))).scalar_one()


async def use_of(scope: Scope, user_id: str, device_id: str, *, lock: bool = False) -> UserDeviceRow | None:
    """What is known of a person's use of a device."""
    query = select(UserDeviceRow).where(
        UserDeviceRow.application_id == scope.application_id,
        UserDeviceRow.user_id == user_id,
        UserDeviceRow.device_id == device_id,
    )
    row: UserDeviceRow | None = await scope.tx.scalar(query.with_for_update() if lock else query)
    return row


async def own_devices(scope: Scope, user_id: str, most: int) -> Sequence[Own]:
    """The devices of a user, the most recently seen first."""
    query = (
        select(DeviceRow, UserDeviceRow)
        .join(UserDeviceRow, UserDeviceRow.device_id == DeviceRow.id)
        .where(UserDeviceRow.application_id == scope.application_id, UserDeviceRow.user_id == user_id)
        .order_by(UserDeviceRow.last_seen_at.desc(), UserDeviceRow.device_id)
        .limit(most)
    )
    return [Own(device, use) for device, use in (await scope.tx.execute(query)).all()]


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


async def evaluated_twin(scope: Scope, session: SessionRow, device: DeviceRow) -> DeviceRow | None:
    """The device that the evaluation behind a session saw, if it has the fingerprint and the network of ``device``."""
    if session.evaluation_id is None or device.fingerprint is None:
        return None
    here = select(SightingRow.network).where(
        SightingRow.session_id == session.id, SightingRow.device_id == device.id, SightingRow.network.is_not(None)
    )
    query = (
        select(DeviceRow)
        .join(SightingRow, SightingRow.device_id == DeviceRow.id)
        .where(
            SightingRow.application_id == scope.application_id,
            SightingRow.evaluation_id == session.evaluation_id,
            SightingRow.network.in_(here),
            DeviceRow.fingerprint == device.fingerprint,
            DeviceRow.id != device.id,
        )
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
