"""The risk score of a phone number: a sum of named parts, each with the points written here.

The points are a judgement and not a measurement: there is no labelled data. Numbers that nobody can own, and those that
cost the caller money, are high by themselves; everything else only adds up.
"""

from __future__ import annotations

from typing import Final

from ipse.intelligence.contact_risk import PartRule, total
from ipse.intelligence.facts import Risk
from ipse.intelligence.phone import PhoneFacts, PhoneType

PARTS: Final = (
    PartRule("reserved_number", 75, "The number is kept for films and examples; nobody owns it."),
    PartRule("premium_rate", 75, "Messages to it cost money that somebody collects."),
    PartRule("impossible_number", 70, "No number of this country has this length."),
    PartRule("unassigned_range", 50, "The range was given to no service."),
    PartRule("global_network", 40, "A satellite or other network without country; messages to it are expensive."),
    PartRule("internet_telephony", 35, "Internet telephony numbers are opened without a SIM card or a contract."),
    PartRule("unusual_type", 30, "Numbers of this kind receive no messages for one person."),
    PartRule("repeated_digits", 15, "Six or more equal digits in a row, as people type them into forms."),
    PartRule("country_mismatch", 15, "The number belongs to another country than the one claimed."),
    PartRule("fixed_line", 5, "A fixed line may be shared and receives no text messages in many countries."),
)
MANY_REPEATS: Final = 6
CONFIDENCE: Final = 0.6
"""What no plan tells, whether the number is in service and since when, would tell the most."""
_UNUSUAL: Final = frozenset(
    {
        PhoneType.TOLL_FREE,
        PhoneType.SHARED_COST,
        PhoneType.PAGER,
        PhoneType.COMPANY,
        PhoneType.VOICEMAIL,
        PhoneType.PERSONAL_NUMBER,
    }
)


def risk_of(facts: PhoneFacts, *, claimed_country: str | None = None) -> Risk | None:
    """Score a number; None for a text that is none.

    Args:
        claimed_country: alpha-2 of where the person says to be.
    """
    if not facts.is_readable:
        return None
    found = {
        "reserved_number": facts.is_reserved,
        "premium_rate": facts.type is PhoneType.PREMIUM_RATE,
        "impossible_number": facts.is_possible is False,
        "unassigned_range": facts.is_possible is True and facts.is_valid is False and not facts.is_reserved,
        "global_network": facts.is_global_network,
        "internet_telephony": facts.is_virtual,
        "unusual_type": facts.type in _UNUSUAL,
        "repeated_digits": (facts.longest_repeat or 0) >= MANY_REPEATS,
        "country_mismatch": None not in (claimed_country, facts.region) and facts.region != claimed_country,
        "fixed_line": facts.type is PhoneType.FIXED_LINE,
    }
    return total(PARTS, found, confidence=CONFIDENCE)
