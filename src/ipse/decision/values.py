"""JSON values as they cross the border of the pure core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]


def as_number(value: JsonValue) -> float | None:
    """Return ``value`` as a number, or None when it is not a JSON number (booleans are not)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON allows whole numbers of any length
        return None


def is_list(value: JsonValue) -> bool:
    """Tell whether ``value`` is a JSON array (text is a sequence in Python, not in JSON)."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def items_of(value: JsonValue) -> tuple[JsonValue, ...]:
    """Return the items of a JSON array; anything else has none."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(value)
    return ()
