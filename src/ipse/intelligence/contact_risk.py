"""How the parts of a contact's risk become one score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ipse.intelligence.facts import Risk, RiskLevel, RiskPart

MEDIUM: Final = 30.0
HIGH: Final = 70.0


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


def level_of(score: float) -> RiskLevel:
    """The band of a score: low below 30, high from 70 on."""
    if score >= HIGH:
        return RiskLevel.HIGH
    return RiskLevel.MEDIUM if score >= MEDIUM else RiskLevel.LOW
