"""``POST /v3/ip/risk/``: where is this address, whose is it, and what speaks against it?

The report is that of IP_ANALYSIS without a workflow: the same warnings, the same parts. Only what a page would tell
about its device is missing, which is no reason for suspicion here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ipse.checks import ip_analysis
from ipse.checks.history import History
from ipse.checks.location_findings import is_vpn_or_tor
from ipse.checks.location_risk import assess_risk
from ipse.checks.travel import flipped_country
from ipse.decision.features import Feature
from ipse.decision.settings import IpAnalysisConfig
from ipse.devices import service as devices
from ipse.edge.authentication import Caller
from ipse.intelligence.device import read_device
from ipse.intelligence.facts import Connection, DeviceFacts, NetworkFacts, Risk, RiskLevel, RiskPart
from ipse.intelligence.ip_risk import level_of
from ipse.risk import service
from ipse.risk.errors import NotReadable
from ipse.risk.schemas import Body, IpQuestion
from ipse.sandbox.facts import facts_of
from ipse.sandbox.scenarios import IP_RISK_SCORE

CLAIM_POINTS: Final = 20.0
"""What a claimed country adds that is not the address's. Our judgement, like all points."""
_NODE: Final = "default"
_CONFIG: Final = IpAnalysisConfig.read({}, _NODE)
"""No workflow: every risk has the effect that the catalogue gives it."""
_SANDBOX_CONFIDENCE: Final = 1.0


async def answer(caller: Caller, question: IpQuestion) -> Body:
    """Look the address up, remember what is known of the person, judge.

    Raises:
        NotReadable: the text is not one IP address.
    """
    address = read_address(question.ip_address)
    network = _network(caller, address)
    device = _device(question.user_agent)
    history = await _history(caller, question.vendor_data, device, network)
    now = caller.services.clock.now()
    report = ip_analysis.assess(network, device, history, _CONFIG, _NODE, expected_ip=None, now=now)
    risk = with_claim(assess_risk(network, device, history, now), question.claimed_country, network.country)
    return {
        **service.frame(caller, vendor_data=question.vendor_data, metadata=question.metadata),
        "status": service.status_of(report.warnings, risk, is_known=network.country is not None).value,
        "ip": {
            **service.scored(risk, report.warnings, network.sources, network.missing),
            **_facts(network, question),
            "history": None if question.vendor_data is None else _past(history, network),
        },
    }


def read_address(text: str) -> str:
    """Return the canonical text of an address; IPv4 inside IPv6 becomes IPv4.

    Raises:
        NotReadable: a network, an address with port or zone, or no address at all.
    """
    plain = text.strip()
    if plain.startswith("[") and plain.endswith("]"):
        plain = plain[1:-1]
    if "/" in plain:
        raise NotReadable("ip_address", "Send one address, not a network.")
    if "%" in plain:
        raise NotReadable("ip_address", "Send the address without its zone.")
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        raise NotReadable("ip_address", "Enter a valid IPv4 or IPv6 address, without a port.") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def with_claim(risk: Risk | None, claimed: str | None, country: str | None) -> Risk | None:
    """Add the part for a claimed country that is not the address's."""
    if risk is None or not service.mismatch(claimed, country):
        return risk
    part = RiskPart("claimed_country_mismatch", CLAIM_POINTS, "The address is not in the country that was claimed.")
    score = min(service.MAX_SCORE, risk.score + CLAIM_POINTS)
    return Risk(score, level_of(score), (*risk.parts, part), risk.confidence)


def _network(caller: Caller, address: str) -> NetworkFacts:
    found = caller.services.network.look_up(address, on=service.today(caller))
    if caller.application.answers_by_scenario and not found.is_bogon:
        return _sandboxed(found, facts_of(Feature.IP_ANALYSIS))
    return found


def _sandboxed(found: NetworkFacts, place: Mapping[str, object]) -> NetworkFacts:
    """The fictional place of the sandbox, the same today and in a year; special addresses stay what they are."""
    part = RiskPart("sandbox", IP_RISK_SCORE, "The sandbox answers every public address with one place.")
    return NetworkFacts(
        address=found.address,
        version=found.version,
        network=found.network,
        country="US",
        country_alpha3="USA",
        country_name=str(place["ip_country"]),
        region=str(place["ip_state"]),
        city=str(place["ip_city"]),
        latitude=float(str(place["latitude"])),
        longitude=float(str(place["longitude"])),
        time_zone=str(place["time_zone"]),
        utc_offset=str(place["time_zone_offset"]),
        operator=str(place["isp"]),
        connection=Connection.RESIDENTIAL,
        is_vpn=False,
        is_proxy=False,
        is_tor=False,
        is_datacenter=False,
        is_relay=False,
        risk=Risk(IP_RISK_SCORE, RiskLevel.LOW, (part,), _SANDBOX_CONFIDENCE),
    )


def _device(user_agent: str | None) -> DeviceFacts:
    """What the user agent tells. It counts as reported: a call about an address cannot be blamed for a silent page."""
    headers = {} if user_agent is None else {"user-agent": user_agent}
    return replace(read_device(headers, None), reported=True)


async def _history(caller: Caller, vendor_data: str | None, device: DeviceFacts, network: NetworkFacts) -> History:
    listed = {"ip_address": await service.listed(caller, "ip_address", (network.address or "",))}
    if vendor_data is None:
        return History(listed=listed)
    known = await devices.history(await caller.read(), vendor_data=vendor_data, device=device, network=network)
    return replace(known, listed=listed)


def _past(history: History, network: NetworkFacts) -> Body:
    last = history.last_place
    return {
        "sightings": history.sightings,
        "is_known_network": history.is_known_network,
        "is_known_country": history.is_known_country,
        "last_seen_at": None if last is None else last.seen_at.isoformat(timespec="seconds"),
        "last_country_code": None if last is None else last.country,
        "is_country_flip": None if last is None else flipped_country(last, network),
    }


def _facts(network: NetworkFacts, question: IpQuestion) -> Body:
    return {
        "ip_address": network.address,
        "ip_version": network.version,
        "network": network.network,
        "ip_country": network.country_name,
        "ip_country_code": network.country,
        "ip_state": network.region,
        "ip_city": network.city,
        "latitude": network.latitude,
        "longitude": network.longitude,
        "time_zone": network.time_zone,
        "time_zone_offset": network.utc_offset,
        "asn": network.asn,
        "isp": network.operator,
        "organization": network.provider or network.operator,
        "connection_type": network.connection.value,
        "is_vpn_or_tor": is_vpn_or_tor(network),
        "is_data_center": network.is_datacenter,
        "is_vpn": network.is_vpn,
        "is_proxy": network.is_proxy,
        "is_tor": network.is_tor,
        "is_relay": network.is_relay,
        "is_bogon": network.is_bogon,
        "special": network.special,
        "claimed_country": question.claimed_country,
        "country_mismatch": service.mismatch(question.claimed_country, network.country),
    }
