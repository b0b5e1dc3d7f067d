"""The risk score of an e-mail address: a sum of named parts, each with the points written here.

The points are a judgement and not a measurement: there is no labelled data. A disposable address, or one that cannot
exist, is high by itself; everything else only adds up.
"""

from __future__ import annotations

from typing import Final

from ipse.intelligence.contact_risk import PartRule, total
from ipse.intelligence.email import EmailFacts
from ipse.intelligence.facts import Risk

PARTS: Final = (
    PartRule("disposable_domain", 75, "The domain belongs to a service for throw-away addresses."),
    PartRule("reserved_domain", 70, "Nobody can own a mailbox at this domain (RFC 2606, RFC 6761)."),
    PartRule("mixed_scripts", 35, "The domain mixes scripts whose letters look alike."),
    PartRule("provider_lookalike", 25, "The domain is one slip away from that of a large provider."),
    PartRule("generated_name", 25, "The name before the @ looks as if a program had chosen it."),
    PartRule("role_account", 15, "The mailbox belongs to a function and not to a person."),
    PartRule("country_mismatch", 10, "The domain is that of another country than the one claimed."),
    PartRule("plus_tag", 5, "A tag after + makes any number of addresses of one mailbox."),
    PartRule("free_provider", 5, "Anybody opens a mailbox there in minutes."),
)


def risk_of(facts: EmailFacts, *, claimed_country: str | None = None) -> Risk | None:
    """Score an address; None for a text that is none.

    Args:
        claimed_country: alpha-2 of where the person says to be.
    """
    if not facts.is_valid:
        return None
    found = {
        "disposable_domain": facts.is_disposable,
        "reserved_domain": facts.is_reserved_domain,
        "mixed_scripts": facts.has_mixed_scripts,
        "provider_lookalike": facts.provider_lookalike is not None,
        "generated_name": facts.looks_generated,
        "role_account": facts.is_role_account,
        "country_mismatch": None not in (claimed_country, facts.suffix_country)
        and facts.suffix_country != claimed_country,
        "plus_tag": facts.has_plus_tag,
        "free_provider": facts.is_free_provider,
    }
    return total(PARTS, found, confidence=CONFIDENCE)


CONFIDENCE: Final = 0.6
"""What is not known offline, whether the mailbox exists and how old it is, would tell the most."""
