"""What an e-mail address tells by itself."""

from __future__ import annotations

import random
import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.intelligence import email
from ipse.intelligence.email import look_up
from ipse.intelligence.email_risk import PARTS, risk_of
from ipse.intelligence.email_wording import wording_of
from ipse.intelligence.facts import RiskLevel

PEOPLE = (
    "ana.garcia", "john.smith", "j.smith84", "maria1987", "hirschsprung", "szczepanski", "krzysztof.nowak",
    "o.mcdonnell", "schwarz", "schmidtchen", "r2d2fan", "bjorn_borg", "nguyen.van.anh", "li.wei", "xu", "ng",
    "peter.parker1962", "martha-stewart", "18november", "john2smith", "abc123", "mike.j.brown.jr",
    "wojciechowska.k", "hrvoje", "vlk", "brzezinski", "dr.house", "elif.yildiz", "dmitry.ivanov.1990", "giannis",
    "sarah_o_connor", "m.wright", "lynch.p", "5thavenue", "2pac4ever", "kevin007", "jean-luc.picard",
)  # fmt: skip
"""Local parts as people write them, the awkward ones first."""


@pytest.mark.parametrize(
    ("given", "address", "mailbox"),
    [
        ("Ana@Bank.Dev", "ana@bank.dev", "ana@bank.dev"),
        ("  ana@bank.dev ", "ana@bank.dev", "ana@bank.dev"),
        ("j.o.e+shop@googlemail.com", "j.o.e+shop@googlemail.com", "joe@gmail.com"),
        ("j.o.e+shop@bank.dev", "j.o.e+shop@bank.dev", "j.o.e@bank.dev"),
        ("ana@me.com", "ana@me.com", "ana@icloud.com"),
        ("info@MÜLLER.de", "info@xn--mller-kva.de", "info@xn--mller-kva.de"),
        ("+tag@bank.dev", "+tag@bank.dev", "+tag@bank.dev"),
    ],
)
def test_writings_of_one_mailbox_are_the_same_mailbox(given: str, address: str, mailbox: str) -> None:
    facts = look_up(given)
    assert (facts.address, facts.mailbox) == (address, mailbox)


@pytest.mark.parametrize(
    "text",
    ["", "@", "ana", "ana@", "@bank.dev", "ana@bank", "a..b@bank.dev", "ana@[192.0.2.1]", "ana@1.2.3.4", "a b@bank.dev",
     "Ana <ana@bank.dev>", "ana@bank.dev\r\nBcc: x@y.z", "ana@-bank.dev", f"{'a' * 65}@bank.dev",
     "a@" + "b." * 300 + "de",
     "ana@bank..dev", "\u0000@bank.dev"],
)  # fmt: skip
def test_what_is_no_address_says_why_and_claims_nothing(text: str) -> None:
    facts = look_up(text)
    assert not facts.is_valid
    assert facts.problem
    assert facts.is_disposable is facts.is_free_provider is facts.is_undeliverable is facts.looks_generated is None
    assert risk_of(facts) is None


@pytest.mark.parametrize("domain", ["mailinator.com", "eu.mailinator.com", "guerrillamail.com", "yopmail.com"])
def test_a_disposable_domain_and_everything_below_it_is_known(domain: str) -> None:
    facts = look_up(f"someone@{domain}")
    risk = risk_of(facts)
    assert facts.is_disposable
    assert risk is not None
    assert risk.level is RiskLevel.HIGH


@pytest.mark.parametrize("domain", ["gmail.com", "bank.dev", "com.de", "co.uk.bank.dev"])
def test_an_honest_domain_is_not_disposable(domain: str) -> None:
    assert look_up(f"someone@{domain}").is_disposable is False


def test_no_free_provider_is_held_for_disposable() -> None:
    listed = {domain for domain in email.free_providers() if look_up(f"a@{domain}").is_disposable}
    assert listed == set()


@pytest.mark.parametrize(
    "domain", ["example.com", "mail.example.org", "bank.test", "localhost", "x.invalid", "a.local"]
)
def test_mail_to_a_reserved_domain_is_undeliverable(domain: str) -> None:
    facts = look_up(f"ana@{domain}")
    assert facts.domain == domain
    assert facts.is_reserved_domain
    assert facts.is_undeliverable is True


def test_deliverability_and_breaches_are_not_known_otherwise() -> None:
    facts = look_up("ana@bank.dev")
    assert facts.is_undeliverable is None
    assert facts.is_breached is None


