"""An action has one spelling, everything in it can be shown, and every verifier computes the same hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.capture.purpose import visible_line
from ipse.step_up.action_field import read_action
from ipse.step_up.actions import ActionProblem, canonical

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "examples/step-up/action-vectors.json").read_text()
)
TRANSFER: dict[str, Any] = {"type": "transfer", "amount": "1250.00", "currency": "EUR", "payee": "ACME GmbH"}


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_every_published_vector_holds(vector: dict[str, Any]) -> None:
    found = canonical(vector["action"])
    assert dict(found.value) == vector["canonical"]
    assert found.hash == vector["sha256"]
    text = json.dumps(vector["canonical"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == vector["sha256"], "any RFC 8785 implementation gets the same"


@pytest.mark.parametrize("amount", ["1250", "1250.00", "1250.000", 1250, 1250.0, "01250", " 1250 "])
def test_one_amount_has_one_hash_however_it_is_written(amount: Any) -> None:
    assert canonical({**TRANSFER, "amount": amount}).hash == canonical(TRANSFER).hash


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1250.01"},
        {"currency": "USD"},
        {"payee": "ACME AG"},
        {"account": "DE89370400440532013000"},
        {"reference": "Invoice 7"},
        {"details": {"Quantity": "3"}},
        {"type": "payout"},
    ],
)
def test_changing_anything_changes_the_hash(change: dict[str, Any]) -> None:
    assert canonical({**TRANSFER, **change}).hash != canonical(TRANSFER).hash


def test_accounts_that_end_alike_have_different_hashes() -> None:
    one = canonical({**TRANSFER, "account": "DE89 3704 0044 0532 0130 00"})
    other = canonical({**TRANSFER, "account": "DE11 3704 0044 0532 0130 00"})
    assert one.value["account"] == "DE89370400440532013000"
    assert one.hash != other.hash


def test_two_spellings_of_one_letter_are_one_payee() -> None:
    assert canonical({**TRANSFER, "payee": "Cafe\u0301"}).hash == canonical({**TRANSFER, "payee": "Caf\u00e9"}).hash


def test_none_counts_as_left_out_and_an_empty_object_of_details_as_none() -> None:
    extended = {**TRANSFER, "account": None, "details": {"x": None}}
    assert canonical(extended).hash == canonical(TRANSFER).hash


@pytest.mark.parametrize(
    ("field", "action"),
    [
        ("type", {}),
        ("type", {"type": " "}),
        ("type", {"type": 3}),
        ("type", {"type": "x" * 65}),
        ("type", {"type": "x" * 200}),
        ("ammount", {"type": "transfer", "ammount": "5"}),
        ("amount", {**TRANSFER, "amount": "1,250.00"}),
        ("amount", {**TRANSFER, "amount": "-5"}),
        ("amount", {**TRANSFER, "amount": "0.00"}),
        ("amount", {**TRANSFER, "amount": 0}),
        ("amount", {**TRANSFER, "amount": True}),
        ("amount", {**TRANSFER, "amount": "1e3"}),
        ("amount", {**TRANSFER, "amount": float("nan")}),
        ("amount", {**TRANSFER, "amount": float("inf")}),
        ("amount", {**TRANSFER, "amount": "1000000000000000"}),
        ("amount", {**TRANSFER, "amount": "0.123456789"}),
        ("amount", {**TRANSFER, "amount": 0.1 + 0.2}),
        ("amount", {**TRANSFER, "amount": 10**5000}),
        ("amount", {**TRANSFER, "amount": ["5"]}),
        ("amount", {**TRANSFER, "amount": "٣"}),
        ("currency", {**TRANSFER, "currency": "€"}),
        ("currency", {**TRANSFER, "currency": "ſſſ"}),
        ("currency", {"type": "transfer", "currency": "EUR"}),
        ("payee", {**TRANSFER, "payee": "ACME\u202eHbmG"}),
        ("payee", {**TRANSFER, "payee": "ACME\nPaid already"}),
        ("payee", {**TRANSFER, "payee": "ACME\u200b"}),
        ("payee", {**TRANSFER, "payee": "…"}),
        ("payee", {**TRANSFER, "payee": "x" * 71}),
        ("payee", {**TRANSFER, "payee": "\ud800abc"}),
        ("account", {**TRANSFER, "account": "123"}),
        ("account", {**TRANSFER, "account": "DE\u200b89370400"}),
        ("account", {**TRANSFER, "account": 12345678}),
        ("reference", {**TRANSFER, "reference": {"a": 1}}),
        ("details", {**TRANSFER, "details": "text"}),
        ("details", {**TRANSFER, "details": {str(n) + "th": "x" for n in range(17)}}),
        ("details", {**TRANSFER, "details": {"Quantity": 3}}),
        ("details", {**TRANSFER, "details": {"7": "x"}}),
        ("details", {**TRANSFER, "details": {"__proto__": "x"}}),
        ("details", {**TRANSFER, "details": {"a\U0001f600": "x"}}),
        ("details", {**TRANSFER, "details": {"a": "x", "a ": "y"}}),
        ("details", {**TRANSFER, "details": {"a": "x" * 121}}),
    ],
)
def test_what_cannot_be_shown_in_full_is_refused_and_not_dropped(field: str, action: dict[str, Any]) -> None:
    with pytest.raises(ActionProblem) as problem:
        canonical(action)
    assert problem.value.field == field


@given(st.dictionaries(st.sampled_from(["type", "amount", "payee", "account", "details"]), st.text() | st.floats()))
def test_any_input_is_accepted_or_refused_and_what_is_accepted_is_stable_and_showable(action: dict[str, Any]) -> None:
    try:
        found = canonical(action)
    except ActionProblem:
        return
    assert canonical(found.value) == found
    assert all(visible_line(str(value), 200) == value for value in found.value.values() if isinstance(value, str))


def test_a_body_refuses_an_action_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^amount: Use digits"):
        read_action({**TRANSFER, "amount": "1,250"})
    with pytest.raises(ValueError, match="Send an object"):
        read_action("transfer")
    found = read_action(TRANSFER)
    assert read_action(found) is found
