"""What a phone number tells by itself: the numbering plans of the world, read offline with ``phonenumbers``.

A plan says which kind of service a range was given to, and which operator had it first; numbers are ported. Whether a
number is in service, or rented by the minute to receive codes, is in no plan: ``is_disposable`` stays None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final

import phonenumbers
from iso3166 import countries_by_alpha2
from phonenumbers import carrier, timezone

from ipse.intelligence.facts import Source

_GLOBAL_REGION: Final = "001"
_UNKNOWN_ZONE: Final = "Etc/Unknown"
_PUBLISHED: Final = date(2026, 11, 22)
"""When the list beside this file was written."""


class PhoneType(StrEnum):
    """The service that a range of numbers was given to."""

    FIXED_LINE = "fixed_line"
    MOBILE = "mobile"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    """The plan does not tell them apart, as in North America."""
    TOLL_FREE = "toll_free"
    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL_NUMBER = "personal_number"
    """Routed to wherever its owner wants."""
    PAGER = "pager"
    COMPANY = "company"
    """One number for all places of a company (UAN)."""
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


_TYPES: Final = {
    phonenumbers.PhoneNumberType.FIXED_LINE: PhoneType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE: PhoneType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: PhoneType.FIXED_LINE_OR_MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE: PhoneType.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE: PhoneType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST: PhoneType.SHARED_COST,
    phonenumbers.PhoneNumberType.VOIP: PhoneType.VOIP,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: PhoneType.PERSONAL_NUMBER,
    phonenumbers.PhoneNumberType.PAGER: PhoneType.PAGER,
    phonenumbers.PhoneNumberType.UAN: PhoneType.COMPANY,
    phonenumbers.PhoneNumberType.VOICEMAIL: PhoneType.VOICEMAIL,
}


@dataclass(frozen=True, slots=True)
class PhoneFacts:
    """What is known of one number. None means not known."""

    given: str
    is_readable: bool
    """Whether it has the shape of a number with a known country calling code."""
    problem: str | None = None
    """Why it could not be read, as a sentence."""
    number: str | None = None
    """E.164, the form in which numbers are compared."""
    prefix: str | None = None
    """``+`` and the country calling code."""
    national_number: str | None = None
    """The digits behind the prefix."""
    is_possible: bool | None = None
    """Whether numbers of the plan have this length."""
    is_valid: bool | None = None
    """Whether the range was given to a service."""
    is_reserved: bool | None = None
    """Whether it is kept for films and examples."""
    region: str | None = None
    """Alpha-2 of the country whose plan it belongs to."""
    is_global_network: bool | None = None
    """A satellite or other network that belongs to no country (+870, +881, +883, …)."""
    type: PhoneType = PhoneType.UNKNOWN
    carrier: str | None = None
    """The operator that the range was given to."""
    time_zones: tuple[str, ...] = ()
    """IANA names of the places the number can lie in; empty where it belongs to no place."""
    is_geographic: bool | None = None
    """Whether the number names a town or an area."""
    has_extension: bool | None = None
    longest_repeat: int | None = None
    """Most equal digits in a row in the national number."""
    distinct_digits: int | None = None
    is_disposable: bool | None = None

    @property
    def is_virtual(self) -> bool | None:
        """Whether it belongs to internet telephony; None where the plan does not say what it is."""
        return None if self.type is PhoneType.UNKNOWN else self.type is PhoneType.VOIP


def look_up(number: str, region: str | None = None) -> PhoneFacts:
    """Read a number; never raises.

    Args:
        number: with ``+`` and country calling code, or a national one together with ``region``.
        region: alpha-2 of the country whose national notation is meant.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as error:
        return PhoneFacts(given=number, is_readable=False, problem=_sentence(error, number, region))
    text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.national_significant_number(parsed)
    is_valid = phonenumbers.is_valid_number(parsed)
    code = phonenumbers.region_code_for_number(parsed)
    calling_code = parsed.country_code or 0
    is_global = phonenumbers.region_code_for_country_code(calling_code) == _GLOBAL_REGION
    return PhoneFacts(
        given=number,
        is_readable=True,
        number=text,
        prefix=f"+{calling_code}",
        national_number=national,
        is_possible=phonenumbers.is_possible_number(parsed),
        is_valid=is_valid,
        is_reserved=any(pattern.fullmatch(text) for pattern in _reserved()),
        region=code if code in countries_by_alpha2 else None,
        is_global_network=is_global,
        type=_TYPES.get(phonenumbers.number_type(parsed), PhoneType.UNKNOWN),
        carrier=carrier.name_for_number(parsed, "en") or None,
        time_zones=_time_zones(parsed) if is_valid else (),
        is_geographic=phonenumbers.is_number_geographical(parsed) if is_valid else None,
        has_extension=bool(parsed.extension),
        longest_repeat=max(len(run.group()) for run in re.finditer(r"(\d)\1*", national)),
        distinct_digits=len(set(national)),
    )


def source_of(fact: str, on: date) -> Source | None:
    """The data set behind a fact, aged at ``on``; None for what is read from the digits alone.

    ``phonenumbers`` does not say when its plans were published: their age is not known.
    """
    match fact:
        case "is_possible" | "is_valid" | "region" | "type" | "carrier" | "time_zones" | "is_geographic":
            return Source("phonenumbers", _plans_version(), None, None)
        case "is_reserved":
            return Source("ipse-phone", _PUBLISHED.isoformat(), _PUBLISHED, max(0, (on - _PUBLISHED).days))
        case _:
            return None


def _sentence(error: phonenumbers.NumberParseException, number: str, region: str | None) -> str:
    match error.error_type:
        case phonenumbers.NumberParseException.INVALID_COUNTRY_CODE if region is None and "+" not in number:
            return "Begin with + and the country calling code, such as +34600000000, or send country_code."
        case phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            return "No country has this calling code."
        case phonenumbers.NumberParseException.TOO_LONG:
            return "A phone number has at most 15 digits (E.164)."
        case _:
            return "This is not a phone number."


def _time_zones(parsed: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    """Only a number of a place has time zones: the library names every zone of a plan for the others."""
    if not phonenumbers.is_number_geographical(parsed) and _spans_countries(parsed):
        return ()
    return tuple(zone for zone in timezone.time_zones_for_number(parsed) if zone != _UNKNOWN_ZONE)


def _spans_countries(parsed: phonenumbers.PhoneNumber) -> bool:
    return len(phonenumbers.region_codes_for_country_code(parsed.country_code or 0)) > 1


@cache
def _reserved() -> tuple[re.Pattern[str], ...]:
    text = (files("ipse.intelligence") / "data" / "phone_reserved.txt").read_text(encoding="utf-8")
    return tuple(re.compile(line, re.ASCII) for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _plans_version() -> str:
    return version("phonenumbers")
