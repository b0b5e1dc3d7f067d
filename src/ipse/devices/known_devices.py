"""Prepared queries of devices: which one is known, and that it is in use again.

As in ``sightings``, each statement is put together once, on plain columns. What another request may store at the same
moment is stored by one statement that inserts or updates, so that no savepoint is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import CursorResult, Executable, Integer, and_, bindparam, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ipse.runtime.scope import Scope
from ipse.storage.columns import Id, UtcDateTime
from ipse.storage.tables import Base

MOST_ALIKE: Final = 20
"""Devices that are compared component by component."""

_DEVICES: Final = Base.metadata.tables["devices"]
_USES: Final = Base.metadata.tables["user_devices"]
_USERS: Final = Base.metadata.tables["users"]


class Known(NamedTuple):
    """A stored device, and whether its use by the person is trusted (``None`` where never given or taken)."""

    id: str
    first_seen_at: datetime
    trusted_at: datetime | None
    revoked_at: datetime | None


class Alike(NamedTuple):
    """A stored device to be compared with a reported one."""

    id: str
    components: Mapping[str, Any]
    last_seen_at: datetime


async def by_persistent_hash(scope: Scope, digest: str, vendor_data: str | None) -> Known | None:
    """The device that keeps this id, with its use by the person."""
    return await _known(scope, _BY_PERSISTENT_HASH, {"digest": digest, "vendor_data": vendor_data or ""})


async def own_by_fingerprint(scope: Scope, fingerprint: str, vendor_data: str) -> Known | None:
    """The person's device of a fingerprint that was used last."""
    return await _known(scope, _OWN_BY_FINGERPRINT, {"fingerprint": fingerprint, "vendor_data": vendor_data})


async def own(scope: Scope, vendor_data: str) -> Sequence[Alike]:
    """The devices of a person, the most recently used first, at most :data:`MOST_ALIKE`."""
    parameters = {"application_id": scope.application_id, "vendor_data": vendor_data}
    return [Alike(*row) for row in (await scope.tx.execute(_OWN, parameters)).all()]


async def with_fingerprint(scope: Scope, fingerprint: str) -> Sequence[Alike]:
    """The devices of one fingerprint, the most recently seen first, at most :data:`MOST_ALIKE`."""
    parameters = {"application_id": scope.application_id, "fingerprint": fingerprint}
    return [Alike(*row) for row in (await scope.tx.execute(_WITH_FINGERPRINT, parameters)).all()]


async def store(scope: Scope, values: Mapping[str, Any]) -> str:
    """Insert a device, or bring the one that keeps the same id up to date; return its id.

    ``values`` are its columns but the application's. Without components the stored ones stay.
    """
    statement = _store_statement(scope.services.database.is_sqlite, bool(values["components"]))
    device_id: str = (
        await scope.tx.execute(statement, {**values, "application_id": scope.application_id})
    ).scalar_one()
    return device_id


async def renew(scope: Scope, device_id: str, values: Mapping[str, Any]) -> bool:
    """Bring a device up to date as :func:`store` does; False where it is gone."""
    names = ("last_seen_at", *_REPORTED) if values["components"] else ("last_seen_at",)
    key = {"of_application": scope.application_id, "of_device": device_id}
    parameters = {f"new_{name}": values[name] for name in names}
    result = await scope.tx.execute(_renew_statement(names), {**parameters, **key})
    return cast("CursorResult[Any]", result).rowcount > 0


async def note_use(scope: Scope, vendor_data: str, device_id: str, *, again: bool) -> None:
    """The user of a ``vendor_data``, if there is one, uses a device; ``again`` counts another time."""
    parameters = {
        "application_id": scope.application_id,
        "vendor_data": vendor_data,
        "device_id": device_id,
        "now": scope.services.clock.now(),
        "more": int(again),
    }
    await scope.tx.execute(_note_use_statement(scope.services.database.is_sqlite), parameters)


async def _known(scope: Scope, query: Executable, parameters: Mapping[str, str]) -> Known | None:
    found = await scope.tx.execute(query, {**parameters, "application_id": scope.application_id})
    row = found.first()
    return None if row is None else Known(*row)


