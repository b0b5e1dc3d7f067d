"""What the look-ups answer. None means "not known" everywhere: false would be a claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Connection(StrEnum):
    """How an address is connected, as far as the data tell."""

    RESIDENTIAL = "residential"
    MOBILE = "mobile"
    HOSTING = "hosting"
    BUSINESS = "business"
    UNKNOWN = "unknown"


class RiskLevel(StrEnum):
    """A band of a risk score."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from. ``published`` is the date of the data, ``age_days`` counted at the look-up."""

    dataset: str
    version: str
    published: date | None
    age_days: int | None
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class RiskPart:
    """One reason of a score, with the points it added (may be negative)."""

    code: str
    points: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A score from 0 (nothing speaks against it) to 100, the sum of its parts cut to that range."""

    score: float
    level: RiskLevel
    parts: tuple[RiskPart, ...] = ()
    confidence: float = 1.0
    """0-1: how much of what could be known is known, and how fresh it is."""


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What is known of one address. Latitude and longitude in degrees; ``utc_offset`` like ``+0200``."""

    address: str | None
    version: int | None = None
    special: str | None = None
    """Why an address cannot be located: ``private``, ``loopback``, ``carrier_nat``, ``documentation``, …"""
    network: str | None = None
    """The /24 (IPv4) or /48 (IPv6) the address lies in."""
    country: str | None = None
    """ISO 3166-1 alpha-2."""
    country_alpha3: str | None = None
    country_name: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    utc_offset: str | None = None
    asn: int | None = None
    operator: str | None = None
    connection: Connection = Connection.UNKNOWN
    is_vpn: bool | None = None
    is_proxy: bool | None = None
    is_tor: bool | None = None
    is_datacenter: bool | None = None
    is_relay: bool | None = None
    is_bogon: bool = False
    provider: str | None = None
    """Name of the cloud, VPN or proxy operator, where a list names it."""
    risk: Risk | None = None
    """None where nothing at all is known of the address."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Fact name -> the data set that told it."""
    missing: tuple[str, ...] = ()
    """Data sets that are not installed; the facts they would tell are None."""

    @property
    def is_anonymous(self) -> bool:
        """Whether the place says nothing about the person: VPN, proxy, Tor, relay or data centre."""
        return any((self.is_vpn, self.is_proxy, self.is_tor, self.is_relay, self.is_datacenter))


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a request and the page's report say about a device. Claims of the device, not evidence."""

    brand: str | None = None
    model: str | None = None
    browser: str | None = None
    browser_version: str | None = None
    system: str | None = None
    system_version: str | None = None
    platform: str | None = None
    """``mobile``, ``tablet`` or ``desktop``."""
    fingerprint: str | None = None
    persistent_id: str | None = None
    """As the device sent it; stored only as keyed digest."""
    components: Mapping[str, str] = field(default_factory=dict)
    """Component name -> value or short digest, for recovery."""
    languages: tuple[str, ...] = ()
    time_zone: str | None = None
    utc_offset_minutes: int | None = None
    automation: tuple[str, ...] = ()
    """Traces of automation found, by name."""
    emulation: tuple[str, ...] = ()
    """Traces of an emulator or a virtual machine, by name."""
    tampering: tuple[str, ...] = ()
    """Claims that contradict each other, by name."""
    is_webview: bool | None = None
    is_rooted: bool | None = None
    is_hooked: bool | None = None
    is_debugged: bool | None = None
    is_app_tampered: bool | None = None
    has_attestation: bool | None = None
    """The last five: only apps tell; None from a browser."""
    reported: bool = False
    """Whether the page (or an app) reported at all, or only headers were seen."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Every further reported value, named as in docs/devices.md; signals read it."""
