"""``POST /v3/phone/risk/``: what does this number tell?"""

from __future__ import annotations

from collections.abc import Iterator

from iso3166 import countries_by_alpha2

from ipse.decision.warnings import RiskWarning, warn
from ipse.edge.authentication import Caller
from ipse.intelligence import phone as intelligence
from ipse.intelligence.facts import Risk, RiskLevel
from ipse.intelligence.phone import PhoneFacts, PhoneType
from ipse.intelligence.phone_risk import risk_of
from ipse.risk import service
from ipse.risk.errors import NotReadable
from ipse.risk.schemas import Body, PhoneQuestion

_SOURCED = ("is_possible", "is_valid", "is_reserved", "region", "type", "carrier", "time_zones", "is_geographic")


async def answer(caller: Caller, question: PhoneQuestion) -> Body:
    """Read the number, look at the lists, score.

    Raises:
        NotReadable: the text is no phone number, or a national one without a country.
    """
    facts = intelligence.look_up(question.phone_number, question.country_code)
    if facts.number is None:
        raise NotReadable("phone_number", facts.problem or "This is not a phone number.")
    risk = risk_of(facts, claimed_country=question.country_code)
    listed = await service.listed(caller, "phone", (facts.number,))
    warnings = tuple(warnings_of(facts, risk, listed))
    return {
        **service.frame(caller, vendor_data=question.vendor_data, metadata=question.metadata),
        "status": service.status_of(warnings, risk).value,
        "phone": _result(caller, question, facts, risk, warnings),
    }


def warnings_of(facts: PhoneFacts, risk: Risk | None, listed: tuple[str, ...]) -> Iterator[RiskWarning]:
    """The catalogue's warnings. An allowlist silences all but the blocklist's."""
    if "blocklist" in listed:
        yield warn("PHONE_NUMBER_IN_BLOCKLIST", None)
    if "allowlist" in listed:
        return
    if risk is not None and risk.level is RiskLevel.HIGH:
        yield warn("HIGH_RISK_PHONE_NUMBER", None, additional_data={"parts": [part.code for part in risk.parts]})
    if facts.is_disposable:
        yield warn("DISPOSABLE_NUMBER_DETECTED", None)
    if facts.is_virtual:
        yield warn("VOIP_NUMBER_DETECTED", None)


def _result(
    caller: Caller, question: PhoneQuestion, facts: PhoneFacts, risk: Risk | None, warnings: tuple[RiskWarning, ...]
) -> Body:
    on = service.today(caller)
    country = countries_by_alpha2.get(facts.region or "")
    sources = {fact: intelligence.source_of(fact, on) for fact in _SOURCED}
    return {
        **service.scored(risk, warnings, sources, ["numbers in service", "disposable numbers"]),
        "full_number": facts.number,
        "phone_number_prefix": facts.prefix,
        "phone_number": facts.national_number,
        "country_code": facts.region,
        "country_name": None if country is None else country.apolitical_name,
        "carrier": {"name": facts.carrier, "type": facts.type.value},
        "is_possible": facts.is_possible,
        "is_valid": facts.is_valid,
        "is_reserved": facts.is_reserved,
        "is_disposable": facts.is_disposable,
        "is_virtual": facts.is_virtual,
        "is_premium_rate": None if facts.type is PhoneType.UNKNOWN else facts.type is PhoneType.PREMIUM_RATE,
        "is_geographic": facts.is_geographic,
        "time_zones": list(facts.time_zones),
        "country_mismatch": service.mismatch(question.country_code, facts.region),
        "enrichment": {"score": None if risk is None else risk.score},
    }
