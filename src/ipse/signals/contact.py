"""Signals of the mail address and the phone number that came with a session. Nobody is asked about them."""

from __future__ import annotations

import unicodedata
from statistics import fmean
from typing import Final

from rapidfuzz import fuzz

from ipse.decision.values import JsonValue
from ipse.intelligence.email import EmailFacts
from ipse.intelligence.email_risk import risk_of as email_risk
from ipse.intelligence.phone import PhoneFacts
from ipse.intelligence.phone_risk import risk_of as phone_risk
from ipse.signals.paths import known

SHORTEST_NAME: Final = 2
"""Letters of a part of a name that is looked for; initials are in every address."""


def of_email(
    facts: EmailFacts, *, full_name: str | None = None, claimed_country: str | None = None
) -> dict[str, JsonValue]:
    """Every signal of a mail address; nothing for a text that is none.

    Args:
        full_name: of the person, as far as the session expects one.
        claimed_country: alpha-2 of where the person says to be.
    """
    wording, risk = facts.wording, email_risk(facts, claimed_country=claimed_country)
    if facts.mailbox is None or wording is None or risk is None:
        return {}
    return known(
        {
            "email.is_disposable": facts.is_disposable,
            "email.is_free_provider": facts.is_free_provider,
            "email.is_role_account": facts.is_role_account,
            "email.is_reserved_domain": facts.is_reserved_domain,
            "email.is_internationalized": facts.is_internationalised,
            "email.has_mixed_scripts": facts.has_mixed_scripts,
            "email.is_provider_lookalike": facts.provider_lookalike is not None,
            "email.has_plus_tag": facts.has_plus_tag,
            "email.is_likely_generated": facts.looks_generated,
            "email.local_length": wording.length,
            "email.digit_share": round(wording.digit_share, 4),
            "email.vowel_share": None if wording.vowel_share is None else round(wording.vowel_share, 4),
            "email.letter_digit_changes": wording.changes,
            "email.consonant_run": wording.longest_consonant_run,
            "email.domain_labels": facts.labels,
            "email.suffix": facts.suffix,
            "email.domain_country": facts.suffix_country,
            "email.is_country_mismatch": _differs(claimed_country, facts.suffix_country),
            "email.name_similarity": name_similarity(full_name, facts.mailbox.partition("@")[0]),
            "email.risk_score": risk.score,
        }
    )


def of_phone(facts: PhoneFacts, *, claimed_country: str | None = None) -> dict[str, JsonValue]:
    """Every signal of a phone number; nothing for a text that is none.

    Args:
        claimed_country: alpha-2 of where the person says to be.
    """
    risk = phone_risk(facts, claimed_country=claimed_country)
    if facts.national_number is None or risk is None:
        return {}
    return known(
        {
            "phone.is_possible": facts.is_possible,
            "phone.is_valid": facts.is_valid,
            "phone.is_reserved": facts.is_reserved,
            "phone.prefix": facts.prefix,
            "phone.region": facts.region,
            "phone.type": facts.type.value,
            "phone.carrier": facts.carrier,
            "phone.time_zones": list(facts.time_zones) or None,
            "phone.is_geographic": facts.is_geographic,
            "phone.is_global_network": facts.is_global_network,
            "phone.has_extension": facts.has_extension,
            "phone.national_length": len(facts.national_number),
            "phone.longest_repeat": facts.longest_repeat,
            "phone.distinct_digits": facts.distinct_digits,
            "phone.is_country_mismatch": _differs(claimed_country, facts.region),
            "phone.risk_score": risk.score,
        }
    )


def name_similarity(full_name: str | None, local: str) -> float | None:
    """How much of a name stands in a local part, 0-100; None without a name in Latin letters.

    The mean over the parts of the name of their best partial match (rapidfuzz ``partial_ratio``).
    """
    parts = [part for part in _plain(full_name or "").split() if len(part) >= SHORTEST_NAME]
    if not parts:
        return None
    plain = "".join(_plain(local).split())
    return round(fmean(fuzz.partial_ratio(part, plain) if plain else 0.0 for part in parts), 2)


def _plain(text: str) -> str:
    """Lower-case Latin letters; marks fall off, everything else becomes a space."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one if one.isascii() and one.isalpha() else " " for one in folded if not unicodedata.combining(one))


def _differs(claimed: str | None, found: str | None) -> bool | None:
    return None if claimed is None or found is None else claimed != found
