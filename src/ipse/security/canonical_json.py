"""One JSON text per value: the body of every signed event.

The bytes produced here are at once what goes over the wire and what a receiver obtains when it parses the body,
shortens floats, sorts keys and serialises again (contract 40, sections 4B and 5). One HMAC therefore satisfies
receivers that sign raw bytes and receivers that rebuild the text, in Python, in JavaScript and in PHP.

An event is never lost because a customer's metadata is odd. What has no portable spelling is replaced, by these rules:

========================================  ======================================================================
value                                     becomes
========================================  ======================================================================
float                                     rounded to 4 decimals; whole floats, and ``-0.0``, become integers
integer outside +-2**53                   its decimal text (JavaScript would round it silently)
half of a surrogate pair, in text or key  U+FFFD; a key that thereby meets another one gets a further U+FFFD
NaN, Infinity, any type JSON lacks        refused with :class:`NotCanonical`
nesting deeper than 100                   refused with :class:`NotCanonical`
========================================  ======================================================================

Three kinds of key verify over raw bytes everywhere but cannot be rebuilt by every receiver; they are sent as they are
and :func:`rebuild_hazards` names them: integer-like keys and ``__proto__`` (JavaScript moves or drops them), and
astral keys beside keys above U+D7FF (JavaScript sorts by UTF-16 unit, Python and PHP by code point).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

LARGEST_PORTABLE_INTEGER: Final = 2**53
"""Largest magnitude every receiver's number type holds exactly (contract 40, section 5, constraint 3)."""

FLOAT_DECIMALS: Final = 4
"""Decimals kept of a float; 1e-4 is the smallest magnitude Python and JavaScript spell alike."""

DEEPEST_NESTING: Final = 100
"""Containers within containers; far below any receiver's recursion limit."""

_LARGEST_JAVASCRIPT_INDEX: Final = 2**32 - 2


class NotCanonical(ValueError):
    """The value has no portable JSON text.

    ``path`` leads to it in the form ``$.metadata.items[2]``.
    """

    code = "NOT_CANONICAL"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RebuildHazard:
    """A key that some receivers cannot rebuild in place; raw-byte verification is not affected."""

    path: str
    reason: str


def canonical_bytes(payload: object) -> bytes:
    """Return the UTF-8 bytes of the only spelling of ``payload``.

    Keys are sorted by code point, nothing but ``"``, ``\\`` and control characters is escaped, there is no white
    space and no trailing newline. Mappings, lists, tuples, text, integers, finite floats, booleans and ``None`` are
    accepted.

    Raises:
        NotCanonical: the value is not finite, not JSON, or nested too deep.
    """
    return serialise(canonical_form(payload))


def canonical_form(payload: object) -> JsonValue:
    """Return ``payload`` as plain JSON values to which the table of this module has been applied; idempotent.

    Raises:
        NotCanonical: as :func:`canonical_bytes`.
    """
    return _canonical(payload, "$", 0)


def serialise(value: JsonValue) -> bytes:
    """Return the sorted, compact, unescaped UTF-8 text of JSON values, which must be free of surrogates and NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def shorten_floats(value: JsonValue) -> JsonValue:
    """Return ``value`` with every float without a fraction made an integer: the receiver's half of the recipe.

    Unlike :func:`canonical_form` it rounds nothing, because a receiver must rebuild what was sent, whatever that was.
    """
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [shorten_floats(item) for item in value]
        case dict():
            return {key: shorten_floats(item) for key, item in value.items()}
        case _:
            return value


def rebuild_hazards(payload: object) -> tuple[RebuildHazard, ...]:
    """Return the keys of ``payload`` that not every receiver can rebuild, in the order they are met.

    Raises:
        NotCanonical: as :func:`canonical_bytes`.
    """
    found: list[RebuildHazard] = []
    _collect_hazards(canonical_form(payload), "$", found)
    return tuple(found)


def _canonical(value: object, path: str, depth: int) -> JsonValue:
    match value:
        case None | bool():
            return value
        case str():
            return _valid_unicode(value)
        case int():
            return _portable_integer(int(value), path)
        case float():
            return _portable_float(float(value), path)
    if depth == DEEPEST_NESTING:
        raise NotCanonical(path, f"is nested deeper than {DEEPEST_NESTING} levels")
    match value:
        case Mapping():
            return _canonical_object(value, path, depth)
        case list() | tuple():
            return [_canonical(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
        case _:
            raise NotCanonical(path, f"has the type {type(value).__name__}, which JSON lacks")


def _canonical_object(value: Mapping[object, object], path: str, depth: int) -> JsonValue:
    result: dict[str, JsonValue] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotCanonical(path, f"has a key of the type {type(key).__name__}; JSON keys are text")
        name = _valid_unicode(key)
        while name in result or (name != key and name in value):
            name += "\N{REPLACEMENT CHARACTER}"
        result[name] = _canonical(item, f"{path}.{name}", depth + 1)
    return result


def _valid_unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Through UTF-16 so that two halves that do form a pair become the character they mean.
        paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in paired)
    return "".join(text)  # a str subclass becomes plain text


def _portable_integer(value: int, path: str) -> JsonValue:
    if abs(value) <= LARGEST_PORTABLE_INTEGER:
        return value
    try:
        return str(value)
    except ValueError as error:  # beyond the interpreter's limit of 4300 digits
        raise NotCanonical(path, "is an integer of too many digits") from error


def _portable_float(value: float, path: str) -> JsonValue:
    if not math.isfinite(value):
        raise NotCanonical(path, f"is {value}, which JSON lacks")
    rounded = round(value, FLOAT_DECIMALS)
    return _portable_integer(int(rounded), path) if rounded.is_integer() else rounded


def _collect_hazards(value: JsonValue, path: str, found: list[RebuildHazard]) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _collect_hazards(item, f"{path}[{index}]", found)
    elif isinstance(value, dict):
        if sorted(value) != sorted(value, key=lambda key: key.encode("utf-16-be")):
            found.append(RebuildHazard(path, "has keys that JavaScript sorts in another order"))
        for key, item in value.items():
            if _is_javascript_index(key):
                found.append(
                    RebuildHazard(f"{path}.{key}", "is an integer-like key, which JavaScript moves to the front")
                )
            if key == "__proto__":
                found.append(RebuildHazard(f"{path}.{key}", "is dropped by receivers written in JavaScript"))
            _collect_hazards(item, f"{path}.{key}", found)


def _is_javascript_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and str(int(key[:11])) == key and int(key) <= _LARGEST_JAVASCRIPT_INDEX
