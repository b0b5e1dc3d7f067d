"""Devices: remembering where somebody was seen and on what, and whom a device may be trusted with."""

from __future__ import annotations

from typing import Any, Final

from ipse.checks.history import History
from ipse.decision.features import Feature
from ipse.decision.statuses import Cause, FeatureStatus
from ipse.devices import known_devices, repository, sightings
from ipse.devices.identity import identify, persistent_hash
from ipse.devices.matches import device_info, location_info
from ipse.devices.past import history, is_trusted
from ipse.devices.repository import Own
from ipse.edge.errors import NotFound
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.runtime.scope import Scope
from ipse.storage.tables import SessionRow, UserDeviceRow, UserRow

__all__ = [
    "devices_of",
    "history",
    "is_trusted",
    "move_user",
    "on_approved",
    "on_declined",
    "persons_with",
    "remember",
    "revoke",
    "trust",
]

MOST_LISTED: Final = 100
_SHOW_A_FACE: Final = frozenset({Feature.LIVENESS, Feature.AGE_ESTIMATION})
_ATTACK: Final = "LIVENESS_FACE_ATTACK"
_TAKES_TRUST: Final = frozenset({Cause.REPORTED, Cause.REVIEWER})


async def remember(
    scope: Scope,
    *,
    vendor_data: str | None,
    device: DeviceFacts,
    network: NetworkFacts,
    session_id: str | None = None,
    evaluation_id: str | None = None,
    known: History | None = None,
) -> str | None:
    """Store the device and that it was seen; return the device's id, None for one that cannot be told apart.

    A session has one sighting for each device and address; another call renews it. ``known`` is what :func:`history`
    has just told of the same device, so that it is not looked up again.
    """
    await scope.tx.flush()  # plain statements do not see what is only pending
    device_id = await _stored(scope, vendor_data, device, session_id, known)
    is_new = await _sight(scope, vendor_data, device, network, device_id, session_id, evaluation_id)
    if device_id is not None and vendor_data is not None:
        await known_devices.note_use(scope, vendor_data, device_id, again=is_new)
    return device_id


async def trust(scope: Scope, *, user_id: str, device_id: str, by: str) -> None:
    """A person's device is trusted from now on; ``by`` is ``session`` or ``integrator``.

    Raises:
        NotFound: the person was never seen on such a device.
    """
    _give(await _use(scope, user_id, device_id), scope, by)


async def revoke(scope: Scope, *, user_id: str, device_id: str) -> None:
    """A person's device is no longer trusted.

    Raises:
        NotFound: the person was never seen on such a device.
    """
    _take(await _use(scope, user_id, device_id), scope)


async def devices_of(scope: Scope, user_id: str) -> list[Own]:
    """The devices of a user, the most recently seen first, at most 100."""
    return list(await repository.own_devices(scope, user_id, MOST_LISTED))


async def persons_with(scope: Scope, fingerprint: str, *, most: int = 1000) -> int:
    """How many persons were seen with a fingerprint, counted up to ``most``."""
    return await repository.count_persons(scope, fingerprint, most)


async def on_approved(scope: Scope, session: SessionRow) -> None:
    """The device on which a face was approved becomes a trusted one of its person.

    It must keep an id: what has none cannot be recognised safely. In a hand-off it is the device that came last.
    Browsers keep an id for each origin, so the same device has another one on the integrator's page: where the
    evaluation that asked for the session saw the same fingerprint in the same network, that id is trusted as well.
    """
    if session.user_id is None or session.vendor_data is None:
        return
    shown = [row for row in await repository.reports_of(scope, session.id) if row.feature in _SHOW_A_FACE]
    if not shown or any(row.status != FeatureStatus.APPROVED for row in shown):
        return
    device = await repository.latest_device_in(scope, session.id)
    if device is None:
        return
    for twin in (device, await repository.evaluated_twin(scope, session, device)):
        if twin is None or twin.persistent_hash is None:
            continue
        await known_devices.note_use(scope, session.vendor_data, twin.id, again=False)  # evaluated before it was a user
        use = await repository.use_of(scope, session.user_id, twin.id, lock=True)
        if use is not None:
            _give(use, scope, "session")


