"""Rule operators are total and an absent value satisfies none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.operators import (
    MAX_PATTERN_LENGTH,
    MAX_REGEX_INPUT,
    Operator,
    Verdict,
    apply,
    pattern_problem,
)
from ipse.decision.values import JsonValue, as_number, items_of
from tests.unit.decision.strategies import JSON

TRUE: list[tuple[Operator, JsonValue, JsonValue]] = [
    (Operator.EQUALS, "ESP", "ESP"),
    (Operator.EQUALS, 70, 70.0),
    (Operator.EQUALS, 70, "70"),
    (Operator.EQUALS, True, "true"),
    (Operator.EQUALS, False, False),
    (Operator.NOT_EQUALS, "ESP", "FRA"),
    (Operator.NOT_EQUALS, True, "false"),
    (Operator.GREATER_THAN, 70.1, 70),
    (Operator.GREATER_THAN_OR_EQUALS, 70, "70"),
    (Operator.LESS_THAN, 29.9, 30),
    (Operator.LESS_THAN, "1990-05-01", "2000-01-01"),
    (Operator.LESS_THAN_OR_EQUALS, 30, 30),
    (Operator.GREATER_THAN, "2026-11-20T10:00:00Z", "2026-11-19"),
    (Operator.CONTAINS, "Universal Bank", "Bank"),
    (Operator.CONTAINS, ["A", "B"], "B"),
    (Operator.NOT_CONTAINS, ["A", "B"], "C"),
    (Operator.NOT_CONTAINS, "abc", "x"),
    (Operator.IN, "ES", ["FR", "ES"]),
    (Operator.IN, 3, ["3", "x"]),
    (Operator.NOT_IN, "RU", ["FR", "ES"]),
    (Operator.IS_EMPTY, None, None),
    (Operator.IS_EMPTY, "  ", None),
    (Operator.IS_EMPTY, [], None),
    (Operator.IS_EMPTY, {}, None),
    (Operator.IS_NOT_EMPTY, 0, None),
    (Operator.IS_NOT_EMPTY, False, None),
    (Operator.REGEX, "AB-123", r"^[A-Z]{2}-\d+$"),
    (Operator.FUZZY_MATCH, "José  GARCÍA", "garcia jose"),
]
FALSE: list[tuple[Operator, JsonValue, JsonValue]] = [
    (Operator.EQUALS, "ESP", "esp"),
    (Operator.NOT_EQUALS, 1, 1),
    (Operator.GREATER_THAN, 70, 70),
    (Operator.LESS_THAN, 30, 30),
    (Operator.CONTAINS, ["A"], "a"),
    (Operator.NOT_CONTAINS, "abc", "b"),
    (Operator.IN, "RU", ["FR", "ES"]),
    (Operator.NOT_IN, "ES", ["FR", "ES"]),
    (Operator.IS_EMPTY, "x", None),
    (Operator.IS_NOT_EMPTY, None, None),
    (Operator.REGEX, "ab", r"^x"),
    (Operator.FUZZY_MATCH, "Alice Smith", "Bob Jones"),
]
UNFIT: list[tuple[Operator, JsonValue, JsonValue]] = [
    (Operator.EQUALS, "5", 5),
    (Operator.EQUALS, 5, "five"),
    (Operator.EQUALS, True, 1),
    (Operator.EQUALS, True, "yes"),
    (Operator.NOT_EQUALS, ["x"], "y"),
    (Operator.GREATER_THAN, "abc", 3),
    (Operator.GREATER_THAN, 3, None),
    (Operator.LESS_THAN, "2020-13-45", "2020-01-01"),
    (Operator.CONTAINS, "abc", 5),
    (Operator.CONTAINS, 5, 5),
    (Operator.NOT_CONTAINS, {"a": 1}, "a"),
    (Operator.IN, "ES", "ES,FR"),
    (Operator.IN, ["ES"], ["ES"]),
    (Operator.NOT_IN, {"a": 1}, ["a"]),
    (Operator.REGEX, 5, "5"),
    (Operator.FUZZY_MATCH, 5, "five"),
    (Operator.FUZZY_MATCH, "five", None),
]


@pytest.mark.parametrize(("operator", "actual", "expected"), TRUE)
def test_an_operator_holds(operator: Operator, actual: JsonValue, expected: JsonValue) -> None:
    assert apply(operator, actual, expected).matched


@pytest.mark.parametrize(("operator", "actual", "expected"), FALSE)
def test_an_operator_does_not_hold(operator: Operator, actual: JsonValue, expected: JsonValue) -> None:
    assert not apply(operator, actual, expected).matched


@pytest.mark.parametrize(("operator", "actual", "expected"), UNFIT)
def test_a_mismatch_of_types_is_false_with_a_note(operator: Operator, actual: JsonValue, expected: JsonValue) -> None:
    verdict = apply(operator, actual, expected)
    assert not verdict.matched
    assert verdict.note is not None
    assert "Cannot compare" in verdict.note


@pytest.mark.parametrize("operator", [item for item in Operator if item is not Operator.IS_EMPTY])
def test_an_absent_value_satisfies_nothing_but_is_empty(operator: Operator) -> None:
    for expected in (None, "x", 3, ["x"]):
        assert not apply(operator, None, expected).matched
    assert apply(Operator.IS_EMPTY, None, None) == Verdict(True)


def test_fuzzy_match_uses_the_score_of_the_rule() -> None:
    assert apply(Operator.FUZZY_MATCH, "Jon Smith", "John Smith", 90).matched
    assert not apply(Operator.FUZZY_MATCH, "Jon Smith", "John Smith", 99).matched
    assert not apply(Operator.FUZZY_MATCH, "Jon Smith", "Joan Smyth").matched


def test_a_catastrophic_pattern_ends_in_time_and_is_false() -> None:
    verdict = apply(Operator.REGEX, "a" * 200 + "!", r"^(a|aa)+$")
    assert verdict == Verdict(False, "The pattern took too long.")


def test_an_unusable_pattern_is_named_not_raised() -> None:
    assert pattern_problem("[") is not None
    assert pattern_problem(5) == "A pattern is text."
    assert pattern_problem("a" * (MAX_PATTERN_LENGTH + 1)) is not None
    assert pattern_problem("a+") is None
    assert apply(Operator.REGEX, "x", "[").note == pattern_problem("[")


def test_text_too_long_for_a_pattern_does_not_match() -> None:
    assert apply(Operator.REGEX, "a" * MAX_REGEX_INPUT, "a").matched
    assert not apply(Operator.REGEX, "a" * (MAX_REGEX_INPUT + 1), "a").matched


@given(st.sampled_from(Operator), JSON, JSON, st.none() | st.floats(0, 100))
def test_operators_are_total_and_deterministic(
    operator: Operator, actual: JsonValue, expected: JsonValue, score: float | None
) -> None:
    first = apply(operator, actual, expected, score)
    assert first == apply(operator, actual, expected, score)


@given(JSON, JSON)
def test_a_negative_operator_never_holds_together_with_its_positive(actual: JsonValue, expected: JsonValue) -> None:
    for positive, negative in (
        (Operator.EQUALS, Operator.NOT_EQUALS),
        (Operator.CONTAINS, Operator.NOT_CONTAINS),
        (Operator.IN, Operator.NOT_IN),
        (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY),
    ):
        assert not (apply(positive, actual, expected).matched and apply(negative, actual, expected).matched)


def test_numbers_of_any_length_are_read_or_left_alone() -> None:
    assert as_number(10**400) is None
    assert as_number(True) is None
    assert as_number(3) == 3.0
    assert items_of("abc") == ()
    assert items_of([1, 2]) == (1, 2)
    assert not apply(Operator.GREATER_THAN, 10**400, 1).matched
