"""Bodies of ``/v3/users``."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ipse.security.canonical_json import NotCanonical, canonical_bytes

MOST_METADATA_BYTES = 64 * 1024


class UserStatus(StrEnum):
    """What an application thinks of a person. A blocked one gets no sessions."""

    ACTIVE = "ACTIVE"
    FLAGGED = "FLAGGED"
    BLOCKED = "BLOCKED"


def _alpha3(text: str) -> str:
    code = text.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise ValueError("Use ISO 3166-1 alpha-3 country codes, such as ESP.")
    return code


def _portable(value: dict[str, Any]) -> dict[str, Any]:
    """Events carry metadata, so it must have a canonical JSON text, and not a large one."""
    try:
        size = len(canonical_bytes({"metadata": value}))
    except NotCanonical as error:
        raise ValueError(f"This cannot be signed in a webhook: {error}") from error
    if size > MOST_METADATA_BYTES:
        raise ValueError(f"At most {MOST_METADATA_BYTES // 1024} KiB of metadata can be attached.")
    return value


VendorData = Annotated[str, Field(min_length=1, max_length=256)]
Country = Annotated[str, AfterValidator(_alpha3)]
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=320)]], Field(max_length=100)]
Metadata = Annotated[dict[str, Any], AfterValidator(_portable)]
Countries = Annotated[list[Country], Field(max_length=300)]


class UserPatch(BaseModel):
    """``PATCH /v3/users/{vendor_data}/``: only the keys that are sent change; lists and metadata are replaced."""

    model_config = ConfigDict(extra="ignore")

    full_name: str | None = Field(None, max_length=512)
    display_name: str | None = Field(None, max_length=255)
    date_of_birth: date | None = None
    status: UserStatus = UserStatus.ACTIVE
    metadata: Metadata | None = None
    approved_emails: Texts = Field(default_factory=list)
    approved_phones: Texts = Field(default_factory=list)
    issuing_states: Countries = Field(default_factory=list)


class UserCreate(UserPatch):
    """``POST /v3/users/create/``."""

    vendor_data: VendorData


class StatusChange(BaseModel):
    """``PATCH /v3/users/{vendor_data}/update-status/``."""

    status: UserStatus


class Deletion(BaseModel):
    """``POST /v3/users/delete/``."""

    vendor_data_list: list[VendorData] | None = Field(None, max_length=1000)
    delete_all: bool = False


class Deleted(BaseModel):
    """How many users are gone."""

    deleted: int


class FaceUpload(BaseModel):
    """A portrait to compare later step-ups with."""

    image: str = Field(min_length=1, description="Base64 of a JPEG or PNG of at most 2 MB with one face.")
    comment: str = Field("", max_length=2048)


class FaceUploaded(BaseModel):
    """The stored portrait. ``image_url`` is dead after 60 minutes."""

    uuid: str
    image_url: str | None
    comment: str | None
    uploaded_by: str | None
    created_at: datetime


class UserFace(BaseModel):
    """A stored face of a person; the template itself is never shown. ``image_url`` is dead after 60 minutes."""

    uuid: str
    purpose: str = Field(description="reference (enrolled), profile (uploaded), probe (live selfie) or supplied.")
    source: str
    supplied_by: str = Field(description="person (a live capture), integrator or operator.")
    is_reference: bool = Field(description="Whether step-ups compare with this face now.")
    is_searchable: bool
    session_id: str | None
    image_url: str | None
    comment: str | None
    created_at: datetime
    superseded_at: datetime | None


class UserDevice(BaseModel):
    """A device that a person used, and whether it is trusted."""

    device_id: str
    device_brand: str | None
    device_model: str | None
    browser_family: str | None
    os_family: str | None
    platform: str | None
    device_fingerprint: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    is_trusted: bool
    trusted_at: datetime | None
    trusted_by: str | None
    revoked_at: datetime | None


class Merge(BaseModel):
    """``POST /v3/users/{vendor_data}/merge/``."""

    into: VendorData = Field(description="vendor_data of the user who takes over the history.")


class FeatureStatusItem(BaseModel):
    """The newest status of one feature."""

    feature: str
    status: str


class Tag(BaseModel):
    """Reserved by the contract; nothing sets tags yet."""

    uuid: str
    name: str
    color: str


class Comment(BaseModel):
    """One entry of a user's history."""

    uuid: str
    comment_type: str
    comment: str | None
    actor_email: str | None
    actor_name: str | None
    previous_status: UserStatus | None
    new_status: UserStatus | None
    previous_value: dict[str, Any] | None
    new_value: dict[str, Any] | None
    changed_fields: list[str]
    metadata: dict[str, Any] | None
    mentioned_emails: list[str]
    created_at: datetime


class UserItem(BaseModel):
    """A user in a list. Counts are computed from the sessions, never stored."""

    didit_internal_id: str
    vendor_data: str | None
    display_name: str | None
    full_name: str | None
    date_of_birth: date | None
    effective_name: str | None
    status: UserStatus
    portrait_image_url: str | None
    session_count: int
    approved_count: int
    declined_count: int
    in_review_count: int
    issuing_states: list[str]
    approved_emails: list[str]
    approved_phones: list[str]
    features: dict[str, str]
    features_list: list[FeatureStatusItem]
    last_session_at: datetime | None
    first_session_at: datetime | None
    last_activity_at: datetime | None
    tags: list[Tag]
    created_at: datetime


class UserDetail(UserItem):
    """One user."""

    metadata: dict[str, Any]
    comments: list[Comment]
    updated_at: datetime
