"""Which stored device a reported one is.

By its persistent id; without one (a browser that keeps nothing) by fingerprint among the devices of the same person;
and otherwise by resemblance, which is told with its confidence and never more than a guess. A device that was only
recognised by what anybody could copy is never a trusted one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ipse.checks.history import Recovery
from ipse.devices import known_devices, repository
from ipse.devices.known_devices import Alike, Known
from ipse.intelligence.device_recovery import WORTH_TELLING, Resemblance, resemblance
from ipse.intelligence.facts import DeviceFacts
from ipse.runtime.scope import Scope

DIGEST: Final = "digest:"
"""A persistent id that was stored reads so; none that a device sends can contain a colon."""
MOST_COUNTED: Final = 10_000
"""Devices of an application are counted so far to estimate coincidences; larger ones are as ambiguous as this."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a reported device turned out to be; None where nothing fits."""

    device: Known | None
    """The stored device, by persistent id or by fingerprint."""
    by_persistent_id: bool


def persistent_hash(application_id: str, persistent_id: str | None) -> str | None:
    """SHA-256 over application and id, 64 hexadecimal digits: one device has another digest in each application."""
    if persistent_id is None:
        return None
    if persistent_id.startswith(DIGEST):
        return persistent_id.removeprefix(DIGEST)
    return hashlib.sha256(f"{application_id}:{persistent_id}".encode()).hexdigest()


def without_secret(application_id: str, device: DeviceFacts) -> str | None:
    """The persistent id in the form in which it may be stored: ``digest:`` and its digest."""
    digest = persistent_hash(application_id, device.persistent_id)
    return None if digest is None else DIGEST + digest


async def identify(scope: Scope, vendor_data: str | None, device: DeviceFacts) -> Identity:
    """Find the stored device of a report."""
    digest = persistent_hash(scope.application_id, device.persistent_id)
    if digest is not None:
        return Identity(await known_devices.by_persistent_hash(scope, digest, vendor_data), True)
    if device.fingerprint is None or vendor_data is None:
        return Identity(None, False)
    return Identity(await known_devices.own_by_fingerprint(scope, device.fingerprint, vendor_data), False)


async def recover(scope: Scope, identity: Identity, vendor_data: str | None, device: DeviceFacts) -> Recovery | None:
    """The known device that this new one resembles most: one of the person's own, else one of the same fingerprint."""
    if not device.components:
        return None
    present = identity.device.id if identity.device is not None else None
    mine = await known_devices.own(scope, vendor_data) if vendor_data is not None else ()
    known = {row.id for row in mine} | {present}
    same: Sequence[Alike] = ()
    if device.fingerprint is not None:
        same = await known_devices.with_fingerprint(scope, device.fingerprint)
    strangers = [row for row in same if row.id not in known]
    own = [row for row in mine if row.id != present]
    best = _most_alike(own, device, others=1 + len(strangers))
    if best is None and strangers:
        best = _most_alike(strangers, device, others=await repository.count_devices(scope, MOST_COUNTED))
    if best is None:
        return None
    row, found = best
    return Recovery(row.id, found.similarity, found.confidence, found.gate_reason)


def _most_alike(rows: Sequence[Alike], device: DeviceFacts, *, others: int) -> tuple[Alike, Resemblance] | None:
    compared = [(row, resemblance(row.components, device.components, others=others)) for row in rows]
    worth = [one for one in compared if one[1].similarity >= WORTH_TELLING]
    return max(worth, key=lambda one: (one[1].similarity, one[0].last_seen_at), default=None)
