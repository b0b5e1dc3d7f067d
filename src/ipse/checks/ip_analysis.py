"""IP_ANALYSIS: under which address and with what device is the person connected?

This server has no address intelligence yet: no country, no network owner, no VPN list. The report says so instead of
guessing (``score`` null, ``IP_LOCATION_NOT_DETERMINED``), and a workflow that asks for a rule which needs such
knowledge goes to review instead of passing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ua_parser import parse

from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.settings import IpAnalysisConfig
from ipse.decision.values import JsonValue
from ipse.decision.warnings import Action, RiskWarning, warn

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEEDS_INTELLIGENCE: Final = (
    "vpn_detection_action",
    "ip_mismatch_action",
    "duplicated_ip_action",
    "duplicated_device_action",
    "recovered_device_action",
    "multiple_devices_action",
    "device_emulator_action",
    "device_rooted_action",
    "device_hooking_action",
    "device_debugger_action",
    "device_app_tampered_action",
    "device_integrity_missing_action",
)
"""Actions a workflow can set for signals that this server cannot observe."""
_AUTOMATION: Final = ("headlesschrome", "phantomjs", "selenium", "puppeteer", "playwright", "cypress", "webdriver")
_MAX_USER_AGENT: Final = 1024
"""Longer texts are cut: user-agent parsing costs time in proportion, and browsers stay far below."""
_MOBILE_SYSTEMS: Final = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "HarmonyOS", "BlackBerry OS"})
_DESKTOP_SYSTEMS: Final = frozenset(
    {"Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "Debian", "FreeBSD"}
)
_TABLETS: Final = ("ipad", "tablet")


@dataclass(frozen=True)
class RequestFacts:
    """What the server saw of the connection. Header names are lower case; ``ip`` is the client, not a proxy."""

    ip: str | None
    user_agent: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expected_ip: str | None = None
    device_fingerprint: str | None = None
    accept_language: str | None = None


@dataclass(frozen=True)
class Device:
    """What a user agent and client hints say about the device; None where they say nothing."""

    brand: str | None
    model: str | None
    browser: str | None
    system: str | None
    platform: str | None
    automated: bool


def assess(request: RequestFacts, config: IpAnalysisConfig, node_id: str) -> Report:
    """Report on the address and device of a session. ``score`` is always None until there is intelligence."""
    address = read_address(request.ip)
    device = read_device(request)
    return report_from_warnings(
        Feature.IP_ANALYSIS,
        node_id,
        score=None,
        warnings=tuple(_warnings(request, address, device, config, node_id)),
        facts=_facts(request, address, device),
    )


def read_address(text: str | None) -> Address | None:
    """Read an address; IPv4 inside IPv6 becomes IPv4; None for anything that is no address."""
    try:
        address = ipaddress.ip_address((text or "").strip().strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def read_device(request: RequestFacts) -> Device:
    """Read brand, model, browser, operating system and platform from the user agent and the client hints."""
    text = (request.user_agent or "")[:_MAX_USER_AGENT]
    parsed = parse(text)
    browser = parsed.user_agent.family if parsed.user_agent else None
    system = parsed.os.family if parsed.os else _hint(request, "sec-ch-ua-platform")
    brand = parsed.device.brand if parsed.device else None
    model = _hint(request, "sec-ch-ua-model") or (parsed.device.model if parsed.device else None)
    return Device(
        brand=brand,
        model=model,
        browser=browser,
        system=system,
        platform=_platform(request, text, system, model),
        automated=any(word in text.lower() for word in _AUTOMATION),
    )


def _platform(request: RequestFacts, text: str, system: str | None, model: str | None) -> str | None:
    described = f"{text} {model or ''}".lower()
    if any(word in described for word in _TABLETS) or ("android" in described and "mobile" not in described):
        return "tablet"
    if request.headers.get("sec-ch-ua-mobile") == "?1" or system in _MOBILE_SYSTEMS:
        return "mobile"
    return "desktop" if system in _DESKTOP_SYSTEMS else None


def _hint(request: RequestFacts, name: str) -> str | None:
    """What a header says, without quotes; an empty one says nothing."""
    return request.headers.get(name, "").strip().strip('"')[:128] or None


def _warnings(
    request: RequestFacts, address: Address | None, device: Device, config: IpAnalysisConfig, node_id: str
) -> Iterator[RiskWarning]:
    expected = read_address(request.expected_ip)
    if request.expected_ip is not None and (expected is None or expected != address):
        yield warn(
            "IP_ADDRESS_MISMATCH_WITH_PROVIDED",
            node_id,
            action=config.action("IP_ADDRESS_MISMATCH_WITH_PROVIDED"),
            additional_data={
                "expected_ip_address": request.expected_ip,
                "ip_address": str(address) if address is not None else None,
            },
        )
    if device.automated:
        yield warn("AUTOMATION_FRAMEWORK_DETECTED", node_id, action=config.action("AUTOMATION_FRAMEWORK_DETECTED"))
    yield warn(
        "IP_LOCATION_NOT_DETERMINED",
        node_id,
        action=config.action("IP_LOCATION_NOT_DETERMINED"),
        additional_data={"reason": _why_unknown(address)},
    )
    asked: list[JsonValue] = [
        key for key in _NEEDS_INTELLIGENCE if config.actions.get(key, Action.NO_ACTION) is not Action.NO_ACTION
    ]
    if config.geofencing_enabled:
        asked.append("is_ip_geofencing_enabled")
    if asked:
        yield warn(
            "CHECK_NOT_AVAILABLE", node_id, feature=Feature.IP_ANALYSIS, additional_data={"not_available": asked}
        )


def _why_unknown(address: Address | None) -> str:
    if address is None:
        return "no_address"
    return "no_location_data" if address.is_global else "private_address"


def _facts(request: RequestFacts, address: Address | None, device: Device) -> dict[str, JsonValue]:
    """The fields of an ``ip_analyses[]`` item. What is not known is null: false would be a claim."""
    nowhere: dict[str, JsonValue] = {"location": None}
    return {
        "device_brand": device.brand,
        "device_model": device.model,
        "browser_family": device.browser,
        "os_family": device.system,
        "platform": device.platform,
        "device_fingerprint": request.device_fingerprint or _hint(request, "x-didit-fp-hash"),
        "ip_country": None,
        "ip_country_code": None,
        "ip_state": None,
        "ip_city": None,
        "latitude": None,
        "longitude": None,
        "ip_address": str(address) if address is not None else None,
        "isp": None,
        "organization": None,
        "is_vpn_or_tor": None,
        "is_data_center": None,
        "time_zone": None,
        "time_zone_offset": None,
        "ip": {**nowhere, "distance_from_id_document": None, "distance_from_poa_document": None},
        "id_document": {**nowhere, "distance_from_ip": None, "distance_from_poa_document": None},
        "poa_document": {**nowhere, "distance_from_ip": None, "distance_from_id_document": None},
        "matches": [],
        "evidence": {"accept_language": (request.accept_language or "")[:256] or None},
    }
