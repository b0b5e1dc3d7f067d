"""What is known about a person, a device and an address from before: input of the IP_ANALYSIS check.

The database is asked by ``ipse.devices`` and ``ipse.lists``; here are the plain answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ipse.decision.values import JsonValue


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when somebody was seen. Degrees; ``country`` is alpha-2."""

    seen_at: datetime
    country: str | None
    latitude: float | None
    longitude: float | None
    is_anonymous: bool
    """The address belonged to a VPN, a proxy, Tor or a data centre: it is no place of the person."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A device recognised although its persistent id is new."""

    device_id: str
    similarity: float
    """0-1: weighted share of equal components."""
    confidence: float
    """0-1: one minus the estimated chance that another device looks as similar."""
    gate_reason: str | None
    """Why it does not count as certain, or None."""


@dataclass(frozen=True, slots=True)
class History:
    """The past, as seen from one session. Everything but ``matches`` is about the same ``vendor_data``."""

    device_id: str | None = None
    """Our id of the device, once it is stored."""
    is_known_device: bool | None = None
    """Whether this person was seen on it before; None without ``vendor_data`` or device."""
    is_trusted_device: bool | None = None
    device_first_seen_at: datetime | None = None
    device_users: int = 0
    """Other persons seen on the device."""
    user_devices: int = 0
    """Devices of the person in the last 30 days."""
    session_devices: int = 1
    """Devices that took part in this session."""
    is_known_network: bool | None = None
    """Whether the person was seen in this network (/24, /48) before."""
    is_known_country: bool | None = None
    address_users: int = 0
    """Other persons seen at the address in the last 30 days."""
    last_place: Place | None = None
    """Where the person was seen last, in an earlier session or evaluation."""
    sightings: int = 0
    """How often the person was seen before."""
    recovery: Recovery | None = None
    matches: tuple[Mapping[str, JsonValue], ...] = ()
    """The contract's ``matches[]``: at most five for the address and five for the device."""
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entry type (``ip_address``, ``device_fingerprint``, …) -> the types of lists it stands on."""
    document_country: str | None = None
    """Alpha-3 of the country that issued the document of this session."""
