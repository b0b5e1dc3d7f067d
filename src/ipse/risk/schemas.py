"""Bodies and answers of the risk calls (contract 30, section 11; the objects inside are ours where it is silent)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from iso3166 import countries_by_alpha2, countries_by_alpha3
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ipse.standalone.schemas import Answer, Status, WarningItem
from ipse.users.schemas import Metadata, VendorData

RiskLevelName = Literal["low", "medium", "high"]


def _alpha2(text: str) -> str:
    code = text.strip().upper()
    known = countries_by_alpha2.get(code) or countries_by_alpha3.get(code)
    if known is None:
        raise ValueError("Use an ISO 3166-1 country code, such as ES or ESP.")
    return known.alpha2


CountryCode = Annotated[str, Field(max_length=16), AfterValidator(_alpha2)]


class _Question(BaseModel):
    model_config = ConfigDict(extra="ignore")

    vendor_data: VendorData | None = Field(None, description="Your own id of the person.")
    metadata: Metadata | None = Field(None, description="Comes back as it is; nothing is stored.")


class IpQuestion(_Question):
    """``POST /v3/ip/risk/``."""

    ip_address: str = Field(max_length=64, description="One IPv4 or IPv6 address, as you saw it.")
    claimed_country: CountryCode | None = Field(None, description="Where the person says to be; alpha-2 or alpha-3.")
    user_agent: str | None = Field(None, max_length=2048)


class EmailQuestion(_Question):
    """``POST /v3/email/risk/``. ``signals`` and ``enable_social`` are accepted; nobody else is asked anything."""

    email: str = Field(max_length=512)
    country_code: CountryCode | None = Field(None, description="Where the person says to be; alpha-2 or alpha-3.")


class PhoneQuestion(_Question):
    """``POST /v3/phone/risk/``."""

    phone_number: str = Field(max_length=64, description="With + and calling code, or national with country_code.")
    country_code: CountryCode | None = Field(None, description="Where the person says to be; alpha-2 or alpha-3.")


class PartItem(TypedDict):
    """One reason of a score and the points it added."""

    code: str
    points: float
    meaning: str


class SourceItem(TypedDict):
    """The data set behind a fact. ``age_days`` is null where the data set does not say when it was made."""

    dataset: str
    version: str
    published: str | None
    age_days: int | None
    is_stale: bool


class Scored(TypedDict):
    """What every subject carries: the score, why, and how sure. Null means not known."""

    score: float | None
    risk_level: RiskLevelName | None
    risk_parts: list[PartItem]
    confidence: float
    sources: dict[str, SourceItem]
    missing_data: list[str]
    warnings: list[WarningItem]


class PastItem(TypedDict):
    """What is known of the person from before: only with a ``vendor_data`` that was seen."""

    sightings: int
    is_known_network: bool | None
    is_known_country: bool | None
    last_seen_at: str | None
    last_country_code: str | None
    is_country_flip: bool | None


class IpResult(Scored):
    """The address, under the names of ``ip_analyses[]`` (contract 10, section 7)."""

    ip_address: str
    ip_version: int | None
    network: str | None
    ip_country: str | None
    ip_country_code: str | None
    ip_state: str | None
    ip_city: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None
    time_zone_offset: str | None
    asn: int | None
    isp: str | None
    organization: str | None
    connection_type: str
    is_vpn_or_tor: bool | None
    is_data_center: bool | None
    is_vpn: bool | None
    is_proxy: bool | None
    is_tor: bool | None
    is_relay: bool | None
    is_bogon: bool
    special: str | None
    claimed_country: str | None
    country_mismatch: bool | None
    history: PastItem | None


class ScoreOnly(TypedDict):
    """The score again, where clients look for it."""

    score: float | None


class EmailResult(Scored):
    """The mail address. ``is_breached`` is always null, and ``is_undeliverable`` is true or null: nobody is asked."""

    email: str
    normalized_email: str
    mailbox: str
    domain: str
    is_disposable: bool | None
    is_undeliverable: bool | None
    is_breached: bool | None
    is_free_provider: bool | None
    is_role_account: bool | None
    is_internationalized: bool | None
    is_reserved_domain: bool | None
    has_mixed_scripts: bool | None
    has_plus_tag: bool | None
    looks_generated: bool | None
    provider_lookalike: str | None
    domain_country_code: str | None
    country_mismatch: bool | None
    enrichment: ScoreOnly
    email_intelligence: ScoreOnly


class Carrier(TypedDict):
    """Who the range of numbers was given to; numbers are ported."""

    name: str | None
    type: str


class PhoneResult(Scored):
    """The number, under the names of ``phone_verifications[]`` where it has them."""

    full_number: str
    phone_number_prefix: str
    phone_number: str
    country_code: str | None
    country_name: str | None
    carrier: Carrier
    is_possible: bool | None
    is_valid: bool | None
    is_reserved: bool | None
    is_disposable: bool | None
    is_virtual: bool | None
    is_premium_rate: bool | None
    is_geographic: bool | None
    time_zones: list[str]
    country_mismatch: bool | None
    enrichment: ScoreOnly


class RiskAnswer(Answer):
    """Around every result. ``request_id`` names the answer in your logs; nothing is stored under it."""

    status: Status


class IpAnswer(RiskAnswer):
    """Answer of ``/v3/ip/risk/``."""

    ip: IpResult


class EmailAnswer(RiskAnswer):
    """Answer of ``/v3/email/risk/``."""

    email: EmailResult


class PhoneAnswer(RiskAnswer):
    """Answer of ``/v3/phone/risk/``."""

    phone: PhoneResult


Body = dict[str, Any]
"""An answer before it is validated."""
