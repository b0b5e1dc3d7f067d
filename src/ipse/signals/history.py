"""Signals of the past, and of the place compared with it: where and on what the person was seen before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ipse.checks import time_zones
from ipse.checks.history import History, Recovery
from ipse.checks.location_findings import is_expected
from ipse.checks.location_risk import assess_risk, is_new_everywhere
from ipse.checks.travel import flipped_country, travel
from ipse.decision.values import JsonValue
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.signals.paths import known

_DECLINED: Final = "Declined"
_APPROVED: Final = "Approved"


def of_place(
    network: NetworkFacts, device: DeviceFacts, history: History, now: datetime, *, expected_ip: str | None = None
) -> dict[str, JsonValue]:
    """Every signal of the place: against the last one, the device's clock and languages, and what is expected."""
    gap = time_zones.gap(network, device, now)
    document, here = history.document_country, network.country_alpha3
    return known(
        {
            **_since_last_place(network, history, now),
            **_local_time(network, now),
            "place.is_known_country": history.is_known_country,
            "place.time_zone_gap_minutes": None if gap is None else round(gap / timedelta(minutes=1)),
            "place.is_time_zone_mismatch": None if gap is None else abs(gap) > time_zones.TOLERANCE,
            "place.is_country_in_languages": _is_country_in(device.languages, network.country),
            "place.is_document_country": None if document is None or here is None else document == here,
            "place.is_expected_address": None if expected_ip is None else is_expected(network, expected_ip),
        }
    )


def of_history(network: NetworkFacts, device: DeviceFacts, history: History, now: datetime) -> dict[str, JsonValue]:
    """Every signal of what was seen before, and the risk that follows from all of it."""
    last, first_on_device = history.last_place, history.device_first_seen_at
    return known(
        {
            "history.sightings": history.sightings,
            "history.hours_since_last": None if last is None else _passed(last.seen_at, now, timedelta(hours=1)),
            "history.is_known_device": history.is_known_device,
            "history.is_trusted_device": history.is_trusted_device,
            "history.device_age_days": (
                None if first_on_device is None else _passed(first_on_device, now, timedelta(days=1))
            ),
            "history.device_users": history.device_users,
            "history.user_devices": history.user_devices,
            "history.session_devices": history.session_devices,
            "history.is_known_network": history.is_known_network,
            "history.is_new_everywhere": is_new_everywhere(history),
            "history.address_users": history.address_users,
            **_recovered(history.recovery),
            **_matched(history),
            **_risk(network, device, history, now),
        }
    )


def _since_last_place(network: NetworkFacts, history: History, now: datetime) -> dict[str, JsonValue]:
    last = history.last_place
    if last is None:
        return {}
    way = travel(last, network, now)
    speed = None if way is None else way.speed_kmh
    return {
        "place.last_country": last.country,
        "place.is_last_no_place": last.is_anonymous,
        "place.has_country_flip": flipped_country(last, network),
        "place.distance_km": None if way is None else round(way.distance_km, 1),
        "place.speed_kmh": None if speed is None else round(speed, 1),
        "place.is_impossible_travel": None if way is None else way.is_impossible,
        "place.is_clock_set_back": last.seen_at > now,
    }


def _local_time(network: NetworkFacts, now: datetime) -> dict[str, JsonValue]:
    offset = time_zones.offset_of_address(network, now)
    if offset is None:
        return {}
    local = now + offset - (now.utcoffset() or timedelta(0))
    return {"place.local_hour": local.hour, "place.local_weekday": local.isoweekday()}


def _is_country_in(languages: tuple[str, ...], country: str | None) -> bool | None:
    """Whether a language tag (BCP 47) has the country as its region; ``es`` alone is spoken in twenty countries."""
    regions = {part for tag in languages for part in tag.split("-")[1:] if len(part) == 2 and part.isalpha()}
    if country is None or not regions:
        return None
    return country in {region.upper() for region in regions}


def _recovered(found: Recovery | None) -> dict[str, JsonValue]:
    if found is None:
        return {"history.is_recovered_device": False}
    return {
        "history.is_recovered_device": found.gate_reason is None,
        "history.recovery_similarity": round(found.similarity, 4),
        "history.recovery_confidence": round(found.confidence, 4),
        "history.recovery_gate": found.gate_reason,
    }


def _matched(history: History) -> dict[str, JsonValue]:
    statuses = [match.get("status") for match in history.matches]
    return {
        "history.matched_sessions": len(statuses),
        "history.matched_declined": statuses.count(_DECLINED),
        "history.matched_approved": statuses.count(_APPROVED),
    }


def _risk(network: NetworkFacts, device: DeviceFacts, history: History, now: datetime) -> dict[str, JsonValue]:
    risk = assess_risk(network, device, history, now)
    if risk is None or network.risk is None:
        return {}
    own = risk.parts[len(network.risk.parts) :]
    return {"history.risk_score": risk.score, "history.risk_parts": [part.code for part in own]}


def _passed(since: datetime, now: datetime, unit: timedelta) -> float:
    """Time in ``unit``; 0 where a clock was set back in between."""
    return max(0.0, round((now - since) / unit, 2))
