"""The signals of an address: each from what a look-up answers, and none that was not told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.decision.values import JsonValue
from ipse.intelligence.facts import Connection, NetworkFacts, Risk, RiskLevel, RiskPart, Source
from ipse.signals.network import of_network
from tests.unit.checks.locations import NOW, network, unlocated

LISTED = {code for code, signal in SIGNALS.items() if signal.group == "ip"}
PARTS = (
    RiskPart("tor", 75, ""),
    RiskPart("tunnel", 10, ""),
    RiskPart("unannounced", 15, ""),
    RiskPart("hosting", 5, ""),
)
TOR = network(
    special="teredo",
    is_tor=True,
    provider="Tor",
    risk=Risk(100.0, RiskLevel.HIGH, PARTS, 0.6),
    sources={
        "country": Source("country", "1", date(2026, 11, 1), 19),
        "city": Source("city", "1", date(2026, 5, 1), 203, is_stale=True),
        "asn": Source("asn", "1", date(2026, 11, 10), 10),
        "is_vpn": Source("lists", "1", date(2026, 11, 13), 7),
        "is_tor": Source("own tor.txt", "1", date(2026, 11, 19), 1),
        "is_proxy": Source("own proxy.txt", "", None, None),
    },
    missing=("relays",),
)


def values(at: NetworkFacts | None = None, now: datetime = NOW) -> dict[str, JsonValue]:
    found = of_network(at or network(), now)
    assert problems_of(found) == ()
    return found


def test_every_listed_signal_is_computed() -> None:
    assert set(values(TOR)) == LISTED


def test_without_an_address_there_is_no_signal() -> None:
    assert values(NetworkFacts(None, missing=("country",))) == {}


def test_what_nobody_told_is_absent() -> None:
    found = values(unlocated())
    assert found == {
        "ip.version": 4,
        "ip.is_public": True,
        "ip.is_bogon": False,
        "ip.connection": "unknown",
        "ip.precision": "none",
        "ip.stale_facts": 0,
        "ip.known_facts": 0,
        "ip.missing_data": ["dbip-city", "dbip-country", "asn"],
    }


def test_a_private_address_is_told_as_one() -> None:
    found = values(NetworkFacts("10.0.0.1", version=4, special="private", is_bogon=True))
    assert (found["ip.is_public"], found["ip.special"], found["ip.is_bogon"]) == (False, "private", True)
    assert "ip.is_announced" not in found


@pytest.mark.parametrize(
    ("flags", "hidden", "no_place"),
    [
        ({}, False, False),
        ({"is_datacenter": True}, False, True),
        ({"is_relay": True}, True, True),
        ({"is_vpn": None}, None, None),
        ({"is_datacenter": None}, False, None),
    ],
)
def test_hiding_and_being_no_place_are_two_things(
    flags: dict[str, Any], hidden: bool | None, no_place: bool | None
) -> None:
    found = values(network(**flags))
    assert (found.get("ip.is_hidden"), found.get("ip.is_no_place")) == (hidden, no_place)


@pytest.mark.parametrize(
    ("connection", "is_datacenter", "conflict"),
    [
        (Connection.RESIDENTIAL, True, True),
        (Connection.HOSTING, False, True),
        (Connection.HOSTING, True, False),
        (Connection.MOBILE, False, False),
        (Connection.UNKNOWN, True, None),
        (Connection.MOBILE, None, None),
    ],
)
def test_lists_and_operators_may_contradict_each_other(
    connection: Connection, is_datacenter: bool | None, conflict: bool | None
) -> None:
    found = values(network(connection=connection, is_datacenter=is_datacenter))
    assert found.get("ip.has_conflicting_data") is conflict


@pytest.mark.parametrize(
    ("lost", "precision"),
    [((), "city"), (("city",), "region"), (("city", "region"), "country"), (("city", "region", "country"), "none")],
)
def test_the_precision_is_that_of_the_finest_fact(lost: tuple[str, ...], precision: str) -> None:
    assert values(network(**dict.fromkeys(lost)))["ip.precision"] == precision


def test_the_offset_is_that_of_the_day() -> None:
    assert values()["ip.utc_offset_minutes"] == 60
    assert values(now=datetime(2026, 7, 1, tzinfo=UTC))["ip.utc_offset_minutes"] == 120


@pytest.mark.parametrize(("country", "is_member"), [("ES", True), ("NO", True), ("CH", False), ("GB", False)])
def test_the_economic_area_is_more_than_the_union(country: str, is_member: bool) -> None:
    assert values(network(country=country))["ip.is_eea"] is is_member


@pytest.mark.parametrize(
    ("at", "announced"),
    [(network(), True), (network(asn=None), False), (network(asn=None, missing=("asn",)), None)],
)
def test_an_address_is_unannounced_only_when_that_was_looked_up(at: NetworkFacts, announced: bool | None) -> None:
    assert values(at).get("ip.is_announced") is announced


def test_the_points_of_the_risk_are_told_by_kind() -> None:
    found = values(TOR)
    assert (found["ip.hiding_points"], found["ip.routing_points"], found["ip.connection_points"]) == (75, 25, 5)
    assert found["ip.risk_parts"] == ["tor", "tunnel", "unannounced", "hosting"]
    assert found["ip.is_tunnelled"] is True
    assert values()["ip.is_tunnelled"] is False


def test_the_age_is_that_of_the_oldest_dated_data() -> None:
    found = values(TOR)
    assert (found["ip.country_data_age_days"], found["ip.city_data_age_days"]) == (19, 203)
    assert (found["ip.operator_data_age_days"], found["ip.list_data_age_days"]) == (10, 7)
    assert (found["ip.stale_facts"], found["ip.known_facts"]) == (1, 6)
