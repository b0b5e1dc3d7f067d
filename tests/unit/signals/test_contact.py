"""Signals of mail addresses and phone numbers."""

from __future__ import annotations

import pytest

from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.intelligence import email, phone
from ipse.signals.contact import name_similarity, of_email, of_phone

EMAIL = of_email(email.look_up("Ana.Garcia84+shop@correo.es"), full_name="Ana María García", claimed_country="FR")
PHONE = of_phone(phone.look_up("+493012345678;ext=5"), claimed_country="ES")
MOBILE = of_phone(phone.look_up("+34600123456"))


def _listed(group: str) -> set[str]:
    return {code for code, signal in SIGNALS.items() if signal.group == group}


def test_each_listed_signal_is_computed_and_each_computed_one_is_listed() -> None:
    assert set(EMAIL) == _listed("email")
    assert set(PHONE) | set(MOBILE) == _listed("phone")
    assert problems_of({**EMAIL, **PHONE, **MOBILE}) == ()


def test_the_wording_of_an_address_is_measured_without_its_tag() -> None:
    assert EMAIL["email.has_plus_tag"] is True
    assert (EMAIL["email.local_length"], EMAIL["email.digit_share"]) == (12, 0.1667)
    assert (EMAIL["email.letter_digit_changes"], EMAIL["email.consonant_run"]) == (1, 2)
    assert EMAIL["email.vowel_share"] == round(5 / 9, 4)


def test_country_and_score_compare_with_the_claim() -> None:
    assert (EMAIL["email.domain_country"], EMAIL["email.is_country_mismatch"]) == ("ES", True)
    assert EMAIL["email.risk_score"] == 15.0
    assert (PHONE["phone.region"], PHONE["phone.is_country_mismatch"], PHONE["phone.risk_score"]) == ("DE", True, 20.0)


def test_what_is_not_known_is_left_out() -> None:
    plain = of_email(email.look_up("1234@bank.dev"))
    for code in ("email.vowel_share", "email.domain_country", "email.is_country_mismatch", "email.name_similarity"):
        assert code not in plain
    for code in ("phone.is_country_mismatch",):
        assert code not in MOBILE
    assert "phone.time_zones" not in of_phone(phone.look_up("+18005551234"))


def test_what_is_no_address_or_number_has_no_signals() -> None:
    assert of_email(email.look_up("nobody")) == {}
    assert of_phone(phone.look_up("nobody")) == {}


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("a@mailinator.com", "email.is_disposable"),
        ("a@gmail.com", "email.is_free_provider"),
        ("info@bank.dev", "email.is_role_account"),
        ("a@bank.test", "email.is_reserved_domain"),
        ("a@müller.de", "email.is_internationalized"),
        ("a@аpple.com", "email.has_mixed_scripts"),
        ("a@gmai1.com", "email.is_provider_lookalike"),
        ("a7k2m9qx4@bank.dev", "email.is_likely_generated"),
    ],
)
def test_each_trait_of_an_address_is_told_apart(address: str, code: str) -> None:
    assert of_email(email.look_up(address))[code] is True
    assert EMAIL[code] is False


@pytest.mark.parametrize(
    ("number", "code", "value"),
    [
        ("+34112", "phone.is_possible", False),
        ("+447700900123", "phone.is_valid", False),
        ("+12025550123", "phone.is_reserved", True),
        ("+881612345678", "phone.is_global_network", True),
        ("+34600123456", "phone.is_geographic", False),
        ("+34600123456", "phone.carrier", "Vodafone"),
        ("+445601234567", "phone.type", "voip"),
        ("+34699999999", "phone.longest_repeat", 8),
        ("+34699999999", "phone.distinct_digits", 2),
        ("+34600123456", "phone.has_extension", False),
    ],
)
def test_each_trait_of_a_number_is_told_apart(number: str, code: str, value: object) -> None:
    assert of_phone(phone.look_up(number))[code] == value
    assert PHONE.get(code) != value


@pytest.mark.parametrize(
    ("name", "local", "low", "high"),
    [
        ("Ana García", "ana.garcia", 100, 100),
        ("Jürgen Müller", "juergen.mueller", 60, 95),
        ("Ana García", "agarcia84", 65, 90),
        ("Ana García", "zx81", 0, 30),
        ("Ana García", "123", 0, 0),
    ],
)
def test_a_name_in_the_address_is_found_in_any_spelling(name: str, local: str, low: float, high: float) -> None:
    found = name_similarity(name, local)
    assert found is not None
    assert low <= found <= high


@pytest.mark.parametrize("name", [None, "", "J.", "王小明"])
def test_without_a_latin_name_there_is_nothing_to_compare(name: str | None) -> None:
    assert name_similarity(name, "ana") is None
