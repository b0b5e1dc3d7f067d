"""What the real data say about addresses whose owners are public knowledge. Needs `ipse data pull` (`make setup`).

Countries are those of the pinned data, right or wrong: anycast addresses have no country, and the data give one.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from ipse.intelligence.datasets import LEDGER
from ipse.intelligence.facts import Connection, RiskLevel
from ipse.intelligence.network import NetworkIntelligence
from ipse.settings import Settings

ON: Final = date(2026, 11, 20)
HOME, MOBILE, HOSTING, UNKNOWN = Connection.RESIDENTIAL, Connection.MOBILE, Connection.HOSTING, Connection.UNKNOWN


@pytest.fixture(scope="module")
def network() -> NetworkIntelligence:
    network = NetworkIntelligence.load(Settings().intelligence_dir)
    absent = {"dbip-country", "asn"} & set(network.missing)
    if absent:
        pytest.skip(f"address data are not installed ({', '.join(sorted(absent))}); run `ipse data pull`")
    pinned = {entry.name: entry.version for entry in LEDGER}
    newer = [one.dataset for one in network.datasets() if pinned.get(one.dataset, one.version) != one.version]
    if newer:
        pytest.skip(f"newer data than the pinned ones are in force ({', '.join(newer)})")
    return network


@pytest.fixture(scope="module")
def network_with_cities(network: NetworkIntelligence) -> NetworkIntelligence:
    if "dbip-city" in network.missing:
        pytest.skip("the city data are not installed; run `ipse data pull --which city`")
    return network


@pytest.mark.parametrize(
    ("address", "country", "asn", "operator", "connection", "level"),
    [
        pytest.param("8.8.8.8", "US", 15169, "Google", HOSTING, "medium", id="Google DNS"),
        pytest.param("1.1.1.1", "AU", 13335, "Cloudflare", HOSTING, "medium", id="Cloudflare DNS"),
        pytest.param("9.9.9.9", "US", 19281, "Quad9", UNKNOWN, "low", id="Quad9 DNS"),
        pytest.param("52.95.110.1", "US", 16509, "Amazon", HOSTING, "medium", id="AWS"),
        pytest.param("20.50.2.1", "NL", 8075, "Microsoft", HOSTING, "medium", id="Azure"),
        pytest.param("51.68.1.1", "FR", 16276, "OVH", HOSTING, "medium", id="OVH"),
        pytest.param("5.9.1.1", "DE", 24940, "Hetzner", HOSTING, "medium", id="Hetzner Germany"),
        pytest.param("95.216.1.1", "FI", 24940, "Hetzner", HOSTING, "medium", id="Hetzner Finland"),
        pytest.param("165.22.1.1", "US", 14061, "DigitalOcean", HOSTING, "medium", id="DigitalOcean"),
        pytest.param("130.61.1.1", "DE", 31898, "Oracle", HOSTING, "medium", id="Oracle Cloud"),
        pytest.param("140.82.121.4", "DE", 36459, "GitHub", HOSTING, "medium", id="GitHub"),
        pytest.param("185.220.101.1", "DE", 60729, "Stiftung Erneuerbare Freiheit", UNKNOWN, "high", id="Tor Berlin"),
        pytest.param("171.25.193.20", "SE", 198093, "Foreningen", UNKNOWN, "high", id="Tor DFRI"),
        pytest.param("104.244.73.190", "LU", 53667, "FranTech", HOSTING, "high", id="Tor at a hoster"),
        pytest.param("172.224.226.1", "GB", 36183, "Akamai", UNKNOWN, "low", id="Apple Private Relay"),
        pytest.param("73.162.1.1", "US", 7922, "Comcast", HOME, "low", id="Comcast"),
        pytest.param("84.128.1.1", "DE", 3320, "Deutsche Telekom", HOME, "low", id="Deutsche Telekom"),
        pytest.param("80.58.0.33", "ES", 3352, "TELEFONICA", HOME, "low", id="Telefónica"),
        pytest.param("86.1.1.1", "GB", 5089, "Virgin Media", HOME, "low", id="Virgin Media"),
        pytest.param("90.0.0.1", "FR", 3215, "Orange", HOME, "low", id="Orange"),
        pytest.param("126.1.1.1", "JP", 17676, "SoftBank", HOME, "low", id="SoftBank"),
        pytest.param("49.36.1.1", "IN", 55836, "Jio", MOBILE, "low", id="Jio"),
        pytest.param("172.58.1.1", "US", 21928, "T-Mobile", MOBILE, "low", id="T-Mobile US"),
        pytest.param("128.30.2.36", "US", 3, "Massachusetts Institute", Connection.BUSINESS, "low", id="MIT"),
        pytest.param("2001:4860:4860::8888", "CA", 15169, "Google", HOSTING, "medium", id="Google DNS IPv6"),
        pytest.param("2606:4700:4700::1111", "CA", 13335, "Cloudflare", HOSTING, "medium", id="Cloudflare DNS IPv6"),
        pytest.param("2a01:4f8::1", "DE", 24940, "Hetzner", HOSTING, "medium", id="Hetzner IPv6"),
        pytest.param("2600:1f18::1", "US", 14618, "Amazon", HOSTING, "medium", id="AWS IPv6"),
        pytest.param("2003:e1::1", "DE", 3320, "Deutsche Telekom", HOME, "low", id="Deutsche Telekom IPv6"),
        pytest.param("2601::1", "US", 7922, "Comcast", HOME, "low", id="Comcast IPv6"),
        pytest.param("::ffff:8.8.8.8", "US", 15169, "Google", HOSTING, "medium", id="Google DNS mapped"),
        pytest.param("2002:808:808::1", "US", 15169, "Google", HOSTING, "medium", id="Google DNS in 6to4"),
    ],
)
def test_a_known_address_has_its_country_operator_and_connection_each_from_a_named_source(
    network: NetworkIntelligence,
    address: str,
    country: str,
    asn: int,
    operator: str,
    connection: Connection,
    level: str,
) -> None:
    facts = network.look_up(address, on=ON)
    assert (facts.country, facts.asn, facts.connection) == (country, asn, connection)
    assert operator in (facts.operator or "")
    assert facts.risk is not None
    assert facts.risk.level is RiskLevel(level)
    assert facts.sources["country"].dataset in ("dbip-city", "dbip-country")
    assert facts.sources["asn"].dataset == facts.sources["operator"].dataset == "asn"
    assert facts.sources["is_tor"].dataset == facts.sources["is_vpn"].dataset == "iporigin"
    for fact in ("is_tor", "is_vpn", "is_relay", "is_datacenter"):
        assert fact in facts.sources
    for fact, source in facts.sources.items():
        assert source.version, fact


@pytest.mark.parametrize(("address", "flag"), [("185.220.101.1", "is_tor"), ("172.224.226.1", "is_relay")])
def test_exits_and_relays_are_told_apart_from_data_centres(
    network: NetworkIntelligence, address: str, flag: str
) -> None:
    facts = network.look_up(address, on=ON)
    assert {name for name in ("is_tor", "is_vpn", "is_relay") if getattr(facts, name)} == {flag}


@pytest.mark.parametrize(
    ("address", "special"),
    [("192.168.1.1", "private"), ("203.0.113.9", "documentation"), ("100.64.0.1", "carrier_nat"), ("::1", "loopback")],
)
def test_no_data_set_is_asked_where_a_special_address_is(
    network: NetworkIntelligence, address: str, special: str
) -> None:
    facts = network.look_up(address, on=ON)
    assert (facts.special, facts.country, facts.operator) == (special, None, None)


@pytest.mark.parametrize(
    ("address", "city", "zone", "offset"),
    [
        ("5.9.1.1", "Falkenstein", "Europe/Berlin", "+0100"),
        ("51.68.1.1", "Roubaix", "Europe/Paris", "+0100"),
        ("95.216.1.1", "Helsinki", "Europe/Helsinki", "+0200"),
        ("73.162.1.1", "Monterey", "America/Los_Angeles", "-0800"),
        ("2601::1", "Denver", "America/Denver", "-0700"),
        ("49.36.1.1", "Mangaluru", "Asia/Kolkata", "+0530"),
        ("1.128.0.1", "Brisbane", "Australia/Brisbane", "+1000"),
    ],
)
def test_cities_have_coordinates_and_a_time_zone(
    network_with_cities: NetworkIntelligence, address: str, city: str, zone: str, offset: str
) -> None:
    facts = network_with_cities.look_up(address, on=ON)
    assert (facts.city, facts.time_zone, facts.utc_offset) == (city, zone, offset)
    assert facts.latitude is not None
    assert facts.longitude is not None
    assert {facts.sources[name].dataset for name in ("city", "latitude", "longitude")} == {"dbip-city"}


def test_the_shipped_data_are_not_stale_on_the_day_of_this_test(network: NetworkIntelligence) -> None:
    assert not any(source.is_stale for source in network.datasets(ON))
