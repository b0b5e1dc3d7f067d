"""Geofencing: is the place of an address one that a workflow allows?

``ip_geofencing_by_country`` maps an ISO 3166-1 alpha-3 country to ``{"allowed": bool, "states": {name or code:
{"allowed": bool}} | null}`` (contract 20 section 3). What the contract leaves open is answered on the safe side:

- A map that allows some country forbids those it does not name; one that only forbids allows the rest. The same holds
  for the states of a country.
- Alpha-2 codes are understood too: a forbidden ``ES`` that nobody reads would let Spain in.
- What cannot be told - no country, no region where states matter, a state code that is not known here - is None.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

from ipse.decision.values import JsonObject, JsonValue
from ipse.intelligence.facts import NetworkFacts

Level = Literal["country", "state"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a fence says of a place."""

    is_allowed: bool | None
    """None: it cannot be told."""
    restricted_by: Level | None = None
    unknown: str | None = None
    """What is missing: ``country``, ``region`` or ``state_code``."""


ALLOWED: Final = Judgement(True)


def judge(network: NetworkFacts, by_country: JsonObject) -> Judgement:
    """Judge the place of ``network`` by the countries and states of a workflow."""
    if not by_country:
        return ALLOWED
    country = network.country_alpha3
    if country is None:
        return Judgement(None, unknown="country")
    rules = {code.strip().upper(): rule for code, rule in by_country.items()}
    key = next((code for code in (country, network.country) if code in rules), None)
    if key is None:
        return Judgement(False, "country") if any(map(_allows, rules.values())) else ALLOWED
    rule = rules[key]
    if not _allows(rule):
        return Judgement(False, "country")
    states = rule.get("states") if isinstance(rule, Mapping) else None
    return _judge_state(network, country, states) if isinstance(states, Mapping) and states else ALLOWED


def _judge_state(network: NetworkFacts, country: str, states: JsonObject) -> Judgement:
    if network.region is None:
        return Judgement(None, unknown="region")
    here = _state(country, network.region)
    for key, rule in states.items():
        if _state(country, key) == here:
            return ALLOWED if _allows(rule) else Judgement(False, "state")
    if any(_is_unknown_code(country, key) for key in states):
        return Judgement(None, unknown="state_code")
    return Judgement(False, "state") if any(map(_allows, states.values())) else ALLOWED


def _state(country: str, text: str) -> str:
    """The code of a state by its name or code (ISO 3166-2, with or without the country); else the name, plain."""
    code = text.strip().upper().rpartition("-")[2]
    return code if (country, code) in _CODES else _CODE_OF_NAME.get((country, _plain(text)), _plain(text))


def _is_unknown_code(country: str, key: str) -> bool:
    text = key.strip().rpartition("-")[2]
    return len(text) <= 3 and text.isascii() and text.upper() == text and (country, text) not in _CODES


def _allows(rule: JsonValue) -> bool:
    """``{"allowed": true}``, or true alone. Everything else forbids: a rule that cannot be read allows nobody."""
    return (rule.get("allowed") if isinstance(rule, Mapping) else rule) is True


def _plain(name: str) -> str:
    """A name without accents, case and punctuation: data sets write ``Québec``, ``Quebec`` and ``quebec``."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _parse_states(lines: Iterable[str]) -> Mapping[tuple[str, str], str]:
    """(alpha-3, plain name) -> code, for every name that data sets use."""
    rows = csv.DictReader(lines, delimiter="\t")
    return MappingProxyType(
        {(row["country"], _plain(name)): row["code"] for row in rows for name in row["names"].split("|")}
    )


_CODE_OF_NAME: Final = _parse_states(
    files("ipse.checks").joinpath("states.tsv").read_text(encoding="utf-8").splitlines()
)
"""The states that are usually written by code: of Australia, Brazil, Canada, Germany and the USA."""
_CODES: Final = frozenset((country, code) for (country, _), code in _CODE_OF_NAME.items())
