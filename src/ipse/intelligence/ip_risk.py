"""The risk score of an address: a sum of named parts, cut to 0-100 (docs/decisions/0012).

Points are in ``data/ip_risk.tsv``. They are judgements, not fitted: there are no labelled data. Bands: below
:data:`MEDIUM_FROM` low, below :data:`HIGH_FROM` medium, else high. No part but Tor reaches the high band alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

from ipse.intelligence.facts import Connection, NetworkFacts, Risk, RiskLevel, RiskPart

MEDIUM_FROM: Final = 25
HIGH_FROM: Final = 60

_CONFIDENCE: Final[Mapping[str, float]] = {"country": 0.25, "asn": 0.25, "is_vpn": 0.2, "is_tor": 0.2, "is_proxy": 0.1}
"""Fact -> its share of what could be known. A fact nobody tells loses its share, a stale one half of it."""
_STALE_SHARE: Final = 0.5


def _read() -> dict[str, RiskPart]:
    lines = (files("ipse.intelligence") / "data/ip_risk.tsv").read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t")
    return {row["code"]: RiskPart(row["code"], float(row["points"]), row["meaning"]) for row in rows}


PARTS: Final[Mapping[str, RiskPart]] = _read()
"""Code -> part, heaviest first."""


def assess(facts: NetworkFacts, *, tunnel: bool = False) -> Risk | None:
    """Score what is known; None where nothing is known of the address at all."""
    if facts.is_bogon:
        return _risk((PARTS["bogon"],), confidence=1.0)
    if not any(name in facts.sources for name in _CONFIDENCE):
        return None
    parts = [PARTS[code] for code in _codes(facts)] + ([PARTS["tunnel"]] if tunnel else [])
    return _risk(tuple(sorted(parts, key=lambda part: -part.points)), _confidence(facts))


def level_of(score: float) -> RiskLevel:
    """The band of a score."""
    if score >= HIGH_FROM:
        return RiskLevel.HIGH
    return RiskLevel.MEDIUM if score >= MEDIUM_FROM else RiskLevel.LOW


def _risk(parts: tuple[RiskPart, ...], confidence: float) -> Risk:
    score = min(100.0, max(0.0, sum(part.points for part in parts)))
    return Risk(score, level_of(score), parts, confidence)


def _codes(facts: NetworkFacts) -> Iterator[str]:
    hidden = {"tor": facts.is_tor, "proxy": facts.is_proxy, "vpn": facts.is_vpn, "relay": facts.is_relay}
    yield from (code for code, told in hidden.items() if told)
    if facts.is_datacenter and not any(hidden.values()):
        yield "datacenter"
    if facts.asn is None and "asn" not in facts.missing:
        yield "unannounced"
    if facts.country is None and "dbip-country" not in facts.missing:
        yield "unknown_country"
    # A home line with a Tor exit behind it is no home line for this purpose.
    if not any(hidden.values()) and facts.connection not in (Connection.HOSTING, Connection.UNKNOWN):
        yield facts.connection.value


def _confidence(facts: NetworkFacts) -> float:
    confidence = 0.0
    for fact, share in _CONFIDENCE.items():
        source = facts.sources.get(fact)
        if source is not None:
            confidence += share * (_STALE_SHARE if source.is_stale else 1)
    return round(confidence, 3)
