"""The configuration of feature nodes: which keys exist, what they accept, how they are spelled.

The keys live in ``config_keys.tsv`` beside this file (source: contract 20 section 3). Unlisted keys
are dropped silently, ``null`` means the default, actions and methods are read in any case, and the
seeds' short threshold names are mapped (contract 90 E2, E5, E6).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import regex  # type: ignore[import-untyped, unused-ignore]

from ipse.decision.features import Feature
from ipse.decision.problems import GraphProblem
from ipse.decision.thresholds import as_percent
from ipse.decision.values import JsonObject, JsonValue, as_number, is_list
from ipse.decision.warnings import Action

STATUS_RULES: Final = "status_rules"
"""The one key that every feature accepts; read by ``status_rules.read_rules``."""


class CaptureMethod(StrEnum):
    """How a liveness step captures (contract 50 section 2)."""

    PASSIVE = "PASSIVE"
    FLASHING = "FLASHING"
    ACTIVE_3D = "ACTIVE_3D"


class Kind(StrEnum):
    """What a key accepts."""

    SCORE = "score"
    WHOLE = "int"
    TRUTH = "bool"
    ACTION = "action"
    REVIEW_OR_DECLINE = "action_rd"
    METHOD = "method"
    TEXT = "text"
    URL = "url"
    LIST = "list"
    MAP = "map"
    ANY = "any"


@dataclass(frozen=True)
class Key:
    """One configuration key; ``low`` and ``high`` bound whole numbers."""

    name: str
    kind: Kind
    low: int
    high: int


@dataclass(frozen=True)
class ReadConfig:
    """The known keys in their stored spelling, and what was wrong with the rest."""

    values: JsonObject
    problems: tuple[GraphProblem, ...]


def _parse_keys(lines: Iterable[str]) -> Mapping[Feature, Mapping[str, Key]]:
    keys: dict[Feature, dict[str, Key]] = {feature: {} for feature in Feature}
    for row in csv.DictReader(lines, delimiter="\t"):
        key = Key(row["key"], Kind(row["kind"]), int(row["low"] or 0), int(row["high"] or 100))
        keys[Feature(row["feature"])][key.name] = key
    return MappingProxyType(keys)


KEYS: Final[Mapping[Feature, Mapping[str, Key]]] = _parse_keys(
    files(__package__).joinpath("config_keys.tsv").read_text(encoding="utf-8").splitlines()
)
"""The keys of each feature by name."""

_SHORT_THRESHOLDS: Final[Mapping[Feature, str]] = {
    Feature.LIVENESS: "face_liveness_score",
    Feature.AGE_ESTIMATION: "face_liveness_score",
    Feature.FACE_MATCH: "face_match_score",
}
_MAX_URL: Final = 2048
_URL: Final = regex.compile(
    r"(?:https://|http://(?=(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/?#]|$)))[^\s\p{C}/?#@\\]+(?:[/?#][^\s\p{C}\\]*)?"
)
"""Without a user name, which could dress a foreign host up as a known one."""
_METHOD_ALIASES: Final[Mapping[str, CaptureMethod]] = {
    "3D_ACTION": CaptureMethod.ACTIVE_3D,
    "ACTIVE": CaptureMethod.ACTIVE_3D,
    "ACTIVE3D": CaptureMethod.ACTIVE_3D,
    "FLASH": CaptureMethod.FLASHING,
}


def read_config(feature: Feature, config: JsonObject, node_id: str) -> ReadConfig:
    """Return the configuration of a node in its stored form, with a problem per unusable value."""
    known = KEYS[feature]
    values: dict[str, JsonValue] = {}
    problems: list[GraphProblem] = []
    for name, value in _spelled_out(feature, config).items():
        if value is None:
            continue
        if name == STATUS_RULES:
            values[name] = value
            continue
        if name not in known:
            continue
        read, complaint = _read(known[name], value)
        if complaint is None:
            values[name] = read
        else:
            problems.append(GraphProblem(node_id, "bad_config", f"'{name}' of node '{node_id}' must be {complaint}."))
    problems.extend(_crossed(values, node_id))
    return ReadConfig(values, tuple(problems))


def _spelled_out(feature: Feature, config: JsonObject) -> dict[str, JsonValue]:
    """Lower-case the names and write the seeds' short threshold names out; the long name wins."""
    names = {name.lower(): value for name, value in config.items()}
    prefix = _SHORT_THRESHOLDS.get(feature)
    if prefix is not None:
        for short in ("review_threshold", "decline_threshold"):
            if short in names:
                names.setdefault(f"{prefix}_{short}", names.pop(short))
    return names


def _read(key: Key, value: JsonValue) -> tuple[JsonValue, str | None]:
    """Return the stored form of ``value``, or what it should have been."""
    match key.kind:
        case Kind.SCORE:
            return _score(value)
        case Kind.WHOLE:
            number = as_number(value)
            if number is None or not number.is_integer() or not key.low <= number <= key.high:
                return None, f"a whole number from {key.low} to {key.high}"
            return int(number), None
        case Kind.TRUTH:
            return (value, None) if isinstance(value, bool) else (None, "true or false")
        case Kind.ACTION:
            action = Action.parse(value)
            return (None, "NO_ACTION, REVIEW or DECLINE") if action is None else (action.value, None)
        case Kind.REVIEW_OR_DECLINE:
            action = Action.parse(value)
            fits = action in (Action.REVIEW, Action.DECLINE)
            return (action.value, None) if action is not None and fits else (None, "REVIEW or DECLINE")
        case Kind.METHOD:
            method = parse_method(value)
            return (None, "PASSIVE, FLASHING or ACTIVE_3D") if method is None else (method.value, None)
        case Kind.TEXT:
            return (value, None) if isinstance(value, str) else (None, "text")
        case Kind.URL:
            fits = isinstance(value, str) and len(value) <= _MAX_URL and _URL.fullmatch(value)
            return (value, None) if fits else (None, "an https URL, or an http URL on localhost")
        case Kind.LIST:
            return (value, None) if is_list(value) else (None, "a list")
        case Kind.MAP:
            return (value, None) if isinstance(value, Mapping) else (None, "an object")
        case _:
            return value, None


def _score(value: JsonValue) -> tuple[JsonValue, str | None]:
    number = as_number(value)
    if number is None or not math.isfinite(number) or not 0.0 <= number <= 100.0:
        return None, "a number from 0 to 100"
    percent = as_percent(number)
    return (int(percent) if percent.is_integer() else percent), None


def parse_method(value: JsonValue) -> CaptureMethod | None:
    """Read a capture method in any case; None if it is none."""
    if not isinstance(value, str):
        return None
    key = value.strip().upper().replace("-", "_").replace(" ", "_")
    if key in CaptureMethod.__members__:
        return CaptureMethod(key)
    return _METHOD_ALIASES.get(key)


def _crossed(values: JsonObject, node_id: str) -> Iterable[GraphProblem]:
    """Report a decline threshold above its review threshold: its review band would be empty."""
    for name, decline in values.items():
        if not name.endswith("_decline_threshold"):
            continue
        review_name = name.removesuffix("_decline_threshold") + "_review_threshold"
        low, high = as_number(decline), as_number(values.get(review_name))
        if low is not None and high is not None and low > high:
            yield GraphProblem(
                node_id,
                "crossed_thresholds",
                f"Node '{node_id}': '{name}' ({low:g}) is above '{review_name}' ({high:g}).",
            )
