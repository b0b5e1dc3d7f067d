"""The page says what is authorised from documented keys only, and nothing in them can deceive or break it."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.capture.purpose import CODES, MAX_NAME, MAX_TEXT, purpose_of

ROOT = Path(__file__).parents[3]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = ("action", "trigger", "amount", "currency", "payee", "recipient", "beneficiary", "account", "iban")
NASTY = st.text(
    st.sampled_from("aZ9 \n\t\u202e\u2066\u200f\u200d\ufeff\x00\x1b\u3164\u2800\u0301\U000e0041é漢<>&\"'")
    | st.characters(),
    max_size=300,
)


def shown(**metadata: Any) -> dict[str, str | None]:
    purpose = purpose_of(metadata)
    return {} if purpose is None else {key: value for key, value in purpose.model_dump().items() if value is not None}


def test_a_transfer_is_shown_with_amount_currency_payee_and_the_end_of_the_account() -> None:
    assert shown(
        trigger="high_value_transfer",
        amount="1250.00",
        currency="eur",
        payee="ACME GmbH",
        iban="DE89 3704 0044 0532 0130 00",
        action_id="tr_7781",
    ) == {"code": "transfer", "amount": "1250.00", "currency": "EUR", "payee": "ACME GmbH", "account": "3000"}


def test_the_integrators_own_sentence_is_kept_beside_the_code() -> None:
    assert shown(action="Approve the lease of flat 4b", trigger="contract-sign") == {
        "text": "Approve the lease of flat 4b",
        "code": "contract_sign",
    }


def test_a_code_in_place_of_the_sentence_is_put_into_the_persons_language() -> None:
    purpose = purpose_of({"action": "Wire-Transfer", "amount": "5"})
    assert purpose is not None
    assert (purpose.code, purpose.text) == ("transfer", None)


@pytest.mark.parametrize("metadata", [None, "text", 3, [], {}, {"internal_note": "suspect"}, {"trigger": "unheard_of"}])
def test_metadata_that_names_no_purpose_shows_none(metadata: Any) -> None:
    assert purpose_of(metadata) is None


@pytest.mark.parametrize(
    ("given_amount", "amount"),
    [
        ("1250.00", "1250.00"),
        (1250, "1250"),
        (12.5, "12.5"),
        (0.1, "0.1"),
        ("0.00000001", "0.00000001"),
        (" 7 ", "7"),
        ("1,250.00", None),
        ("1.250,00", None),
        ("-5", None),
        ("0", None),
        ("0.00", None),
        (-5, None),
        (True, None),
        ("1e9", None),
        (1e15, None),
        (1e300, None),
        (10**4000, None),
        (1e-9, None),
        ("NaN", None),
        (float("nan"), None),
        (float("inf"), None),
        ("١٢", None),
        ("", None),
        ({"value": 3}, None),
    ],
)
def test_an_amount_is_a_plain_positive_decimal_or_left_out(given_amount: Any, amount: str | None) -> None:
    assert shown(amount=given_amount).get("amount") == amount


@pytest.mark.parametrize("currency", ["euro", "€", "EU", "E1R", 978, None, "EUR\u202e"])
def test_a_malformed_currency_is_left_out_and_the_amount_stays(currency: Any) -> None:
    assert shown(amount="5", currency=currency) == {"amount": "5"}


def test_a_currency_without_an_amount_says_nothing() -> None:
    assert shown(currency="EUR") == {}


@pytest.mark.parametrize("key", ["payee", "recipient", "beneficiary"])
def test_the_payee_may_have_any_of_its_names(key: str) -> None:
    assert shown(**{key: "ACME"}) == {"payee": "ACME"}


@pytest.mark.parametrize(
    ("account", "end"),
    [
        ("DE89370400440532013000", "3000"),
        ("1234-5678-9012-3421", "3421"),
        (12345678, "5678"),
        ("****3421", "3421"),
        ("••••3421", "3421"),
        ("..3421", "3421"),
        ("3421", None),
        ("12345", None),
        (True, None),
        ("", None),
        ("1" * 65, None),
        (["DE89370400440532013000"], None),
    ],
)
def test_of_an_account_only_the_last_four_characters_leave_the_server(account: Any, end: str | None) -> None:
    assert shown(account=account).get("account") == end


@pytest.mark.parametrize(
    ("payee", "line"),
    [
        ("ACME\u202egnp.exe", "ACMEgnp.exe"),
        ("ACME\x00\x1b[31m Ltd", "ACME[31m Ltd"),
        ("ACME\n\nApproved by your bank", "ACME Approved by your bank"),
        ("\u2066ACME\u2069", "ACME"),
        ("A\u0301\u0301\u0301\u0301\u0301\u0301CME", "Á\u0301\u0301\u0301CME"),
        ("Cafe\u0301", "Café"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u3164\u2800", None),
        ("\u200d\u200d", None),
        ("!!!", None),
    ],
)
def test_text_of_strangers_is_one_visible_line_in_its_own_direction(payee: str, line: str | None) -> None:
    assert shown(payee=payee).get("payee") == line


def test_long_text_is_cut_and_says_so() -> None:
    assert shown(action="word " * 100)["text"] == ("word " * 24)[: MAX_TEXT - 1] + "…"
    assert len(shown(payee="x" * 1000)["payee"] or "") == MAX_NAME


@given(ANY_JSON)
def test_no_metadata_makes_it_fail(metadata: Any) -> None:
    purpose_of(metadata)


@given(st.dictionaries(st.sampled_from(KEYS), NASTY | ANY_JSON))
def test_whatever_is_attached_what_is_shown_is_short_single_lined_and_visible(metadata: dict[str, Any]) -> None:
    for key, value in shown(**metadata).items():
        assert value
        assert value == value.strip()
        assert len(value) <= {"text": MAX_TEXT, "payee": MAX_NAME}.get(key, 25)
        for character in value:
            assert character in "\u200c\u200d" or unicodedata.category(character)[0] != "C"
            assert unicodedata.category(character) not in {"Zl", "Zp"}


def test_every_code_is_documented() -> None:
    page = (ROOT / "docs" / "purpose.md").read_text(encoding="utf-8")
    for alias, code in CODES.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{code}`"))
        assert f"`{alias}`" in row


def test_the_page_has_words_for_every_code() -> None:
    texts = (ROOT / "web/capture/src/locales/en.json").read_text(encoding="utf-8")
    for code in set(CODES.values()):
        assert f'"purpose.title.{code}"' in texts
