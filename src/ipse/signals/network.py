"""Signals of an address, from what the look-up said of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ipse.checks.location_findings import is_vpn_or_tor
from ipse.checks.time_zones import offset_of_address
from ipse.decision.values import JsonValue
from ipse.intelligence.facts import Connection, NetworkFacts, Risk
from ipse.signals.paths import known

EEA: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)
"""The 27 states of the European Union with Iceland, Liechtenstein and Norway (EEA agreement)."""
_FLAGS: Final = ("is_vpn", "is_proxy", "is_tor", "is_relay", "is_datacenter")
_HIDING: Final = frozenset({"tor", "proxy", "vpn", "relay"})
_ROUTING: Final = frozenset({"bogon", "tunnel", "unannounced", "unknown_country"})
_CONNECTION: Final = frozenset({"datacenter", *(kind.value for kind in Connection)})


def of_network(network: NetworkFacts, now: datetime) -> dict[str, JsonValue]:
    """Every signal of an address; none for a request without one."""
    if network.address is None:
        return {}
    return known(
        {
            "ip.version": network.version,
            "ip.is_public": network.special is None,
            "ip.special": network.special,
            "ip.is_bogon": network.is_bogon,
            "ip.network": network.network,
            "ip.provider": network.provider,
            "ip.connection": network.connection.value,
            **{f"ip.{flag}": getattr(network, flag) for flag in _FLAGS},
            "ip.is_hidden": is_vpn_or_tor(network),
            "ip.is_no_place": _is_no_place(network),
            "ip.has_conflicting_data": _has_conflict(network),
            **_place(network, now),
            **_operator(network),
            **_risk(network.risk),
            **_data(network),
        }
    )


def _place(network: NetworkFacts, now: datetime) -> dict[str, JsonValue]:
    offset = offset_of_address(network, now)
    return {
        "ip.country": network.country,
        "ip.is_eea": None if network.country is None else network.country in EEA,
        "ip.region": network.region,
        "ip.city": network.city,
        "ip.latitude": network.latitude,
        "ip.longitude": network.longitude,
        "ip.precision": next((level for level in ("city", "region", "country") if getattr(network, level)), "none"),
        "ip.time_zone": network.time_zone,
        "ip.utc_offset_minutes": None if offset is None else round(offset.total_seconds() / 60),
    }


def _operator(network: NetworkFacts) -> dict[str, JsonValue]:
    """An address without a number was looked for and not found, unless the data were not there."""
    asked = network.asn is not None or (network.special is None and "asn" not in network.missing)
    return {
        "ip.asn": network.asn,
        "ip.operator": network.operator,
        "ip.is_announced": network.asn is not None if asked else None,
    }


def _is_no_place(network: NetworkFacts) -> bool | None:
    if network.is_anonymous:
        return True
    return None if is_vpn_or_tor(network) is None or network.is_datacenter is None else False


def _has_conflict(network: NetworkFacts) -> bool | None:
    if network.is_datacenter is None or network.connection is Connection.UNKNOWN:
        return None
    return network.is_datacenter is not (network.connection is Connection.HOSTING)


def _risk(risk: Risk | None) -> dict[str, JsonValue]:
    if risk is None:
        return {}
    return {
        "ip.risk_score": risk.score,
        "ip.risk_confidence": risk.confidence,
        "ip.risk_parts": [part.code for part in risk.parts],
        "ip.is_tunnelled": any(part.code == "tunnel" for part in risk.parts),
        "ip.hiding_points": _points(risk, _HIDING),
        "ip.connection_points": _points(risk, _CONNECTION),
        "ip.routing_points": _points(risk, _ROUTING),
    }


def _points(risk: Risk, codes: frozenset[str]) -> float:
    return sum(part.points for part in risk.parts if part.code in codes)


def _data(network: NetworkFacts) -> dict[str, JsonValue]:
    return {
        "ip.country_data_age_days": _age(network, ("country",)),
        "ip.city_data_age_days": _age(network, ("city",)),
        "ip.operator_data_age_days": _age(network, ("asn",)),
        "ip.list_data_age_days": _age(network, _FLAGS),
        "ip.stale_facts": sum(source.is_stale for source in network.sources.values()),
        "ip.known_facts": len(network.sources),
        "ip.missing_data": list(network.missing),
    }


def _age(network: NetworkFacts, facts: Iterable[str]) -> int | None:
    """The greatest age of the data behind some facts; None where no data, or undated ones, told them."""
    sources = (network.sources.get(fact) for fact in facts)
    return max(
        (source.age_days for source in sources if source is not None and source.age_days is not None), default=None
    )
