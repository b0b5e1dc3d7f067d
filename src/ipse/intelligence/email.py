"""What an e-mail address tells by itself, without asking any server.

Nothing is looked up in the DNS: whether a mailbox exists is not known, and breaches are not known either, so both stay
None. The one exception is a domain that RFC 2606 or RFC 6761 reserves: nobody can own a mailbox there.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final

import disposable_email_domains
from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from iso3166 import countries_by_alpha2
from rapidfuzz.distance import OSA

from ipse.intelligence.email_wording import Wording, wording_of
from ipse.intelligence.facts import Source

MAX_ADDRESS: Final = 254
"""Characters of an address (RFC 5321, section 4.5.3.1.3)."""
RESERVED_SUFFIXES: Final = frozenset(
    {"test", "example", "invalid", "localhost", "local", "onion", "alt", "internal", "arpa"}
)
"""RFC 2606, 3172, 6761, 6762, 7686, 9476 and ICANN's reservation of ``internal`` (2024)."""
RESERVED_DOMAINS: Final = frozenset({"example.com", "example.net", "example.org"})
_STAND_IN: Final = "example"
_DOTS_IGNORED: Final = frozenset({"gmail.com"})
_SAME_DOMAIN: Final = {
    "googlemail.com": "gmail.com",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "pm.me": "proton.me",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
"""Domains under which one provider delivers to the same mailbox."""
_IMITATED: Final = (
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "yandex.ru",
)
"""The providers that are imitated: every small one has honest neighbours one slip away."""
_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
"""Scripts with letters that look alike (UTS 39). Japanese mixes scripts in every name and is left alone."""
_PUBLISHED: Final = date(2026, 11, 22)
"""When the lists beside this file were written."""


@dataclass(frozen=True, slots=True)
class EmailFacts:
    """What is known of one address. None means not known; lengths in characters."""

    given: str
    is_valid: bool
    problem: str | None = None
    """Why it is no address, as a sentence."""
    address: str | None = None
    """Domain in lower case and ASCII (IDNA 2008), local part in lower case and NFC."""
    mailbox: str | None = None
    """Where mail ends up: without tag, without the dots that the provider ignores, under its main domain."""
    domain: str | None = None
    """ASCII form."""
    display_domain: str | None = None
    """The domain as people read it."""
    suffix: str | None = None
    """Last label of the domain."""
    suffix_country: str | None = None
    """Alpha-2, where the suffix is that of a country."""
    labels: int | None = None
    """How many parts the domain has."""
    is_disposable: bool | None = None
    is_free_provider: bool | None = None
    is_role_account: bool | None = None
    is_reserved_domain: bool | None = None
    is_internationalised: bool | None = None
    """The domain or the local part has letters beyond ASCII."""
    has_mixed_scripts: bool | None = None
    """One label of the domain mixes scripts whose letters look alike."""
    provider_lookalike: str | None = None
    """The free provider whose domain this one misspells by one slip, or None."""
    has_plus_tag: bool | None = None
    wording: Wording | None = None
    """How the local part, without its tag, is written."""
    is_breached: bool | None = None
    is_undeliverable: bool | None = None
    """True for a reserved domain, otherwise not known."""

    @property
    def looks_generated(self) -> bool | None:
        """Whether a program seems to have chosen the local part."""
        return None if self.wording is None else self.wording.looks_generated


def look_up(address: str) -> EmailFacts:
    """Read an address; never raises. A text that is none gives ``is_valid=False`` and nothing else."""
    try:
        read, reserved = _parse(address.strip())
    except EmailNotValidError as error:
        return EmailFacts(given=address, is_valid=False, problem=str(error))
    domain = _suffixed(read.ascii_domain.lower(), reserved)
    display = _suffixed(read.domain, reserved)
    local = read.local_part.lower()
    labels = domain.split(".")
    plain, plus, _ = local.partition("+")
    base, has_tag = (plain, bool(plus)) if plain else (local, False)
    is_reserved = _is_reserved(domain)
    return EmailFacts(
        given=address,
        is_valid=True,
        address=f"{local}@{domain}",
        mailbox=_mailbox(base, domain),
        domain=domain,
        display_domain=display,
        suffix=labels[-1],
        suffix_country=_country(labels[-1]),
        labels=len(labels),
        is_disposable=_is_disposable(domain),
        is_free_provider=domain in free_providers(),
        is_role_account=base in _role_accounts(),
        is_reserved_domain=is_reserved,
        is_internationalised=not local.isascii() or display != domain,
        has_mixed_scripts=any(_mixes_scripts(label) for label in display.split(".")),
        provider_lookalike=_lookalike(domain),
        has_plus_tag=has_tag,
        wording=wording_of(base),
        is_undeliverable=True if is_reserved else None,
    )


def _parse(address: str) -> tuple[ValidatedEmail, str | None]:
    """Validate the syntax. The library refuses some reserved suffixes: ``.example`` stands in for them meanwhile."""
    if len(address) > MAX_ADDRESS * 2:
        raise EmailNotValidError(f"An address has at most {MAX_ADDRESS} characters.")
    head, separator, last = address.rpartition("." if "." in address.rpartition("@")[2] else "@")
    reserved = last.lower() if last.lower() in RESERVED_SUFFIXES else None
    stand_in = address if reserved is None else f"{head}{separator}{_STAND_IN}"
    read = validate_email(stand_in, check_deliverability=False, globally_deliverable=reserved is None, strict=True)
    return read, reserved


def _suffixed(domain: str, reserved: str | None) -> str:
    return domain if reserved is None else domain.removesuffix(_STAND_IN) + reserved


def source_of(fact: str, on: date) -> Source | None:
    """The data set behind a fact, aged at ``on``; None for what is read from the address itself.

    ``disposable-email-domains`` does not say when it was published: its age is not known.
    """
    match fact:
        case "is_disposable":
            return Source("disposable-email-domains", _list_version(), None, None)
        case "is_free_provider" | "is_role_account" | "provider_lookalike":
            return Source("ipse-email", _PUBLISHED.isoformat(), _PUBLISHED, max(0, (on - _PUBLISHED).days))
        case _:
            return None


def _country(suffix: str) -> str | None:
    """Country-code domains are the alpha-2 codes, but for the British one."""
    code = "GB" if suffix == "uk" else suffix.upper()
    return code if code in countries_by_alpha2 else None


def _is_reserved(domain: str) -> bool:
    labels = domain.split(".")
    return labels[-1] in RESERVED_SUFFIXES or ".".join(labels[-2:]) in RESERVED_DOMAINS


def _is_disposable(domain: str) -> bool:
    """Whether the domain, or one that it lies under, is listed."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in disposable_email_domains.blocklist for start in range(len(labels) - 1))


def _mailbox(base: str, domain: str) -> str:
    main = _SAME_DOMAIN.get(domain, domain)
    return f"{base.replace('.', '') if main in _DOTS_IGNORED else base}@{main}"


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in label if character.isalpha()}
    return len(scripts & _ALIKE) > 1


def _lookalike(domain: str) -> str | None:
    """The free provider of which ``domain`` is one insertion, deletion, change or swap away."""
    if domain in free_providers():
        return None
    return next(
        (
            provider
            for provider in _IMITATED
            if abs(len(provider) - len(domain)) <= 1 and OSA.distance(provider, domain, score_cutoff=1) <= 1
        ),
        None,
    )


@cache
def _list_version() -> str:
    return version("disposable-email-domains")


@cache
def free_providers() -> frozenset[str]:
    """Domains at which anybody can open a mailbox."""
    return _lines("email_free_providers.txt")


@cache
def _role_accounts() -> frozenset[str]:
    return _lines("email_role_accounts.txt")


def _lines(name: str) -> frozenset[str]:
    text = (files("ipse.intelligence") / "data" / name).read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
