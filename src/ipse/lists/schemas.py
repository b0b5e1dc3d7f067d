"""Bodies of ``/v3/lists`` and ``/v3/blocklist``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ipse.lists.values import EntryType, ListType
from ipse.users.schemas import Metadata

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Description = Annotated[str, Field(max_length=2048)]
Comment = Annotated[str, Field(max_length=2048)]
Label = Annotated[str, Field(max_length=255)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ListCreate(_Body):
    """``POST /v3/lists/``. Blocklists are system lists: there is one for each type already."""

    name: Name
    list_type: Literal["allowlist", "custom"]
    entry_type: EntryType
    description: Description = ""


class ListPatch(_Body):
    """``PATCH /v3/lists/{uuid}/``; types never change."""

    name: Name | None = None
    description: Description | None = None


class ListItem(BaseModel):
    """One list. ``entry_count`` leaves out entries whose time is over."""

    uuid: str
    name: str
    description: str
    list_type: ListType
    entry_type: EntryType
    is_system: bool
    entry_count: int
    last_entry_added_at: datetime | None
    created_at: datetime
    updated_at: datetime


class EntryCreate(_Body):
    """``POST /v3/lists/{uuid}/entries/``: a value, a session that has one, or both to pick one of several."""

    value: str | None = Field(None, max_length=2048)
    reference_session_id: str | None = Field(None, max_length=64)
    reference_object_uuid: str | None = Field(None, max_length=64)
    display_label: Label | None = None
    comment: Comment | None = None
    metadata: Metadata | None = None
    expires_at: AwareDatetime | None = None


class FaceEntryCreate(_Body):
    """``POST /v3/lists/{uuid}/entries/face-upload/``."""

    image: str = Field(min_length=1, description="Base64 of a JPEG or PNG of at most 2 MB; the largest face is kept.")
    display_label: Label | None = None
    comment: Comment | None = None
    expires_at: AwareDatetime | None = None


class EntryItem(BaseModel):
    """One entry. ``metadata.reference_image_url`` of a face is dead after 60 minutes."""

    uuid: str
    value: str
    display_label: str | None
    comment: str | None
    reference_session_id: str | None
    reference_object_uuid: str | None
    metadata: dict[str, Any]
    added_by: str
    created_at: datetime
    expires_at: datetime | None


class ImportLine(_Body):
    """One line of an import."""

    value: str = Field(max_length=2048)
    display_label: Label | None = None
    comment: Comment | None = None
    metadata: Metadata | None = None
    expires_at: AwareDatetime | None = None


class ImportProblem(BaseModel):
    """A line that was refused; the first line is 1."""

    line: int
    reason: str


class Imported(BaseModel):
    """What came of an import. ``problems`` shows the first 20 refused lines."""

    lines: int
    added: int
    duplicates: int
    refused: int
    problems: list[ImportProblem]


class BlocklistAdd(_Body):
    """``POST /v3/blocklist/add/``: which values of the session to block."""

    session_id: str = Field(min_length=1, max_length=64)
    blocklist_face: bool = False
    blocklist_document: bool = False
    blocklist_phone: bool = False
    blocklist_email: bool = False


class BlocklistRemove(_Body):
    """``POST /v3/blocklist/remove/``: which values of the session to block no more."""

    session_id: str = Field(min_length=1, max_length=64)
    unblock_face: bool = False
    unblock_document: bool = False
    unblock_phone: bool = False
    unblock_email: bool = False


class BlocklistChanged(BaseModel):
    """Which of the session's values stand on the blocklists now."""

    session_id: str
    face: bool
    document: bool
    phone: bool
    email: bool


class BlocklistItem(BaseModel):
    """One blocked value that came from a session."""

    type: Literal["face", "document", "phone", "email"]
    session_id: str | None
    session_number: int | None
    blocklisted_at: datetime
    face_image: str | None
    document_type: str | None
    document_number: str | None
    phone_number: str | None
    email: str | None
