"""``POST /v3/email/risk/``: what does this mail address tell?"""

from __future__ import annotations

from collections.abc import Iterator

from ipse.decision.warnings import RiskWarning, warn
from ipse.edge.authentication import Caller
from ipse.intelligence import email as intelligence
from ipse.intelligence.email import EmailFacts
from ipse.intelligence.email_risk import risk_of
from ipse.intelligence.facts import Risk
from ipse.risk import service
from ipse.risk.errors import NotReadable
from ipse.risk.schemas import Body, EmailQuestion

_SOURCED = ("is_disposable", "is_free_provider", "is_role_account", "provider_lookalike")


async def answer(caller: Caller, question: EmailQuestion) -> Body:
    """Read the address, look at the lists, score.

    Raises:
        NotReadable: the text is no mail address.
    """
    facts = intelligence.look_up(question.email)
    if facts.address is None or facts.mailbox is None:
        raise NotReadable("email", facts.problem or "Enter a valid email address.")
    risk = risk_of(facts, claimed_country=question.country_code)
    # A tag or a dot more must not take a person off a list, so the mailbox is looked up too.
    listed = await service.listed(caller, "email", tuple(dict.fromkeys((facts.address, facts.mailbox))))
    warnings = tuple(warnings_of(facts, listed))
    return {
        **service.frame(caller, vendor_data=question.vendor_data, metadata=question.metadata),
        "status": service.status_of(warnings, risk).value,
        "email": _result(caller, question, facts, risk, warnings),
    }


def warnings_of(facts: EmailFacts, listed: tuple[str, ...]) -> Iterator[RiskWarning]:
    """The catalogue's warnings. An allowlist silences the ones that can be configured, never a blocklist."""
    if "blocklist" in listed:
        yield warn("EMAIL_IN_BLOCKLIST", None)
    if facts.is_undeliverable:
        yield warn("UNDELIVERABLE_EMAIL_DETECTED", None)
    if "allowlist" in listed:
        return
    if facts.is_disposable:
        yield warn("DISPOSABLE_EMAIL_DETECTED", None, additional_data={"domain": facts.domain})
    if facts.is_breached:
        yield warn("BREACHED_EMAIL_DETECTED", None)


def _result(
    caller: Caller, question: EmailQuestion, facts: EmailFacts, risk: Risk | None, warnings: tuple[RiskWarning, ...]
) -> Body:
    on = service.today(caller)
    score = {"score": None if risk is None else risk.score}
    return {
        **service.scored(risk, warnings, {fact: intelligence.source_of(fact, on) for fact in _SOURCED}, ["breaches"]),
        "email": question.email,
        "normalized_email": facts.address,
        "mailbox": facts.mailbox,
        "domain": facts.domain,
        "is_disposable": facts.is_disposable,
        "is_undeliverable": facts.is_undeliverable,
        "is_breached": facts.is_breached,
        "is_free_provider": facts.is_free_provider,
        "is_role_account": facts.is_role_account,
        "is_internationalized": facts.is_internationalised,
        "is_reserved_domain": facts.is_reserved_domain,
        "has_mixed_scripts": facts.has_mixed_scripts,
        "has_plus_tag": facts.has_plus_tag,
        "looks_generated": facts.looks_generated,
        "provider_lookalike": facts.provider_lookalike,
        "domain_country_code": facts.suffix_country,
        "country_mismatch": service.mismatch(question.country_code, facts.suffix_country),
        "enrichment": score,
        "email_intelligence": score,
    }