_REPORTED: Final = ("components", "details", "fingerprint")
_USER_ID: Final = (
    select(_USERS.c.id)
    .where(
        _USERS.c.application_id == bindparam("application_id", type_=Id),
        _USERS.c.vendor_data == bindparam("vendor_data"),
    )
    .scalar_subquery()
)
_KNOWN: Final = (_DEVICES.c.id, _DEVICES.c.first_seen_at, _USES.c.trusted_at, _USES.c.revoked_at)
_IS_USED: Final = and_(_USES.c.device_id == _DEVICES.c.id, _USES.c.user_id == _USER_ID)
_BY_PERSISTENT_HASH: Final = (
    select(*_KNOWN)
    .select_from(_DEVICES.outerjoin(_USES, _IS_USED))
    .where(_DEVICES.c.application_id == bindparam("application_id"), _DEVICES.c.persistent_hash == bindparam("digest"))
)
_OWN_BY_FINGERPRINT: Final = (
    select(*_KNOWN)
    .select_from(_USES.join(_DEVICES, _USES.c.device_id == _DEVICES.c.id))
    .where(
        _USES.c.user_id == _USER_ID,
        _DEVICES.c.application_id == bindparam("application_id"),
        _DEVICES.c.fingerprint == bindparam("fingerprint"),
    )
    .order_by(_USES.c.last_seen_at.desc(), _USES.c.device_id)
    .limit(1)
)
_ALIKE: Final = (_DEVICES.c.id, _DEVICES.c.components, _DEVICES.c.last_seen_at)
_OWN: Final = (
    select(*_ALIKE)
    .select_from(_USES.join(_DEVICES, _USES.c.device_id == _DEVICES.c.id))
    .where(_USES.c.user_id == _USER_ID, _DEVICES.c.application_id == bindparam("application_id"))
    .order_by(_USES.c.last_seen_at.desc(), _USES.c.device_id)
    .limit(MOST_ALIKE)
)
_WITH_FINGERPRINT: Final = (
    select(*_ALIKE)
    .where(
        _DEVICES.c.application_id == bindparam("application_id"),
        _DEVICES.c.fingerprint == bindparam("fingerprint"),
    )
    .order_by(_DEVICES.c.last_seen_at.desc(), _DEVICES.c.id)
    .limit(MOST_ALIKE)
)


@cache
def _store_statement(is_sqlite: bool, has_components: bool) -> Executable:
    insertion = (sqlite if is_sqlite else postgresql).insert(_DEVICES)
    fresh = insertion.excluded
    changed: dict[str, Any] = {"last_seen_at": fresh.last_seen_at}
    if has_components:
        changed |= {
            "components": fresh.components,
            "details": fresh.details,
            "fingerprint": func.coalesce(fresh.fingerprint, _DEVICES.c.fingerprint),
        }
    key = [_DEVICES.c.application_id, _DEVICES.c.persistent_hash]
    upsert: Executable = insertion.on_conflict_do_update(index_elements=key, set_=changed).returning(_DEVICES.c.id)
    return upsert


@cache
def _renew_statement(names: tuple[str, ...]) -> Executable:
    changed: dict[str, Any] = {name: bindparam(f"new_{name}", type_=_DEVICES.c[name].type) for name in names}
    if "fingerprint" in changed:
        changed["fingerprint"] = func.coalesce(changed["fingerprint"], _DEVICES.c.fingerprint)
    return (
        update(_DEVICES)
        .where(_DEVICES.c.application_id == bindparam("of_application"), _DEVICES.c.id == bindparam("of_device"))
        .values(changed)
    )


@cache
def _note_use_statement(is_sqlite: bool) -> Executable:
    now = bindparam("now", type_=UtcDateTime())
    row = {
        "user_id": _USERS.c.id,
        "device_id": bindparam("device_id", type_=Id),
        "application_id": _USERS.c.application_id,
        "first_seen_at": now,
        "last_seen_at": now,
        "times_seen": literal(1),
    }
    users = select(*row.values()).where(
        _USERS.c.application_id == bindparam("application_id", type_=Id),
        _USERS.c.vendor_data == bindparam("vendor_data"),
    )
    insertion = (sqlite if is_sqlite else postgresql).insert(_USES).from_select(list(row), users)
    changed = {
        "last_seen_at": insertion.excluded.last_seen_at,
        "times_seen": _USES.c.times_seen + bindparam("more", type_=Integer()),
    }
    key = [_USES.c.user_id, _USES.c.device_id]
    upsert: Executable = insertion.on_conflict_do_update(index_elements=key, set_=changed)
    return upsert
