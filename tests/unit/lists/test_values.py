"""One spelling for each value (contract 60, section 2)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.lists.values import MAX_VALUE, EntryType, UnusableValue, normalise, spellings


@pytest.mark.parametrize(
    ("entry_type", "given", "kept"),
    [
        (EntryType.PHONE, "+34 600 00 00 00", "+34600000000"),
        (EntryType.PHONE, "+1 (650) 253-0000", "+16502530000"),
        (EntryType.EMAIL, " Ada@Bank.DEV ", "ada@bank.dev"),
        (EntryType.EMAIL, "ada@bücher.de", "ada@xn--bcher-kva.de"),
        (EntryType.IP_ADDRESS, "203.0.113.7", "203.0.113.7"),
        (EntryType.IP_ADDRESS, "203.0.113.7/32", "203.0.113.7"),
        (EntryType.IP_ADDRESS, "203.0.113.0/24", "203.0.113.0/24"),
        (EntryType.IP_ADDRESS, "203.0.113.0/255.255.255.0", "203.0.113.0/24"),
        (EntryType.IP_ADDRESS, "2001:DB8:0:0::1", "2001:db8::1"),
        (EntryType.IP_ADDRESS, "[2001:db8::1]", "2001:db8::1"),
        (EntryType.IP_ADDRESS, "2001:db8::/32", "2001:db8::/32"),
        (EntryType.IP_ADDRESS, "::ffff:203.0.113.7", "203.0.113.7"),
        (EntryType.IP_ADDRESS, "::ffff:203.0.113.0/120", "203.0.113.0/24"),
        (EntryType.DEVICE_FINGERPRINT, "FP_ab12:CD.34-x", "fp_ab12:cd.34-x"),
        (EntryType.COUNTRY, "es", "ESP"),
        (EntryType.COUNTRY, "esp", "ESP"),
        (EntryType.DOCUMENT, "AB 123 456 c", "ab123456c"),
        (EntryType.BANK_ACCOUNT, "ES91 2100 0418 4502 0005 1332", "es9121000418450200051332"),
        (EntryType.WALLET_ADDRESS, "0xAbC", "0xabc"),
        (EntryType.KEY, "  Two   Words ", "two words"),
        (EntryType.FACE, "1F0E2D3C-0000-4000-8000-000000000000", "1f0e2d3c-0000-4000-8000-000000000000"),
        (EntryType.USER, " User-A ", "User-A"),
        (EntryType.BUSINESS, "Acme", "Acme"),
    ],
)
def test_a_value_has_one_spelling(entry_type: EntryType, given: str, kept: str) -> None:
    assert normalise(entry_type, given) == kept
    assert normalise(entry_type, kept) == kept


@pytest.mark.parametrize(
    ("entry_type", "given", "hint"),
    [
        (EntryType.KEY, "   ", "Enter a value"),
        (EntryType.KEY, "x" * (MAX_VALUE + 1), "at most 512"),
        (EntryType.USER, "x" * 257, "at most 256"),
        (EntryType.PHONE, "600000000", "country code"),
        (EntryType.PHONE, "+34 60000", "too few or too many"),
        (EntryType.EMAIL, "ada at bank", "valid email"),
        (EntryType.IP_ADDRESS, "203.0.113.7/24", "Did you mean 203.0.113.0/24?"),
        (EntryType.IP_ADDRESS, "2001:db8::1/32", "Did you mean 2001:db8::/32?"),
        (EntryType.IP_ADDRESS, "203.0.113.07", "IPv4 or IPv6"),
        (EntryType.IP_ADDRESS, "bank.dev", "IPv4 or IPv6"),
        (EntryType.IP_ADDRESS, "203.0.113.0/33", "IPv4 or IPv6"),
        (EntryType.IP_ADDRESS, "fe80::1%eth0", "zone"),
        (EntryType.IP_ADDRESS, "0.0.0.0/0", "every address"),
        (EntryType.IP_ADDRESS, "::/0", "every address"),
        (EntryType.IP_ADDRESS, "::ffff:0:0/96", "every address"),
        (EntryType.DEVICE_FINGERPRINT, "short", "at least 8"),
        (EntryType.DEVICE_FINGERPRINT, "has spaces in it", "at least 8"),
        (EntryType.COUNTRY, "XX", "ISO 3166-1"),
        (EntryType.COUNTRY, "Spain", "ISO 3166-1"),
    ],
)
def test_what_is_no_value_is_refused_with_a_hint(entry_type: EntryType, given: str, hint: str) -> None:
    with pytest.raises(UnusableValue, match=hint.replace("?", r"\?")):
        normalise(entry_type, given)
    assert spellings(entry_type, given) == ()


def test_an_address_is_looked_for_in_every_network_around_it() -> None:
    assert len(spellings(EntryType.IP_ADDRESS, "203.0.113.7")) == 33
    assert len(spellings(EntryType.IP_ADDRESS, "2001:db8::1")) == 129
    assert spellings(EntryType.IP_ADDRESS, "::ffff:203.0.113.7") == spellings(EntryType.IP_ADDRESS, "203.0.113.7")


@given(st.ip_addresses(), st.integers(1, 128))
def test_a_listed_network_is_found_from_each_address_in_it(address: object, length: int) -> None:
    text = normalise(EntryType.IP_ADDRESS, str(address))
    longest = ipaddress.ip_interface(text).max_prefixlen
    network = ipaddress.ip_interface(f"{text}/{min(length, longest)}").network
    assert normalise(EntryType.IP_ADDRESS, str(network)) in spellings(EntryType.IP_ADDRESS, str(address))


def test_any_other_value_has_the_one_spelling_it_is_stored_under() -> None:
    assert spellings(EntryType.COUNTRY, "es") == ("ESP",)
