"""The fields of an ``ip_analyses[]`` item (contract 10 section 7), and ours beside them.

What is not known is null: false would be a claim.
"""

from __future__ import annotations

from ipse.checks.history import History, Recovery
from ipse.checks.location_findings import is_vpn_or_tor
from ipse.checks.location_risk import risk_to_json
from ipse.decision.values import JsonObject, JsonValue
from ipse.intelligence.facts import DeviceFacts, NetworkFacts, Risk, Source


def facts_of(network: NetworkFacts, device: DeviceFacts, history: History, risk: Risk | None) -> dict[str, JsonValue]:
    """Every field of the item; ``score``, ``status`` and ``warnings`` come from the report itself."""
    return {**_of_contract(network, device, history), **_of_ours(network, device, history, risk)}


def _of_contract(network: NetworkFacts, device: DeviceFacts, history: History) -> dict[str, JsonValue]:
    return {
        "device_brand": device.brand,
        "device_model": device.model,
        "browser_family": device.browser,
        "os_family": device.system,
        "platform": device.platform,
        "device_fingerprint": device.fingerprint,
        "ip_country": network.country_name,
        "ip_country_code": network.country,
        "ip_state": network.region,
        "ip_city": network.city,
        "latitude": network.latitude,
        "longitude": network.longitude,
        "ip_address": network.address,
        "isp": network.operator,
        "organization": network.provider or network.operator,
        "is_vpn_or_tor": is_vpn_or_tor(network),
        "is_data_center": network.is_datacenter,
        "time_zone": network.time_zone,
        "time_zone_offset": network.utc_offset,
        # No check of this server reads an address off a document, so that there is no second place to measure to.
        "ip": {"location": _location(network), "distance_from_id_document": None, "distance_from_poa_document": None},
        "id_document": {"location": None, "distance_from_ip": None, "distance_from_poa_document": None},
        "poa_document": {"location": None, "distance_from_ip": None, "distance_from_id_document": None},
        "matches": list(history.matches),
    }


def _of_ours(network: NetworkFacts, device: DeviceFacts, history: History, risk: Risk | None) -> dict[str, JsonValue]:
    return {
        "risk": risk_to_json(risk),
        "connection_type": network.connection.value,
        "is_vpn": network.is_vpn,
        "is_proxy": network.is_proxy,
        "is_tor": network.is_tor,
        "is_relay": network.is_relay,
        "asn": network.asn,
        "is_known_device": history.is_known_device,
        "is_trusted_device": history.is_trusted_device,
        "is_known_network": history.is_known_network,
        "is_known_country": history.is_known_country,
        "is_device_reported": device.reported,
        "recovered_device": _recovery(history.recovery),
        "sources": {fact: _source(source) for fact, source in sorted(network.sources.items())},
        "missing_data": list(network.missing),
    }


def _location(network: NetworkFacts) -> JsonObject | None:
    if network.latitude is None or network.longitude is None:
        return None
    return {"latitude": network.latitude, "longitude": network.longitude}


def _recovery(found: Recovery | None) -> JsonObject | None:
    if found is None:
        return None
    return {
        "device_id": found.device_id,
        "similarity": round(found.similarity, 4),
        "confidence": round(found.confidence, 4),
        "gate_reason": found.gate_reason,
    }


def _source(source: Source) -> JsonObject:
    return {
        "dataset": source.dataset,
        "version": source.version,
        "published": None if source.published is None else source.published.isoformat(),
        "age_days": source.age_days,
        "is_stale": source.is_stale,
    }