async def on_declined(scope: Scope, session: SessionRow, cause: Cause) -> None:
    """Take back the trust in the devices of a session in which an attack was seen, which the person reported as not
    theirs, or which a reviewer declined; and in the device whose evaluation asked for the session.
    """
    if session.user_id is None:
        return
    if cause not in _TAKES_TRUST and not any(
        warning.get("risk") == _ATTACK
        for row in await repository.reports_of(scope, session.id)
        for warning in row.report.get("warnings", [])
    ):
        return
    for use in await repository.uses_in(scope, session):
        _take(use, scope)


async def move_user(scope: Scope, source: UserRow, target: UserRow) -> None:
    """Give sightings and devices of one user to another. Trust moves along only where it was not taken back."""
    for sighting in await repository.sightings_of(scope, source.vendor_data):
        sighting.vendor_data = target.vendor_data
    kept = {use.device_id: use for use in await repository.uses_of(scope, target.id)}
    for use in await repository.uses_of(scope, source.id):
        other = kept.get(use.device_id)
        if other is None:
            use.user_id = target.id
            continue
        other.first_seen_at = min(other.first_seen_at, use.first_seen_at)
        other.last_seen_at = max(other.last_seen_at, use.last_seen_at)
        other.times_seen += use.times_seen
        if use.revoked_at is not None:
            other.revoked_at = use.revoked_at
        elif other.trusted_at is None:
            other.trusted_at, other.trusted_by = use.trusted_at, use.trusted_by
        await scope.tx.delete(use)
    await scope.tx.flush()


async def _use(scope: Scope, user_id: str, device_id: str) -> UserDeviceRow:
    use = await repository.use_of(scope, user_id, device_id, lock=True)
    if use is None:
        raise NotFound
    return use


def _give(use: UserDeviceRow, scope: Scope, by: str) -> None:
    use.trusted_at, use.trusted_by, use.revoked_at = scope.services.clock.now(), by, None


def _take(use: UserDeviceRow, scope: Scope) -> None:
    use.revoked_at = scope.services.clock.now()


async def _stored(
    scope: Scope, vendor_data: str | None, device: DeviceFacts, session_id: str | None, known: History | None
) -> str | None:
    """The id of the device, stored anew or brought up to date."""
    digest = persistent_hash(scope.application_id, device.persistent_id)
    if digest is None and device.fingerprint is None:
        return None
    now = scope.services.clock.now()
    values = {
        "fingerprint": device.fingerprint,
        "components": dict(device.components),
        "details": device_info(device),
        "last_seen_at": now,
    }
    if digest is None:
        present = await _by_fingerprint(scope, vendor_data, device, session_id, known)
        if present is not None and await known_devices.renew(scope, present, values):
            return present
    fresh = {"id": scope.services.identifiers.uuid(), "persistent_hash": digest, "first_seen_at": now}
    return await known_devices.store(scope, {**values, **fresh})


async def _by_fingerprint(
    scope: Scope, vendor_data: str | None, device: DeviceFacts, session_id: str | None, known: History | None
) -> str | None:
    """The id of a device that keeps none itself: one of the person's, or the one of this session."""
    if known is not None:
        present = known.device_id
    else:
        identity = await identify(scope, vendor_data, device)
        present = identity.device.id if identity.device is not None else None
    if present is None and session_id is not None:
        row = await repository.device_in(scope, session_id, device.fingerprint)
        present = row.id if row is not None else None
    return present


async def _sight(
    scope: Scope,
    vendor_data: str | None,
    device: DeviceFacts,
    network: NetworkFacts,
    device_id: str | None,
    session_id: str | None,
    evaluation_id: str | None,
) -> bool:
    """Write the sighting down; False where the session has it already."""
    facts: dict[str, Any] = {
        "seen_at": scope.services.clock.now(),
        "fingerprint": device.fingerprint,
        "network": network.network,
        "country": network.country,
        "latitude": network.latitude,
        "longitude": network.longitude,
        "asn": network.asn,
        "is_anonymous": network.is_anonymous,
        "details": {"device_info": device_info(device), "location_info": location_info(network)},
    }
    if session_id is not None and await sightings.renew(scope, session_id, device_id, network.address, facts):
        return False
    key = {
        "id": scope.services.identifiers.uuid(),
        "session_id": session_id,
        "evaluation_id": evaluation_id,
        "vendor_data": vendor_data,
        "device_id": device_id,
        "ip": network.address,
    }
    await sightings.insert(scope, {**facts, **key})
    return True
