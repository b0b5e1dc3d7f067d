"""What earlier visits say about a new one.

A visit makes a device, a network and a country known only if it ended well: an approved session, or an evaluation
that allowed the action. Otherwise an intruder's second attempt would meet a "known device".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ipse.checks.history import History, Place
from ipse.devices import sightings
from ipse.devices.identity import Identity, identify, recover
from ipse.devices.known_devices import Known
from ipse.devices.matches import matches_of
from ipse.devices.sightings import Apart, Other, Visit
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.runtime.scope import Scope
from ipse.storage.tables import SessionRow, UserDeviceRow

RECENT: Final = timedelta(days=30)
"""How long sightings of others, and devices of the person, count."""


async def history(
    scope: Scope,
    *,
    vendor_data: str | None,
    device: DeviceFacts,
    network: NetworkFacts,
    session_id: str | None = None,
    evaluation_id: str | None = None,
) -> History:
    """What is known from before, apart from this session and the evaluation it came from.

    The answer is the same before and after the visit is remembered, but for ``device_id``. Addresses that many share
    by their kind (private, loopback, carrier NAT) match nobody; those of VPNs and the like match, and the network
    facts say so.
    """
    await scope.tx.flush()  # plain queries do not see what is only pending
    identity = await identify(scope, vendor_data, device)
    apart = await _apart(scope, session_id, evaluation_id)
    visits = await sightings.visits(scope, vendor_data, apart) if vendor_data is not None else []
    present = identity.device.id if identity.device is not None else None
    ties = _ties(device, network, {present} if present else set())
    others = await sightings.others(scope, ties, vendor_data, apart, _recently(scope))
    found = History(
        device_id=present,
        is_trusted_device=_is_trusted(identity, vendor_data, device),
        address_users=_persons(row for row in others if row.kind == "ip"),
        sightings=len(visits),
    )
    recognised = {present} if present else set()
    if present is None or not _was_seen(present, visits, others):
        found = replace(found, recovery=await recover(scope, identity, vendor_data, device))
        if found.recovery is not None and found.recovery.gate_reason is None:
            recognised.add(found.recovery.device_id)
            ties = _ties(device, network, recognised)
            others = await sightings.others(scope, ties, vendor_data, apart, _recently(scope))
    elif identity.device is not None:
        found = replace(found, device_first_seen_at=identity.device.first_seen_at)
    in_session = await sightings.devices_in(scope, session_id) if session_id is not None else set()
    by_id = present if identity.by_persistent_id else None
    return replace(
        _of_person(found, scope, vendor_data, device, network, visits, recognised),
        device_users=_persons(row for row in others if row.device_id in recognised),
        session_devices=max(1, len(in_session) + (_has_identity(device) and present not in in_session)),
        matches=matches_of(others, by_id, device.fingerprint, found.recovery),
    )


def _of_person(
    found: History,
    scope: Scope,
    vendor_data: str | None,
    device: DeviceFacts,
    network: NetworkFacts,
    visits: Sequence[Visit],
    recognised: set[str],
) -> History:
    """The facts that the person's own visits tell; without a person there are none."""
    if vendor_data is None:
        return replace(found, user_devices=int(_has_identity(device)))
    good = [row for row in visits if row.is_good]
    recent = {row.device_id for row in visits if row.device_id is not None and row.seen_at > _recently(scope)}
    is_another = _has_identity(device) and not recognised & recent
    return replace(
        found,
        is_known_device=any(row.device_id in recognised for row in good) if _has_identity(device) else None,
        user_devices=len(recent) + is_another,
        is_known_network=any(row.network == network.network for row in good) if network.network else None,
        is_known_country=any(row.country == network.country for row in good) if network.country else None,
        last_place=_last_place(good),
    )


def is_trusted(use: UserDeviceRow | Known | None) -> bool:
    """Whether trust was given and not taken back since."""
    return use is not None and use.trusted_at is not None and use.revoked_at is None


def _is_trusted(identity: Identity, vendor_data: str | None, device: DeviceFacts) -> bool | None:
    """A device is trusted only by the id it keeps: everything else about it can be copied."""
    if vendor_data is None or not _has_identity(device):
        return None
    if identity.device is None or not identity.by_persistent_id:
        return False
    return is_trusted(identity.device)


def _was_seen(device_id: str, visits: Sequence[Visit], others: Sequence[Other]) -> bool:
    return any(row.device_id == device_id for row in visits) or any(row.device_id == device_id for row in others)


def _has_identity(device: DeviceFacts) -> bool:
    return device.persistent_id is not None or device.fingerprint is not None


def _recently(scope: Scope) -> datetime:
    return scope.services.clock.now() - RECENT


async def _apart(scope: Scope, session_id: str | None, evaluation_id: str | None) -> Apart:
    """Neither this session, nor the evaluation that asked for it."""
    session = await scope.tx.get(SessionRow, session_id) if session_id is not None else None
    return Apart(session_id, evaluation_id, session.evaluation_id if session is not None else None)


def _ties(device: DeviceFacts, network: NetworkFacts, device_ids: set[str]) -> list[tuple[str, str]]:
    """What may tie a visit to those of others: kind and value."""
    ties: list[tuple[str, str]] = []
    if network.address is not None and network.special is None:
        ties.append(("ip", network.address))
    ties += [("device", device_id) for device_id in sorted(device_ids)]
    if device.fingerprint is not None:
        ties.append(("fingerprint", device.fingerprint))
    return ties


def _persons(rows: Iterable[Other]) -> int:
    """Different persons; a session without ``vendor_data`` is a person of its own."""
    return len({row.vendor_data or row.session_id for row in rows} - {None})


def _last_place(good: Sequence[Visit]) -> Place | None:
    """The newest place of the person; one behind a VPN or the like only where there is no other."""
    located = [row for row in good if row.country is not None or row.latitude is not None]
    row = next((one for one in located if not one.is_anonymous), located[0] if located else None)
    if row is None:
        return None
    return Place(row.seen_at, row.country, row.latitude, row.longitude, row.is_anonymous)
