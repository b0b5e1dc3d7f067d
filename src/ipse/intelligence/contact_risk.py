"""How the parts of a contact's risk become one score, in the same bands as that of an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipse.intelligence.facts import Risk, RiskPart
from ipse.intelligence.ip_risk import level_of


@dataclass(frozen=True, slots=True)
class PartRule:
    """What one reason adds."""

    code: str
    points: float
    meaning: str


def total(rules: Sequence[PartRule], found: Mapping[str, bool | None], *, confidence: float) -> Risk:
    """Add up the rules that were found, cut to 0-100; a rule that is not known adds nothing."""
    parts = tuple(RiskPart(rule.code, rule.points, rule.meaning) for rule in rules if found[rule.code])
    score = min(100.0, max(0.0, sum(part.points for part in parts)))
    return Risk(score, level_of(score), parts, confidence)
