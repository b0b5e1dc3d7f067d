"""Addresses, devices and pasts for the tests of IP_ANALYSIS: clean ones, from which each test departs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ipse.checks.history import History, Place, Recovery
from ipse.checks.ip_analysis import assess
from ipse.decision.reports import Report
from ipse.decision.settings import IpAnalysisConfig
from ipse.decision.values import JsonObject, JsonValue
from ipse.decision.warnings import LogType
from ipse.intelligence.facts import Connection, DeviceFacts, NetworkFacts, Risk, RiskLevel, RiskPart, Source

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NODE = "feature_ip_analysis"
MADRID = (40.4168, -3.7038)
NEW_YORK = (40.7128, -74.0060)
SOURCE = Source("city", "2026-11", date(2026, 11, 1), 19)


def network(**changes: Any) -> NetworkFacts:
    """A residential line in Madrid, of which everything is known."""
    facts: dict[str, Any] = {
        "address": "88.12.0.1",
        "version": 4,
        "network": "88.12.0.0/24",
        "country": "ES",
        "country_alpha3": "ESP",
        "country_name": "Spain",
        "region": "Madrid",
        "city": "Madrid",
        "latitude": MADRID[0],
        "longitude": MADRID[1],
        "time_zone": "Europe/Madrid",
        "utc_offset": "+0100",
        "asn": 3352,
        "operator": "Telefonica de Espana",
        "connection": Connection.RESIDENTIAL,
        "is_vpn": False,
        "is_proxy": False,
        "is_tor": False,
        "is_datacenter": False,
        "is_relay": False,
        "risk": Risk(0.0, RiskLevel.LOW, (RiskPart("residential", -10, "An access provider."),), 0.9),
        "sources": {"country": SOURCE, "city": SOURCE},
    }
    return NetworkFacts(**{**facts, **changes})


def unlocated(**changes: Any) -> NetworkFacts:
    """A public address while no data set is installed."""
    return NetworkFacts(
        **{"address": "8.8.8.8", "version": 4, "missing": ("dbip-city", "dbip-country", "asn"), **changes}
    )


def device(**changes: Any) -> DeviceFacts:
    """A browser in Madrid that told everything and hides nothing."""
    facts: dict[str, Any] = {
        "brand": "Apple",
        "model": "iPhone",
        "browser": "Mobile Safari",
        "system": "iOS",
        "platform": "mobile",
        "fingerprint": "f" * 64,
        "languages": ("es-ES", "en"),
        "time_zone": "Europe/Madrid",
        "utc_offset_minutes": 60,
        "reported": True,
    }
    return DeviceFacts(**{**facts, **changes})


def history(**changes: Any) -> History:
    """A person who was here before, on this device, in this network."""
    facts: dict[str, Any] = {
        "device_id": "d1",
        "is_known_device": True,
        "is_trusted_device": True,
        "is_known_network": True,
        "is_known_country": True,
        "last_place": place(),
        "sightings": 4,
    }
    return History(**{**facts, **changes})


def place(
    at: tuple[float | None, float | None] = MADRID,
    *,
    country: str | None = "ES",
    ago: timedelta = timedelta(days=1),
    is_anonymous: bool = False,
) -> Place:
    return Place(NOW - ago, country, at[0], at[1], is_anonymous)


def match(kind: str, source: str, **more: JsonValue) -> JsonObject:
    return {
        "session_id": "s-9",
        "session_number": 9,
        "vendor_data": "somebody else",
        "match_type": kind,
        "match_source": source,
        "api_service": None,
        **more,
    }


def recovery(**changes: Any) -> Recovery:
    return Recovery(**{"device_id": "d1", "similarity": 0.97, "confidence": 0.99, "gate_reason": None, **changes})


def report(
    at: NetworkFacts | None = None,
    on: DeviceFacts | None = None,
    past: History | None = None,
    config: JsonObject | None = None,
    *,
    expected_ip: str | None = None,
    now: datetime = NOW,
    **keys: JsonValue,
) -> Report:
    """The report of a session; ``config`` and ``keys`` together are the node's configuration."""
    read = IpAnalysisConfig.read({**(config or {}), **keys}, NODE)
    return assess(at or network(), on or device(), past or history(), read, NODE, expected_ip=expected_ip, now=now)


def effects(found: Report) -> dict[str, LogType]:
    """Risk -> effect; a risk that appears twice is an error of the check."""
    risks = [warning.risk for warning in found.warnings]
    assert len(risks) == len(set(risks)), risks
    return {warning.risk: warning.log_type for warning in found.warnings}


def data_of(found: Report, risk: str) -> JsonObject | None:
    """``additional_data`` of a risk that the report carries."""
    (warning,) = (warning for warning in found.warnings if warning.risk == risk)
    return warning.additional_data
