"""What may enter: JSON that can be stored, and nothing that would break later."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.edge.errors import Detail
from ipse.edge.handlers import field_errors
from ipse.edge.request import MAX_DEPTH, parse_json, require_storable

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab é😀"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab é"), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_ordinary_json_passes_unchanged(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"NaN", b'{"a": Infinity}', b'"\\u0000"', b'{"\\ud800": 1}', b'["a\\udfffb"]', b"[" * 100_000],
)
def test_what_cannot_be_stored_is_a_400(body: bytes) -> None:
    with pytest.raises(Detail) as refused:
        parse_json(body)
    assert refused.value.status == 400


def test_nesting_has_a_limit() -> None:
    parse_json(b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH)
    with pytest.raises(Detail, match="nested"):
        parse_json(b"[" * (MAX_DEPTH + 1) + b"1" + b"]" * (MAX_DEPTH + 1))


def test_text_may_hold_everything_else() -> None:
    require_storable("\u2028 \u007f 日本 😀 \ufffd\x01")


def test_validation_errors_fold_into_the_contracts_shape() -> None:
    errors = [
        {"loc": ("body", "workflow_id"), "type": "missing", "msg": "Field required"},
        {"loc": ("body", "options", "code_size"), "type": "x", "msg": "Value error, too long"},
        {"loc": ("query", "limit"), "type": "int_parsing", "msg": "…"},
    ]
    assert field_errors(errors) == {
        "workflow_id": ["This field is required."],
        "options": {"code_size": ["too long"]},
        "limit": ["A valid integer is required."],
    }


def test_body_that_is_no_object_is_told_so() -> None:
    assert field_errors([{"loc": ("body",), "type": "model_type", "msg": "…"}]) == {
        "detail": "The request body must be a JSON object."
    }
