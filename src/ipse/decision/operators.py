"""The operators of workflow rules. They are total: a mismatch of types is False with a note.

An absent value satisfies no operator but ``is_empty``, not even the negative ones: a rule about a
signal that nobody measured must not let a session through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import regex  # type: ignore[import-untyped, unused-ignore]
from rapidfuzz import fuzz

from ipse.decision.values import JsonValue, as_number, is_list, items_of


class Operator(StrEnum):
    """The fourteen operators of contract 20 section 5."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    GREATER_THAN = "greater_than"
    GREATER_THAN_OR_EQUALS = "greater_than_or_equals"
    LESS_THAN = "less_than"
    LESS_THAN_OR_EQUALS = "less_than_or_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    IN = "in"
    NOT_IN = "not_in"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"
    REGEX = "regex"
    FUZZY_MATCH = "fuzzy_match"


DEFAULT_FUZZY_SCORE: Final = 85.0
"""Least similarity of ``fuzzy_match`` where the rule names none (0-100; our choice)."""
MAX_PATTERN_LENGTH: Final = 200
MAX_REGEX_INPUT: Final = 1_000
"""Longest text a pattern is tried on, in characters; longer text does not match."""
REGEX_TIMEOUT_S: Final = 0.25
"""Bound on one match. Harmless patterns take microseconds; only runaway ones reach it."""


@dataclass(frozen=True)
class Verdict:
    """Whether a rule held, and a note for the trace where it could not be applied."""

    matched: bool
    note: str | None = None


_ABSENT: Final = Verdict(False, "The field has no value.")


def apply(operator: Operator, actual: JsonValue, expected: JsonValue, score: float | None = None) -> Verdict:
    """Apply ``operator`` to the field's value ``actual`` and the rule's value ``expected``.

    ``score`` is the least similarity of ``fuzzy_match`` (0-100). Never raises.
    """
    if operator is Operator.IS_EMPTY:
        return Verdict(_is_empty(actual))
    if operator is Operator.IS_NOT_EMPTY:
        return Verdict(not _is_empty(actual))
    if actual is None:
        return _ABSENT
    if operator is Operator.FUZZY_MATCH:
        return _fuzzy(actual, expected, DEFAULT_FUZZY_SCORE if score is None else score)
    return _BINARY[operator](actual, expected)


def _is_empty(value: JsonValue) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping) or is_list(value):
        return not value
    return False


def _mismatch(actual: JsonValue, expected: JsonValue) -> Verdict:
    return Verdict(False, f"Cannot compare {_kind(actual)} with {_kind(expected)}.")


