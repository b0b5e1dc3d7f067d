"""The contract's ``matches[]``: sessions of other persons at the same address and on the same device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ipse.checks.history import Recovery
from ipse.decision.values import JsonValue
from ipse.devices.sightings import Other
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.sessions.view import timestamp

MOST: Final = 5
"""Matches of the address, and again of the device (contract 10 section 7)."""

_STRENGTH: Final = {"persistent_id": 0, "recovered_high": 1, "legacy_fp": 2}


def device_info(device: DeviceFacts) -> dict[str, JsonValue]:
    """A device as a match shows it."""
    return {
        "device_brand": device.brand,
        "device_model": device.model,
        "browser_family": device.browser,
        "os_family": device.system,
        "platform": device.platform,
        "device_fingerprint": device.fingerprint,
    }


def location_info(network: NetworkFacts) -> dict[str, JsonValue]:
    """A place as a match shows it. ``ip_country_code`` is alpha-2."""
    hidden = (network.is_vpn, network.is_tor)
    return {
        "ip_address": network.address,
        "ip_country": network.country_name,
        "ip_country_code": network.country,
        "ip_state": network.region,
        "ip_city": network.city,
        "is_vpn_or_tor": True if any(hidden) else (None if None in hidden else False),
        "is_data_center": network.is_datacenter,
    }


def matches_of(
    rows: Sequence[Other], device_id: str | None, fingerprint: str | None, recovery: Recovery | None
) -> tuple[Mapping[str, JsonValue], ...]:
    """At most five matches of the address and five of the device, one for each session, strongest and newest first.

    ``device_id`` is the device that was recognised by its persistent id, if it was.
    """
    at_address: dict[str, Mapping[str, JsonValue]] = {}
    on_device: dict[str, tuple[int, Mapping[str, JsonValue]]] = {}
    for row in rows:
        if row.session_id is None or row.session_number is None:
            continue
        if row.kind == "ip":
            at_address.setdefault(row.session_id, _match(row, "ip_address", row.ip, 0.0, "co_occurrence"))
            continue
        source, match = _on_device(row, device_id, fingerprint, recovery)
        strength = _STRENGTH[source]
        if row.session_id not in on_device or strength < on_device[row.session_id][0]:
            on_device[row.session_id] = (strength, match)
    strongest = sorted(on_device.values(), key=lambda one: one[0])
    return (*list(at_address.values())[:MOST], *(match for _, match in strongest[:MOST]))


def _on_device(
    row: Other, device_id: str | None, fingerprint: str | None, recovery: Recovery | None
) -> tuple[str, Mapping[str, JsonValue]]:
    if device_id is not None and row.device_id == device_id:
        shown = row.fingerprint or fingerprint or row.device_id  # the persistent id itself is not stored
        return "persistent_id", _match(row, "persistent_id", shown, 1.0, "deterministic")
    if recovery is not None and recovery.gate_reason is None and row.device_id == recovery.device_id:
        match = _match(row, "recovered_high", row.fingerprint or row.device_id, recovery.confidence, "probabilistic")
        extra: dict[str, JsonValue] = {
            "recovery_similarity": recovery.similarity,
            "tls_ja4_corroborated": False,
            "recovery_gate_reason": recovery.gate_reason,
        }
        return "recovered_high", {**match, **extra}
    return "legacy_fp", _match(row, "legacy_fp", row.fingerprint, 0.5, "deterministic")


def _match(row: Other, source: str, value: str, confidence: float, mode: str) -> Mapping[str, JsonValue]:
    return {
        "session_id": row.session_id,
        "session_number": row.session_number,
        "vendor_data": row.vendor_data,
        "verification_date": timestamp(row.decided_at or row.created_at),
        "match_type": "ip_address" if source == "ip_address" else "device_fingerprint",
        "match_source": source,
        "matched_value": value,
        "status": row.status,
        "is_blocklisted": False,
        "api_service": row.api_service,
        "source": "session",
        "device_info": row.details.get("device_info"),
        "location_info": row.details.get("location_info"),
        "confidence": confidence,
        "match_mode": mode,
    }
