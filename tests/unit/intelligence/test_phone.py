"""What a phone number tells by itself."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.intelligence import phone
from ipse.intelligence.facts import RiskLevel
from ipse.intelligence.phone import PhoneType, look_up
from ipse.intelligence.phone_risk import PARTS, risk_of


@pytest.mark.parametrize(
    "written", ["+34600123456", "+34 600 123 456", "0034600123456", "600 12 34 56", "tel:+34-600-123456"]
)
def test_writings_of_one_number_are_the_same_number(written: str) -> None:
    facts = look_up(written, "ES")
    assert (facts.number, facts.prefix, facts.national_number) == ("+34600123456", "+34", "600123456")


@pytest.mark.parametrize("text", ["", "+", "hello", "+999123456", "600123456", "+1" + "5" * 300, "9" * 5000, "+12"])
def test_what_is_no_number_says_why_and_claims_nothing(text: str) -> None:
    facts = look_up(text)
    assert not facts.is_readable
    assert facts.problem
    assert facts.is_valid is facts.is_possible is facts.is_virtual is facts.is_disposable is None
    assert risk_of(facts) is None


@pytest.mark.parametrize(
    ("number", "region", "kind", "level"),
    [
        ("+34600123456", "ES", PhoneType.MOBILE, RiskLevel.LOW),
        ("+493012345678", "DE", PhoneType.FIXED_LINE, RiskLevel.LOW),
        ("+12024561111", "US", PhoneType.FIXED_LINE_OR_MOBILE, RiskLevel.LOW),
        ("+18005551234", "US", PhoneType.TOLL_FREE, RiskLevel.MEDIUM),
        ("+19005551234", "US", PhoneType.PREMIUM_RATE, RiskLevel.HIGH),
        ("+445601234567", "GB", PhoneType.VOIP, RiskLevel.MEDIUM),
        ("+447700900123", None, PhoneType.UNKNOWN, RiskLevel.HIGH),
        ("+881612345678", None, PhoneType.MOBILE, RiskLevel.MEDIUM),
        ("+5215512345678", "MX", PhoneType.UNKNOWN, RiskLevel.HIGH),
    ],
)
def test_country_service_and_band_of_known_numbers(
    number: str, region: str | None, kind: PhoneType, level: RiskLevel
) -> None:
    facts, risk = look_up(number), risk_of(look_up(number))
    assert (facts.region, facts.type) == (region, kind)
    assert risk is not None
    assert risk.level is level


@pytest.mark.parametrize(
    "number",
    ["+12025550123", "+442079460958", "+447700900123", "+493023125999", "+33199001234", "+61491570006", "+61255501234"],
)
def test_numbers_kept_for_films_are_nobodys(number: str) -> None:
    facts, risk = look_up(number), risk_of(look_up(number))
    assert facts.is_reserved
    assert risk is not None
    assert "reserved_number" in {part.code for part in risk.parts}


@pytest.mark.parametrize("number", ["+12024561111", "+442079250918", "+34600123456"])
def test_other_numbers_are_not_reserved(number: str) -> None:
    assert look_up(number).is_reserved is False


def test_virtual_is_known_only_where_the_plan_knows_the_service() -> None:
    assert look_up("+445601234567").is_virtual is True
    assert look_up("+34600123456").is_virtual is False
    assert look_up("+447700900123").is_virtual is None
    assert look_up("+34600123456").is_disposable is None


def test_a_number_of_a_place_has_the_time_zones_of_that_place() -> None:
    assert look_up("+493012345678").time_zones == ("Europe/Berlin",)
    assert look_up("+12024561111").time_zones == ("America/New_York",)
    assert look_up("+18005551234").time_zones == ()
    assert look_up("+881612345678").time_zones == ()


def test_a_network_without_country_is_noticed() -> None:
    facts = look_up("+881612345678")
    assert facts.is_global_network
    assert facts.region is None


@pytest.mark.parametrize(("claimed", "codes"), [("ES", []), ("FR", ["country_mismatch"]), (None, [])])
def test_another_country_than_claimed_is_a_part(claimed: str | None, codes: list[str]) -> None:
    risk = risk_of(look_up("+34600123456"), claimed_country=claimed)
    assert risk is not None
    assert [part.code for part in risk.parts] == codes


def test_an_extension_and_repeated_digits_are_counted() -> None:
    facts = look_up("+34699999999;ext=5")
    assert facts.has_extension
    assert (facts.longest_repeat, facts.distinct_digits) == (8, 2)
    risk = risk_of(facts)
    assert risk is not None
    assert [part.code for part in risk.parts] == ["repeated_digits"]


def test_every_part_has_its_own_code_and_a_sentence() -> None:
    assert len({rule.code for rule in PARTS}) == len(PARTS)
    assert all(rule.points > 0 and rule.meaning.endswith(".") for rule in PARTS)


def test_facts_name_their_data_set_and_its_age() -> None:
    on = date(2026, 12, 2)
    plan, reserved = phone.source_of("carrier", on), phone.source_of("is_reserved", on)
    assert plan is not None
    assert (plan.dataset, plan.age_days) == ("phonenumbers", None)
    assert reserved is not None
    assert reserved.age_days == 10
    assert phone.source_of("longest_repeat", on) is None


@given(
    st.one_of(st.text(max_size=64), st.from_regex(r"\A\+?[0-9 ()./;ext=-]{0,40}\Z")),
    st.sampled_from([None, "ES", "US", "ZZ", ""]),
)
def test_no_text_is_too_strange_to_be_answered(text: str, region: str | None) -> None:
    facts = look_up(text, region)
    assert facts.is_readable is (facts.number is not None) is (facts.problem is None)
    assert (risk_of(facts) is None) is not facts.is_readable
