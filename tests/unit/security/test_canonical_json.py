"""What the canonical text promises (contract 40, section 5)."""

from __future__ import annotations

import enum
import json
import math
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipse.security.canonical_json import (
    DEEPEST_NESTING,
    LARGEST_PORTABLE_INTEGER,
    NotCanonical,
    RebuildHazard,
    canonical_bytes,
    canonical_form,
    rebuild_hazards,
    serialise,
    shorten_floats,
)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(st.characters()), children, max_size=4),
    max_leaves=20,
)


class Text(enum.StrEnum):
    APPROVED = "approved"


class Number(enum.IntEnum):
    SEVEN = 7


def test_keys_are_sorted_at_every_depth_and_there_is_no_white_space() -> None:
    assert canonical_bytes({"b": [{"z": 1, "a": None}], "a": True}) == b'{"a":true,"b":[{"a":null,"z":1}]}'


def test_only_quotes_backslashes_and_control_characters_are_escaped() -> None:
    text = '日本 <ok> & /"\\\b\f\n\r\t\x01\x7f\u2028'
    assert canonical_bytes(text).decode() == '"日本 <ok> & /\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f\u2028"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, b"2"),
        (-0.0, b"0"),
        (0.00004, b"0"),
        (-0.00004, b"0"),
        (0.00006, b"0.0001"),
        (0.58123456, b"0.5812"),
        (1e15, b"1000000000000000"),
        (1e16, b'"10000000000000000"'),
        (-1e16, b'"-10000000000000000"'),
        (LARGEST_PORTABLE_INTEGER, b"9007199254740992"),
        (-LARGEST_PORTABLE_INTEGER, b"-9007199254740992"),
        (LARGEST_PORTABLE_INTEGER + 1, b'"9007199254740993"'),
        (True, b"true"),
        ((1, 2), b"[1,2]"),
        (MappingProxyType({"k": 1}), b'{"k":1}'),
        (Text.APPROVED, b'"approved"'),
        (Number.SEVEN, b"7"),
    ],
)
def test_a_number_or_container_has_one_spelling(value: object, text: bytes) -> None:
    assert canonical_bytes(value) == text


def test_halves_of_surrogate_pairs_are_replaced_and_pairs_are_joined() -> None:
    assert canonical_bytes("a\ud800b\udc00").decode() == '"a\ufffdb\ufffd"'
    assert canonical_bytes("\ud83d\ude00").decode() == '"\U0001f600"'


def test_no_member_is_lost_when_replaced_keys_meet() -> None:
    keys = ["\ud800", "\ufffd", "\udc00"]
    assert canonical_form(dict(zip(keys, [1, 2, 3], strict=True))) == {
        "\ufffd\ufffd": 1,
        "\ufffd": 2,
        "\ufffd\ufffd\ufffd": 3,
    }


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"a": [1, math.nan]}, "$.a[1]", "is nan"),
        ({"a": math.inf}, "$.a", "is inf"),
        ({"a": {1: 2}}, "$.a", "JSON keys are text"),
        ({"a": b"x"}, "$.a", "type bytes"),
        ({"a": {3}}, "$.a", "type set"),
        ([10**5000], "$[0]", "too many digits"),
    ],
)
def test_what_json_lacks_is_refused_with_its_path(value: object, path: str, reason: str) -> None:
    with pytest.raises(NotCanonical, match=reason) as refused:
        canonical_bytes(value)
    assert refused.value.path == path
    assert refused.value.code == "NOT_CANONICAL"


def test_nesting_has_a_limit_and_the_limit_itself_passes() -> None:
    allowed: object = 1
    for _ in range(DEEPEST_NESTING):
        allowed = [allowed]
    assert canonical_bytes(allowed).startswith(b"[[[")
    with pytest.raises(NotCanonical, match="deeper than 100"):
        canonical_bytes([allowed])


def test_shortening_floats_rounds_nothing_and_leaves_booleans() -> None:
    assert shorten_floats({"a": [2.0, 2.123456, True, "x", None, -0.0]}) == {"a": [2, 2.123456, True, "x", None, 0]}


def test_keys_that_some_receivers_cannot_rebuild_are_named() -> None:
    payload = {
        "m": [{"10": 1, "010": 1, "4294967294": 1, "4294967295": 1, "99999999999999": 1, "x²": 1}],
        "__proto__": 1,
    }
    assert [hazard.path for hazard in rebuild_hazards(payload)] == ["$.m[0].10", "$.m[0].4294967294", "$.__proto__"]
    assert rebuild_hazards({"\U0001f600": 1, "\uffff": 2}) == (
        RebuildHazard("$", "has keys that JavaScript sorts in another order"),
    )
    assert rebuild_hazards({"metadata": {"note": "plain"}, "n": 1}) == ()


@settings(max_examples=300, deadline=None)
@given(anything)
def test_any_json_value_has_one_text_that_parses_back_to_itself(value: object) -> None:
    form = canonical_form(value)
    text = serialise(form)
    assert json.loads(text) == form
    assert canonical_bytes(json.loads(text)) == text
    assert serialise(shorten_floats(json.loads(text))) == text
