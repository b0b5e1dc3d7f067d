"""Bodies of ``/v3/step-up/policies/``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Content = dict[str, JsonValue]


class PublishPolicy(BaseModel):
    """A policy (docs/step-up-policy.md) and table tests it must pass."""

    policy: Content
    comment: str | None = Field(None, max_length=1000)
    cases: list[JsonValue] | None = Field(None, max_length=1000)


class PolicyPatch(BaseModel):
    """Only the keys that are sent change something."""

    model_config = ConfigDict(extra="forbid")

    is_default: bool | None = None
    current_version: int | None = Field(None, ge=1, description="An earlier version to put in force again.")


class PolicyItem(BaseModel):
    """One policy."""

    name: str
    is_default: bool
    current_version: int
    created_at: str
    updated_at: str


class PolicyDetail(PolicyItem):
    """One policy with what its version in force says."""

    policy: dict[str, Any]


class PolicyVersion(BaseModel):
    """One published version; it never changes."""

    version: int
    policy: dict[str, Any]
    digest: str
    comment: str | None
    published_by: str
    published_at: str


class PolicyVersions(BaseModel):
    """Every version, the newest first."""

    results: list[PolicyVersion]
