"""Bodies of the session calls (contract file 10)."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, JsonValue

from ipse.decision.statuses import SessionStatus
from ipse.security.canonical_json import NotCanonical, canonical_bytes
from ipse.sessions.languages import LANGUAGES
from ipse.step_up.action_field import ActionField

MAX_METADATA_BYTES = 64 * 2**10
MAX_VENDOR_DATA = 256


def _known_language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f'"{value}" is not a valid choice.')
    return value


def _absolute_url(value: str) -> str:
    scheme, colon, rest = value.partition(":")
    if not colon or not scheme or not scheme[0].isalpha() or not rest.startswith("//") or len(rest) < 3:
        raise ValueError("Enter a full URL such as https://app.example/done or myapp://done.")
    if scheme.lower() in {"javascript", "data", "vbscript", "file"}:
        raise ValueError("This URL scheme cannot be used as a callback.")
    if any(character.isspace() for character in value):
        raise ValueError("A URL contains no spaces.")
    return value


def _metadata(value: Any) -> Any:
    """Keep any JSON value; a text that holds a JSON object becomes that object (contract 90, B9)."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            value = parsed
    try:
        size = len(canonical_bytes(value))
    except NotCanonical as error:
        raise ValueError(f"This cannot be signed in a webhook: {error}") from error
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"At most {MAX_METADATA_BYTES // 1024} KiB of metadata can be attached.")
    return value


Language = Annotated[str, AfterValidator(_known_language)]
CallbackUrl = Annotated[str, Field(max_length=2048), AfterValidator(_absolute_url)]
Metadata = Annotated[JsonValue, BeforeValidator(_metadata)]
Alpha3 = Annotated[str, Field(pattern="^[A-Za-z]{3}$"), AfterValidator(str.upper)]


class ContactDetails(BaseModel):
    """How the person can be reached. An unparsable phone number is ignored, as the contract says."""

    email: EmailStr | None = None
    send_notification_emails: bool = False
    email_lang: Language | None = None
    phone: str | None = Field(None, max_length=32)


class ExpectedDetails(BaseModel):
    """What the integrator already knows about the person."""

    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    date_of_birth: date | None = None
    gender: Literal["M", "F"] | None = None
    nationality: Alpha3 | None = None
    country: Alpha3 | None = None
    id_country: Alpha3 | None = None
    poa_country: Alpha3 | None = None
    address: str | None = Field(None, max_length=512)
    identification_number: str | None = Field(None, max_length=255)
    ip_address: str | None = Field(None, max_length=45)
    expected_document_types: list[Literal["P", "ID", "DL", "RP", "HIC", "TC", "SSC"]] | None = None
    company_name: str | None = Field(None, max_length=255)
    registry_country: str | None = Field(None, max_length=10)
    registration_number: str | None = Field(None, max_length=100)


class CreateSession(BaseModel):
    """Body of ``POST /v3/session/``. Unknown keys, ``workflow_type`` among them, are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "workflow_id": "wf_ato_step_up",
                    "vendor_data": "user-42",
                    "callback": "https://app.example/transfer/done",
                    "metadata": {"trigger": "high_value_transfer", "action_id": "tr_7781", "amount": "1250.00"},
                }
            ]
        }
    )

    workflow_id: str = Field(max_length=64, description="UUID of a workflow or of one of its versions, or its alias.")
    vendor_data: str | None = Field(None, max_length=MAX_VENDOR_DATA, description="Your own id of the person.")
    callback: CallbackUrl | None = None
    callback_method: Literal["initiator", "completer", "both"] = "initiator"
    metadata: Metadata | None = None
    action: ActionField | None = Field(
        None, description="What the person authorises: shown on the page, and what the verdict is bound to."
    )
    language: Language | None = None
    contact_details: ContactDetails | None = None
    expected_details: ExpectedDetails | None = None
    portrait_image: str | None = Field(None, description="Base64 of a JPEG, PNG, WebP or TIFF of at most 2 MB.")
    sandbox_scenario: str | None = Field(None, max_length=64)


class SessionCreated(BaseModel):
    """The ten keys of the contract, ``session_url``, the name the integration pages use for ``url``, and
    ``action_hash``.
    """

    session_id: str
    session_number: int
    session_token: str
    url: str
    session_url: str
    vendor_data: str | None
    metadata: JsonValue | None
    status: SessionStatus
    callback: str | None
    workflow_id: str
    workflow_version: int
    action_hash: str | None = Field(None, description="SHA-256 of the canonical action; the verdict's `act`.")


class ShortSession(SessionCreated):
    """``GET /v3/session/{id}/``: what creation answered, with its life span."""

    callback_method: str
    environment: Literal["live", "sandbox"]
    created_at: str
    expires_at: str


class FeatureState(BaseModel):
    """One feature of a list row."""

    feature: str
    status: str


class SessionListRow(BaseModel):
    """One row of ``GET /v3/sessions/``."""

    session_id: str
    session_kind: Literal["user"]
    session_number: int
    session_url: str | None
    portrait_image: str | None
    document_type: str | None
    full_name: str | None
    country: str | None
    status: SessionStatus
    vendor_data: str | None
    didit_internal_id: str | None
    created_at: str
    environment: Literal["live", "sandbox"]
    features: list[FeatureState]
    phone_number: dict[str, JsonValue] | None
    email_address: dict[str, JsonValue] | None
    additional_details: dict[str, JsonValue] | None


class NodeToResubmit(BaseModel):
    """A step that the person shall repeat."""

    node_id: str | None = None
    feature: str | None = None


class UpdateStatus(BaseModel):
    """Body of update-status. ``new_status`` is checked after the state of the session, as the contract orders."""

    new_status: str
    comment: str | None = Field(None, max_length=4096)
    nodes_to_resubmit: list[NodeToResubmit | str] | None = None
    send_email: bool = False
    email_address: EmailStr | None = None
    email_language: Language = "en"


class StatusUpdated(BaseModel):
    """Answer of update-status."""

    session_id: str
    status: SessionStatus


class UpdateFeatureStatus(BaseModel):
    """Body of the per-feature update."""

    new_status: str
    comment: str | None = Field(None, max_length=4096)


class FeatureStatusUpdated(BaseModel):
    """Answer of the per-feature update."""

    session_id: str
    node_id: str
    feature_type: str
    new_status: str


class DeleteSessions(BaseModel):
    """Body of the batch deletion: numbers, or everything."""

    session_numbers: list[int | str] | None = None
    delete_all: bool = False


class NewReview(BaseModel):
    """A note on a session; it never changes the status."""

    comment: str | None = Field(None, max_length=4096)
    new_status: str | None = Field(None, max_length=16)


class Review(BaseModel):
    """One entry of the audit trail. ``user`` is the actor under the name that the call for a new note documents."""

    uuid: str
    user: str
    activity_type: str
    actor_display: str
    actor_email: str | None
    actor_type: str
    new_status: str | None
    previous_status: str | None
    comment: str | None
    mentioned_emails: list[str]
    previous_value: JsonValue | None
    new_value: JsonValue | None
    changed_fields: list[str]
    metadata: JsonValue | None
    created_at: str


class ArmScenario(BaseModel):
    """Body of ``…/sandbox/arm/``."""

    scenario: str = Field(max_length=64)


class ScenarioArmed(BaseModel):
    """Answer of ``…/sandbox/arm/``."""

    session_id: str
    scenario: str
    status: SessionStatus