def _kind(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "an object" if isinstance(value, Mapping) else "a list"


def _same(actual: JsonValue, expected: JsonValue) -> bool | None:
    """Tell whether two scalars are equal; None if they cannot be compared.

    Editors send numbers and truth values as text, so ``"70"`` equals 70 and ``"true"`` is True.
    """
    if isinstance(actual, bool):
        wanted = _truth(expected)
        return None if wanted is None else actual == wanted
    number = as_number(actual)
    if number is not None:
        other = _number(expected)
        return None if other is None else number == other
    if isinstance(actual, str) and isinstance(expected, str):
        return actual == expected
    return None


def _truth(value: JsonValue) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def _number(value: JsonValue) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return as_number(value)


def _equals(actual: JsonValue, expected: JsonValue) -> Verdict:
    same = _same(actual, expected)
    return _mismatch(actual, expected) if same is None else Verdict(same)


def _not_equals(actual: JsonValue, expected: JsonValue) -> Verdict:
    same = _same(actual, expected)
    return _mismatch(actual, expected) if same is None else Verdict(not same)


def _ordered(
    decide: Callable[[float, float], bool],
) -> Callable[[JsonValue, JsonValue], Verdict]:
    """Compare numbers, or dates by their day number."""

    def compare(actual: JsonValue, expected: JsonValue) -> Verdict:
        left, right = as_number(actual), _number(expected)
        if left is None or right is None:
            left, right = _day(actual), _day(expected)
        if left is None or right is None:
            return _mismatch(actual, expected)
        return Verdict(decide(left, right))

    return compare


def _day(value: JsonValue) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return float(date.fromisoformat(value[:10]).toordinal())
    except ValueError:
        return None


def _holds(actual: JsonValue, expected: JsonValue) -> bool | None:
    if isinstance(actual, str):
        return expected in actual if isinstance(expected, str) else None
    if is_list(actual):
        return any(_same(item, expected) for item in items_of(actual))
    return None


def _contains(actual: JsonValue, expected: JsonValue) -> Verdict:
    held = _holds(actual, expected)
    return _mismatch(actual, expected) if held is None else Verdict(held)


def _not_contains(actual: JsonValue, expected: JsonValue) -> Verdict:
    held = _holds(actual, expected)
    return _mismatch(actual, expected) if held is None else Verdict(not held)


def _listed(actual: JsonValue, expected: JsonValue) -> bool | None:
    if not is_list(expected) or is_list(actual) or isinstance(actual, Mapping):
        return None
    return any(_same(actual, item) for item in items_of(expected))


def _in(actual: JsonValue, expected: JsonValue) -> Verdict:
    listed = _listed(actual, expected)
    return _mismatch(actual, expected) if listed is None else Verdict(listed)


def _not_in(actual: JsonValue, expected: JsonValue) -> Verdict:
    listed = _listed(actual, expected)
    return _mismatch(actual, expected) if listed is None else Verdict(not listed)


def pattern_problem(pattern: JsonValue) -> str | None:
    """Say why ``pattern`` cannot be used with ``regex``; None if it can."""
    if not isinstance(pattern, str):
        return "A pattern is text."
    if len(pattern) > MAX_PATTERN_LENGTH:
        return f"A pattern has at most {MAX_PATTERN_LENGTH} characters."
    try:
        regex.compile(pattern)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        return f"The pattern cannot be read: {error}."
    return None


def _regex(actual: JsonValue, expected: JsonValue) -> Verdict:
    """Search the pattern anywhere in the text, case-sensitively."""
    problem = pattern_problem(expected)
    if problem is not None:
        return Verdict(False, problem)
    if not isinstance(actual, str):
        return _mismatch(actual, expected)
    if len(actual) > MAX_REGEX_INPUT:
        return Verdict(False, f"The text is longer than {MAX_REGEX_INPUT} characters.")
    try:
        return Verdict(regex.search(expected, actual, timeout=REGEX_TIMEOUT_S) is not None)
    except TimeoutError:
        return Verdict(False, "The pattern took too long.")


def _folded(text: str) -> str:
    """Fold case, accents and runs of blanks, so that spellings of one name come close."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _fuzzy(actual: JsonValue, expected: JsonValue, least: float) -> Verdict:
    """Compare words in any order by normalised edit distance (0-100)."""
    if not isinstance(actual, str) or not isinstance(expected, str):
        return _mismatch(actual, expected)
    similarity = fuzz.token_sort_ratio(_folded(actual), _folded(expected))
    return Verdict(similarity >= least, f"The similarity is {similarity:.2f}.")


_BINARY: Final[Mapping[Operator, Callable[[JsonValue, JsonValue], Verdict]]] = {
    Operator.EQUALS: _equals,
    Operator.NOT_EQUALS: _not_equals,
    Operator.GREATER_THAN: _ordered(lambda left, right: left > right),
    Operator.GREATER_THAN_OR_EQUALS: _ordered(lambda left, right: left >= right),
    Operator.LESS_THAN: _ordered(lambda left, right: left < right),
    Operator.LESS_THAN_OR_EQUALS: _ordered(lambda left, right: left <= right),
    Operator.CONTAINS: _contains,
    Operator.NOT_CONTAINS: _not_contains,
    Operator.IN: _in,
    Operator.NOT_IN: _not_in,
    Operator.REGEX: _regex,
}