@pytest.mark.parametrize(
    ("address", "is_free", "is_role"),
    [("ana@gmail.com", True, False), ("info@bank.dev", False, True), ("no-reply+7@gmx.de", True, True)],
)
def test_free_providers_and_roles_are_known(address: str, is_free: bool, is_role: bool) -> None:
    facts = look_up(address)
    assert (facts.is_free_provider, facts.is_role_account) == (is_free, is_role)


@pytest.mark.parametrize(
    ("domain", "imitated"),
    [("gmial.com", "gmail.com"), ("gmai1.com", "gmail.com"), ("hotmal.com", "hotmail.com"),
     ("outlok.com", "outlook.com"),
     ("gmail.com", None), ("mail.com", None), ("ymail.com", None), ("email.com", None), ("bank.dev", None)],
)  # fmt: skip
def test_a_slip_away_from_a_large_provider_is_noticed(domain: str, imitated: str | None) -> None:
    assert look_up(f"ana@{domain}").provider_lookalike == imitated


@pytest.mark.parametrize(
    ("domain", "mixed"), [("аpple.com", True), ("müller.de", False), ("почта.рф", False), ("例え.jp", False)]
)
def test_scripts_mixed_within_a_label_are_noticed(domain: str, mixed: bool) -> None:
    facts = look_up(f"ana@{domain}")
    assert facts.has_mixed_scripts is mixed
    assert facts.is_internationalised


@pytest.mark.parametrize(
    ("domain", "country"), [("bank.es", "ES"), ("bank.co.uk", "GB"), ("bank.eu", None), ("b.dev", None)]
)
def test_the_country_of_a_domain_is_read_from_its_suffix(domain: str, country: str | None) -> None:
    assert look_up(f"ana@{domain}").suffix_country == country


@pytest.mark.parametrize("local", PEOPLE)
def test_names_people_write_do_not_look_generated(local: str) -> None:
    assert not wording_of(local).looks_generated


@pytest.mark.parametrize(
    "local", ["a7k2m9qx4", "x1y2z3w4", "3f9ac2d17be04586", "qzxkvbnt", "k8s7d6f5g4", "9b2f-11d3-aa37-0f5e-77"]
)
def test_texts_that_programs_choose_look_generated(local: str) -> None:
    assert look_up(f"{local}@gmail.com").looks_generated


def test_half_of_random_texts_of_twelve_characters_are_noticed() -> None:
    """The rule is a hint: docs/risk-calls.md states what it misses."""
    chance = random.Random(7)
    alphabet = string.ascii_lowercase + string.digits
    found = sum(wording_of("".join(chance.choices(alphabet, k=12))).looks_generated for _ in range(2000))
    assert found / 2000 > 0.5


def test_points_add_up_and_stop_at_a_hundred() -> None:
    quiet, loud = risk_of(look_up("ana@bank.es")), risk_of(look_up("a7k2m9qx4+1@gmai1.com"), claimed_country="ES")
    assert quiet is not None
    assert (quiet.score, quiet.level, quiet.parts) == (0.0, RiskLevel.LOW, ())
    assert loud is not None
    assert loud.score == min(100.0, sum(part.points for part in loud.parts))
    assert {"provider_lookalike", "generated_name", "plus_tag"} <= {part.code for part in loud.parts}


def test_a_domain_of_another_country_than_claimed_is_a_part() -> None:
    facts = look_up("ana@bank.es")
    for claimed, expected in (("FR", ["country_mismatch"]), ("ES", []), (None, [])):
        risk = risk_of(facts, claimed_country=claimed)
        assert risk is not None
        assert [part.code for part in risk.parts] == expected


def test_every_part_has_its_own_code_and_a_sentence() -> None:
    assert len({rule.code for rule in PARTS}) == len(PARTS)
    assert all(rule.points > 0 and rule.meaning.endswith(".") for rule in PARTS)


def test_facts_name_their_data_set_and_its_age() -> None:
    on = date(2026, 12, 2)
    disposable, free = email.source_of("is_disposable", on), email.source_of("is_free_provider", on)
    assert disposable is not None
    assert disposable.dataset == "disposable-email-domains"
    assert disposable.age_days is None
    assert free is not None
    assert free.age_days == 10
    assert email.source_of("has_plus_tag", on) is None


@given(st.one_of(st.text(max_size=80), st.builds("{}@{}".format, st.text(max_size=40), st.text(max_size=40))))
def test_no_text_is_too_strange_to_be_answered(text: str) -> None:
    facts = look_up(text)
    assert facts.is_valid is (facts.mailbox is not None) is (facts.problem is None)
    assert (risk_of(facts) is None) is not facts.is_valid
