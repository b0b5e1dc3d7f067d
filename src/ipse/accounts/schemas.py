"""Bodies of ``/auth/v2``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl

from ipse.runtime.application import Mode, ReferenceSource, SandboxEngine

RESERVED_MAIL_DOMAINS = frozenset({"example", "example.com", "example.net", "example.org"})
"""Domains of RFC 2606 that nobody can read mail at; email-validator refuses the remaining ones itself."""


def _mail_address(text: str) -> str:
    try:
        checked = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError("Enter a valid email address.") from error
    domain = checked.ascii_domain or checked.domain
    if domain.lower() in RESERVED_MAIL_DOMAINS or domain.lower().endswith(".example"):
        raise ValueError("This mail domain is reserved for documentation. Use an address that receives mail.")
    return checked.normalized.casefold()


MailAddress = Annotated[str, Field(max_length=320), AfterValidator(_mail_address)]
"""An address, lower case; the local part too, because people do not remember how they spelled it."""

Password = Annotated[str, Field(min_length=1, max_length=256)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Registration(_Body):
    """``POST /auth/v2/programmatic/register/``."""

    email: MailAddress
    password: Password = Field(
        description="At least 8 characters with an upper-case and a lower-case letter, a digit and a special character."
    )


class SignIn(_Body):
    """``POST /auth/v2/programmatic/login/``."""

    email: MailAddress
    password: Password


class CodeCheck(_Body):
    """``POST /auth/v2/programmatic/verify-email/``."""

    email: MailAddress
    code: str = Field(min_length=1, max_length=32, description="The six letters and digits of the mail.")


class CodeRequest(_Body):
    """``POST /auth/v2/programmatic/resend-otp/``. A ``password``, which some clients send, is not needed."""

    email: MailAddress


class Renewal(_Body):
    """``POST /auth/v2/programmatic/refresh/`` (ours)."""

    refresh_token: str = Field(min_length=1, max_length=256)


class Named(BaseModel):
    """A thing with an id and a name."""

    uuid: str
    name: str


class FirstApplication(Named):
    """The application that verification creates. ``api_key`` is shown here and never again."""

    client_id: str
    api_key: str
    mode: Mode


class Message(BaseModel):
    """A plain sentence."""

    message: str


class Registered(Message):
    """Answer to a registration. The rest is present only where accounts are verified automatically."""

    email: str
    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: int | None = None
    organization: Named | None = None
    application: FirstApplication | None = None


class SignedInAnswer(BaseModel):
    """Tokens: ``Authorization: Bearer <access_token>``."""

    access_token: str
    refresh_token: str
    expires_in: int = Field(description="Seconds until the access token expires.", examples=[86400])
    message: str | None = None


class VerifiedAnswer(SignedInAnswer):
    """Tokens, and the organisation with its first application."""

    organization: Named
    application: FirstApplication


class OrganizationAnswer(Named):
    """One organisation."""

    contact_email: str | None
    created_at: datetime


class ApiKeyAnswer(BaseModel):
    """A key as it is listed: recognisable, not usable."""

    uuid: str
    prefix: str = Field(examples=["ipse_test_Xk3b"])
    created_at: datetime
    revoked_at: datetime | None


class NewApiKeyAnswer(ApiKeyAnswer):
    """A key at the only moment it can be read."""

    api_key: str


Url = Annotated[HttpUrl, Field(max_length=2048)]
ApplicationName = Annotated[str, Field(min_length=1, max_length=255)]
KycValidity = Annotated[int, Field(ge=1, le=3650)]
RetentionDays = Annotated[int, Field(ge=30, le=3650)]
"""30 days to 10 years (requirement 282)."""


class ApplicationCreate(_Body):
    """``POST …/applications/``."""

    name: ApplicationName = "My application"
    mode: Mode = Mode.SANDBOX


class ApplicationPatch(_Body):
    """``PATCH …/applications/{application_id}/``: only the keys that are sent change."""

    name: ApplicationName | None = None
    mode: Mode | None = Field(
        None,
        description="Switching revokes the keys of the old environment and answers with one key of the new. "
        "Sessions that exist keep the environment they were created in.",
    )
    sandbox_engine: SandboxEngine | None = Field(
        None, description="`scenarios` answers by scenario; `real` runs the face engine in sandbox."
    )
    reference_source: ReferenceSource | None = None
    enroll_on_first_use: bool | None = None
    allow_private_webhooks: bool | None = Field(
        None, description="Deliver to private addresses. Only an installation that is itself local accepts true."
    )
    kyc_validity_days: KycValidity | None = Field(None, description="Null = an approval never expires.")
    retention_days: RetentionDays | None = Field(
        None, description="Days from its creation after which a session is erased. Null = never."
    )
    website_url: Url | None = None
    terms_url: Url | None = None
    privacy_url: Url | None = None
    redirect_uris: list[Url] | None = Field(None, max_length=20)
    description: str | None = Field(None, max_length=2048)


class ApplicationAnswer(Named):
    """One application. ``api_key`` is a value only in the answer that issued it, otherwise null."""

    client_id: str
    organization_id: str
    api_key: str | None = None
    mode: Mode
    environment: Mode
    sandbox_engine: SandboxEngine
    reference_source: ReferenceSource
    enroll_on_first_use: bool
    allow_private_webhooks: bool
    kyc_validity_days: int | None
    retention_days: int | None
    website_url: str | None
    redirect_uris: list[str]
    terms_url: str | None
    privacy_url: str | None
    description: str | None
    created_at: datetime


TokenType = Literal["access", "refresh"]
