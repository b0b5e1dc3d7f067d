"""What IP_ANALYSIS finds: risk codes with their data, each at most once (contract 50 section 4).

A finding says what was seen; the workflow's configuration says what follows from it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from ipse.checks import time_zones
from ipse.checks.geofence import judge
from ipse.checks.history import History
from ipse.checks.location_risk import is_new_everywhere
from ipse.checks.travel import flipped_country, travel
from ipse.decision.settings import IpAnalysisConfig
from ipse.decision.values import JsonObject, JsonValue
from ipse.decision.warnings import Action
from ipse.intelligence.facts import DeviceFacts, NetworkFacts

Finding = tuple[str, JsonObject | None]
"""Risk code and ``additional_data``."""

_BLOCK: Final = "blocklist"
_ALLOW: Final = "allowlist"
_DETERMINISTIC: Final = frozenset({"persistent_id", "legacy_fp"})
"""Sources of a match that name one device; ``recovered_high`` is a likeness."""


def is_vpn_or_tor(network: NetworkFacts) -> bool | None:
    """Whether the address hides whose it is: VPN, proxy, Tor or relay. A data centre alone does not.

    In-app browsers and company gateways come out of data centres too (contract 50, note C). None where no list says
    yes and VPN or Tor are unknown.
    """
    if any((network.is_vpn, network.is_proxy, network.is_tor, network.is_relay)):
        return True
    return None if network.is_vpn is None or network.is_tor is None else False


def why_not_located(network: NetworkFacts) -> str | None:
    """Why the address has no country: ``no_address``, ``private_address`` …; None where it has one."""
    if network.country is not None:
        return None
    if network.address is None:
        return "no_address"
    return f"{network.special}_address" if network.special else "no_location_data"


def is_expected(network: NetworkFacts, expected: str) -> bool:
    """Whether the address is ``expected``, or lies in it where that is a network. Unreadable text expects nothing."""
    try:
        address = ipaddress.ip_address(network.address or "")
        fence = ipaddress.ip_network(expected.strip().strip("[]"), strict=False)
    except ValueError:
        return False
    if isinstance(fence, ipaddress.IPv6Network) and fence.network_address.ipv4_mapped and fence.prefixlen >= 96:
        fence = ipaddress.ip_network((fence.network_address.ipv4_mapped, fence.prefixlen - 96))
    return address in fence


def of_address(
    network: NetworkFacts, history: History, config: IpAnalysisConfig, expected_ip: str | None
) -> Iterator[Finding]:
    """What the address tells: lists, hiding, place, expectation, other users."""
    listed = history.listed.get("ip_address", ())
    if _BLOCK in listed:
        yield "IP_ADDRESS_IN_BLOCKLIST", {"ip_address": network.address}
    elif _ALLOW in listed:
        yield "IP_ADDRESS_IN_ALLOWLIST", {"ip_address": network.address}
    if is_vpn_or_tor(network):
        yield "PRIVATE_NETWORK_DETECTED", None
    yield from _place(network, config)
    if expected_ip is not None and not is_expected(network, expected_ip):
        told: JsonObject = {"expected_ip_address": expected_ip, "ip_address": network.address}
        yield "IP_ADDRESS_MISMATCH_WITH_PROVIDED", told
    document, here = history.document_country, network.country_alpha3
    if document is not None and here is not None and document != here:
        told = {"document_country_code": document, "ip_country_code": here}
        yield "COUNTRY_FROM_DOCUMENT_DOES_NOT_MATCH_COUNTRY_FROM_IP", told
    # A private address stands for whoever is behind the same proxy: it is nobody's.
    shared = _matches(history, "ip_address")
    if (shared or history.address_users) and network.special is None and not _suppresses(listed):
        yield "DUPLICATED_IP_ADDRESS", {**_first_match(shared), "other_users": max(history.address_users, len(shared))}


def of_device(device: DeviceFacts, history: History, config: IpAnalysisConfig) -> Iterator[Finding]:
    """What the device tells of itself, and what is known of it. Claims count against a device, never for it."""
    listed = history.listed.get("device_fingerprint", ())
    if _BLOCK in listed:
        yield "DEVICE_FINGERPRINT_IN_BLOCKLIST", {"device_fingerprint": device.fingerprint}
    elif _ALLOW in listed:
        yield "DEVICE_FINGERPRINT_IN_ALLOWLIST", {"device_fingerprint": device.fingerprint}
    shared = [match for match in _matches(history, "device_fingerprint") if match["match_source"] in _DETERMINISTIC]
    if (shared or history.device_users) and not _suppresses(listed):
        users = max(history.device_users, len(shared))
        yield "DUPLICATED_DEVICE_FINGERPRINT", {**_first_match(shared), "other_users": users}
    found = history.recovery
    if found is not None and found.gate_reason is None:
        recovered: JsonObject = {
            "recovery_match_device_uuid": found.device_id,
            "recovery_match_similarity": round(found.similarity, 4),
            "recovery_match_band": "high",
            "recovery_gate_reason": None,
        }
        yield "DEVICE_RECOVERED_HIGH_CONFIDENCE", recovered
    if history.session_devices > 1:
        yield "MULTIPLE_DEVICES_DETECTED", {"devices": history.session_devices}
    yield from _claims(device, config)


def of_travel(network: NetworkFacts, device: DeviceFacts, history: History, now: datetime) -> Iterator[Finding]:
    """What place and time tell: another country, an impossible way, another time zone, everything new at once."""
    last = history.last_place
    if last is not None and flipped_country(last, network):
        yield (
            "COUNTRY_FLIP_DETECTED",
            {
                "last_country_code": last.country,
                "ip_country_code": network.country,
                "last_seen_at": _when(last.seen_at),
            },
        )
    way = travel(last, network, now)
    if last is not None and way is not None and way.is_impossible:
        told: JsonObject = {
            "distance_km": round(way.distance_km),
            "elapsed_minutes": round(way.elapsed.total_seconds() / 60, 1),
            "last_country_code": last.country,
            "last_seen_at": _when(last.seen_at),
        }
        yield "IMPOSSIBLE_TRAVEL_DETECTED", told
    gap = time_zones.gap(network, device, now)
    if gap is not None and abs(gap) > time_zones.TOLERANCE:
        minutes = round(gap.total_seconds() / 60)
        told = {"ip_time_zone": network.time_zone, "device_time_zone": device.time_zone, "gap_minutes": minutes}
        yield "TIME_ZONE_MISMATCH_DETECTED", told
    if is_new_everywhere(history):
        yield "NEW_DEVICE_AND_NETWORK_DETECTED", {"sightings": history.sightings}


def _place(network: NetworkFacts, config: IpAnalysisConfig) -> Iterator[Finding]:
    reason = why_not_located(network)
    fence = judge(network, config.geofencing_by_country) if config.geofencing_enabled else None
    if reason is None and fence is not None and fence.is_allowed is None:
        reason = f"no_{fence.unknown}"
    if reason is not None:
        yield "IP_LOCATION_NOT_DETERMINED", {"reason": reason}
    elif fence is not None and fence.is_allowed is False:
        told: JsonObject = {
            "ip_country_code": network.country_alpha3,
            "ip_country": network.country_name,
            "ip_state": network.region,
            "restricted_by": fence.restricted_by,
        }
        yield "IP_LOCATION_NOT_ALLOWED", told


def _claims(device: DeviceFacts, config: IpAnalysisConfig) -> Iterator[Finding]:
    if device.automation:
        yield "AUTOMATION_FRAMEWORK_DETECTED", {"traces": list(device.automation)}
    if device.emulation:
        yield "DEVICE_EMULATOR_DETECTED", {"traces": list(device.emulation)}
    if device.tampering:
        yield "DEVICE_SPOOFING_DETECTED", {"contradictions": list(device.tampering)}
    if device.is_rooted:
        yield "DEVICE_ROOTED_OR_JAILBROKEN", None
    if device.is_hooked:
        yield "DEVICE_RUNTIME_HOOKING_DETECTED", None
    if device.is_debugged:
        yield "DEVICE_DEBUGGER_DETECTED", None
    if device.is_app_tampered:
        yield "DEVICE_APP_TAMPERED", None
    # No browser can attest itself: without an action of its own this would stand in every report from the web.
    asked = config.actions.get("device_integrity_missing_action", Action.NO_ACTION) is not Action.NO_ACTION
    if asked and not device.has_attestation:
        yield "DEVICE_INTEGRITY_MISSING", None


def _suppresses(listed: tuple[str, ...]) -> bool:
    """An allowlist silences duplicates; a blocklist beats it (contract 50 section 8)."""
    return _ALLOW in listed and _BLOCK not in listed


def _matches(history: History, kind: str) -> list[JsonObject]:
    return [match for match in history.matches if match.get("match_type") == kind]


def _first_match(matches: list[JsonObject]) -> dict[str, JsonValue]:
    first = matches[0] if matches else {}
    return {
        "duplicated_session_id": first.get("session_id"),
        "duplicated_session_number": first.get("session_number"),
        "api_service": first.get("api_service"),
    }


def _when(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
