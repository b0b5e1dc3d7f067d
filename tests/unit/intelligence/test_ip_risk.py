"""The score of an address: named parts, published points, bands that no weak part reaches alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ipse.intelligence import ip_risk
from ipse.intelligence.facts import Connection, NetworkFacts, Risk, RiskLevel, Source

_FRESH = Source("test", "1", date(2026, 6, 1), 10)
_PLAIN = NetworkFacts(
    address="5.1.7.20",
    country="DE",
    asn=3320,
    is_vpn=False,
    is_tor=False,
    is_relay=False,
    is_proxy=False,
    is_datacenter=False,
    sources=dict.fromkeys(("country", "asn", "is_vpn", "is_tor", "is_proxy"), _FRESH),
)


def _assess(**changes: Any) -> Risk:
    risk = ip_risk.assess(replace(_PLAIN, **changes))
    assert risk is not None
    return risk


def _codes(risk: Risk) -> list[str]:
    return [part.code for part in risk.parts]


def test_an_ordinary_address_scores_nothing() -> None:
    assert _assess() == Risk(0, RiskLevel.LOW, (), 1.0)


@pytest.mark.parametrize(
    ("changes", "codes", "score", "level"),
    [
        ({"is_tor": True}, ["tor"], 75, "high"),
        ({"is_vpn": True}, ["vpn"], 40, "medium"),
        ({"is_proxy": True}, ["proxy"], 45, "medium"),
        ({"is_relay": True}, ["relay"], 10, "low"),
        ({"is_datacenter": True, "connection": Connection.HOSTING}, ["datacenter"], 25, "medium"),
        ({"connection": Connection.RESIDENTIAL}, ["residential"], 0, "low"),
        ({"connection": Connection.MOBILE}, ["mobile"], 0, "low"),
        ({"connection": Connection.BUSINESS}, ["business"], 0, "low"),
        ({"asn": None}, ["unannounced"], 15, "low"),
        ({"country": None}, ["unknown_country"], 10, "low"),
        ({"is_vpn": True, "is_proxy": True}, ["proxy", "vpn"], 85, "high"),
        ({"is_vpn": True, "is_tor": True, "is_proxy": True}, ["tor", "proxy", "vpn"], 100, "high"),
        ({"is_vpn": True, "is_datacenter": True, "connection": Connection.HOSTING}, ["vpn"], 40, "medium"),
        ({"is_tor": True, "connection": Connection.RESIDENTIAL}, ["tor"], 75, "high"),
        (
            {"is_datacenter": True, "asn": None, "country": None},
            ["datacenter", "unannounced", "unknown_country"],
            50,
            "medium",
        ),
    ],
)
def test_a_score_is_the_sum_of_its_parts(changes: dict[str, Any], codes: list[str], score: float, level: str) -> None:
    risk = _assess(**changes)
    assert (_codes(risk), risk.score, risk.level) == (codes, score, RiskLevel(level))


def test_a_data_centre_is_never_high_by_itself() -> None:
    assert ip_risk.PARTS["datacenter"].points < ip_risk.HIGH_FROM


def test_only_tor_reaches_the_high_band_alone() -> None:
    assert [code for code, part in ip_risk.PARTS.items() if part.points >= ip_risk.HIGH_FROM] == ["tor"]


@pytest.mark.parametrize(
    ("score", "level"), [(0, "low"), (24.9, "low"), (25, "medium"), (59.9, "medium"), (60, "high"), (100, "high")]
)
def test_the_bands_begin_where_the_docs_say(score: float, level: str) -> None:
    assert ip_risk.level_of(score) is RiskLevel(level)


def test_a_tunnel_adds_its_part() -> None:
    risk = ip_risk.assess(_PLAIN, tunnel=True)
    assert risk is not None
    assert _codes(risk) == ["tunnel"]


def test_what_is_not_installed_is_not_held_against_the_address() -> None:
    risk = _assess(asn=None, country=None, missing=("asn", "dbip-country"))
    assert _codes(risk) == []


@pytest.mark.parametrize(
    ("fact", "share"), [("country", 0.25), ("asn", 0.25), ("is_vpn", 0.2), ("is_tor", 0.2), ("is_proxy", 0.1)]
)
def test_confidence_falls_with_each_missing_and_half_with_each_stale_fact(fact: str, share: float) -> None:
    without = {name: source for name, source in _PLAIN.sources.items() if name != fact}
    stale = {**_PLAIN.sources, fact: replace(_FRESH, is_stale=True)}
    assert _assess(sources=without).confidence == pytest.approx(1 - share)
    assert _assess(sources=stale).confidence == pytest.approx(1 - share / 2)


def test_nothing_known_is_no_score_and_not_a_low_one() -> None:
    assert ip_risk.assess(NetworkFacts(address="5.1.7.20")) is None


def test_an_impossible_address_is_certainly_impossible() -> None:
    risk = ip_risk.assess(NetworkFacts(address="10.0.0.1", is_bogon=True))
    assert risk is not None
    assert (_codes(risk), risk.level, risk.confidence) == (["bogon"], RiskLevel.MEDIUM, 1.0)
