"""Reading values out of stored facts by path."""

from __future__ import annotations

from collections.abc import Mapping

from ipse.decision.signal_catalogue import SIGNALS
from ipse.decision.values import JsonObject, JsonValue


def at(value: JsonValue, path: str) -> JsonValue:
    """The value at a dotted path; None where something on the way is missing or no object."""
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def taken(facts: JsonObject, paths: Mapping[str, str]) -> dict[str, JsonValue]:
    """The signals of ``paths`` (code -> dotted path in ``facts``) that are there and of their type."""
    found = {code: at(facts, path) for code, path in paths.items()}
    return known({code: value for code, value in found.items() if SIGNALS[code].type.fits(value)})


def known(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """``values`` without those that are not known."""
    return {code: value for code, value in values.items() if value is not None}
