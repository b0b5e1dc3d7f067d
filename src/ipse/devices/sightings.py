"""Prepared queries of sightings: who was seen where before, and that somebody is seen now.

Risk calls and policy evaluations ask these with every request. Each statement is put together once, on plain columns
instead of rows of the ORM: both cost more than running it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from ipse.decision.statuses import SessionStatus
from ipse.runtime.scope import Scope
from ipse.storage.columns import Id
from ipse.storage.sealed import Vault, open_column, sealed_columns, vault_of
from ipse.storage.tables import Base, SightingRow

MOST_VISITS: Final = 200
"""Visits of one person that are looked at, the newest first."""
MOST_OTHERS: Final = 100
"""Sightings of other persons that are looked at, for each of address, device and fingerprint."""
NOBODY: Final = "00000000-0000-0000-0000-000000000000"

_GOOD: Final = (SessionStatus.APPROVED.value, SessionStatus.KYC_EXPIRED.value)
_SIGHTINGS: Final = Base.metadata.tables["sightings"]
_SIGHTING: Final = _SIGHTINGS.c
_SESSIONS: Final = Base.metadata.tables["sessions"]
_EVALUATIONS: Final = Base.metadata.tables["step_up_evaluations"]


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


class Other:
    """A sighting of another person, with its session; ``details`` are opened when they are asked for."""

    def __init__(self, row: Row[Any], vault: Vault) -> None:
        self._row = row
        self._vault = vault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    @property
    def details(self) -> Mapping[str, Any]:
        """``device_info`` and ``location_info``."""
        found: Mapping[str, Any] = open_column(SightingRow, "details", self._row, self._vault)
        return found


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
    return [Visit(*row) for row in (await scope.tx.execute(_VISITS, parameters)).all()]


async def others(
    scope: Scope, values: Sequence[tuple[str, str]], vendor_data: str | None, apart: Apart, since: datetime
) -> Sequence[Other]:
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
    vault = vault_of(scope.services.database.engine.dialect)
    return [Other(row, vault) for row in found]


async def devices_in(scope: Scope, session_id: str) -> set[str]:
    """The devices seen in a session."""
    parameters = {"application_id": scope.application_id, "session_id": session_id}
    return {row.device_id for row in (await scope.tx.execute(_DEVICES_IN, parameters)).all()}


async def insert(scope: Scope, values: Mapping[str, Any]) -> None:
    """Store a sighting; ``values`` has every column but the application's."""
    row = {**values, "application_id": scope.application_id}
    await scope.tx.execute(_INSERT, sealed_columns(SightingRow, row, vault_of(scope.services.database.engine.dialect)))


async def renew(
    scope: Scope, session_id: str, device_id: str | None, ip: str | None, values: Mapping[str, Any]
) -> bool:
    """Bring the sighting of a device at an address in a session up to date; False where there is none."""
    key = {"of_application": scope.application_id, "of_session": session_id, "of_device": device_id, "of_ip": ip}
    rows = (await scope.tx.execute(_IN_SESSION, key)).all()
    vault = vault_of(scope.services.database.engine.dialect)
    for row in rows:
        place = {"id": row.id, "application_id": scope.application_id}
        sealed = sealed_columns(SightingRow, {**values, **place}, vault)
        del sealed["id"], sealed["application_id"]
        await scope.tx.execute(_RENEW, {**sealed, "of_id": row.id})
    return bool(rows)


def _apart() -> ColumnElement[bool]:
    own = and_(
        _SIGHTING.evaluation_id != bindparam("evaluation_id"),
        _SIGHTING.evaluation_id != bindparam("own_evaluation_id"),
    )
    return and_(
        or_(_SIGHTING.session_id.is_(None), _SIGHTING.session_id != bindparam("session_id")),
        or_(_SIGHTING.evaluation_id.is_(None), own),
    )


def _visits_query() -> Executable:
    is_good = or_(
        _SESSIONS.c.status.in_(_GOOD),
        and_(
            _SIGHTING.session_id.is_(None),
            or_(_EVALUATIONS.c.answer == "allow", _EVALUATIONS.c.completed_at.is_not(None)),
        ),
    )
    return (
        select(
            _SIGHTING.seen_at,
            _SIGHTING.device_id,
            _SIGHTING.network,
            _SIGHTING.country,
            _SIGHTING.latitude,
            _SIGHTING.longitude,
            _SIGHTING.is_anonymous,
            func.coalesce(is_good, False).label("is_good"),
        )
        .select_from(_SIGHTINGS)
        .outerjoin(_SESSIONS, _SESSIONS.c.id == _SIGHTING.session_id)
        .outerjoin(_EVALUATIONS, _EVALUATIONS.c.id == _SIGHTING.evaluation_id)
        .where(
            _SIGHTING.application_id == bindparam("application_id"),
            _SIGHTING.vendor_data == bindparam("vendor_data"),
            _apart(),
        )
        .order_by(_SIGHTING.seen_at.desc(), _SIGHTING.id)
        .limit(MOST_VISITS)
    )


@cache
def _others_query(kinds: tuple[str, ...]) -> Executable:
    columns = {"ip": _SIGHTING.ip, "device": _SIGHTING.device_id, "fingerprint": _SIGHTING.fingerprint}
    somebody_else = or_(_SIGHTING.vendor_data.is_(None), _SIGHTING.vendor_data != bindparam("vendor_data"))
    parts = [
        select(
            literal(kind).label("kind"),
            _SIGHTING.seen_at,
            _SIGHTING.session_id,
            _SIGHTING.vendor_data,
            _SIGHTING.device_id,
            _SIGHTING.fingerprint,
            _SIGHTING.ip,
            _SIGHTING.id,
            _SIGHTING.application_id,
            _SIGHTING.details_sealed,
            _SESSIONS.c.session_number,
            _SESSIONS.c.status,
            _SESSIONS.c.api_service,
            _SESSIONS.c.created_at,
            _SESSIONS.c.decided_at,
        )
        .select_from(_SIGHTINGS)
        .outerjoin(_SESSIONS, _SESSIONS.c.id == _SIGHTING.session_id)
        .where(
            _SIGHTING.application_id == bindparam("application_id"),
            columns[kind] == bindparam(f"value_{index}"),
            _SIGHTING.seen_at > bindparam("since"),
            somebody_else,
            _apart(),
        )
        .order_by(_SIGHTING.seen_at.desc())
        .limit(MOST_OTHERS)
        .subquery()
        for index, kind in enumerate(kinds)
    ]
    found = union_all(*(select(part) for part in parts)).subquery()
    return select(found).order_by(found.c.seen_at.desc(), found.c.session_id)


_VISITS: Final = _visits_query()
_DEVICES_IN: Final = (
    select(_SIGHTING.device_id)
    .where(
        _SIGHTING.application_id == bindparam("application_id"),
        _SIGHTING.session_id == bindparam("session_id"),
        _SIGHTING.device_id.is_not(None),
    )
    .distinct()
)
_INSERT: Final = _SIGHTINGS.insert()
_RENEW: Final = update(_SIGHTINGS).where(_SIGHTING.id == bindparam("of_id", type_=Id))
_IN_SESSION: Final = select(_SIGHTING.id).where(
    _SIGHTING.application_id == bindparam("of_application", type_=Id),
    _SIGHTING.session_id == bindparam("of_session", type_=Id),
    _SIGHTING.device_id.is_not_distinct_from(bindparam("of_device", type_=Id)),
    _SIGHTING.ip.is_not_distinct_from(bindparam("of_ip", type_=_SIGHTING.ip.type)),
)
