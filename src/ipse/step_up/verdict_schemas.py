"""Bodies and answers of the calls for verdicts (docs/step-up.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue

from ipse.step_up.action_field import ActionField
from ipse.step_up.tokens import MAX_TOKEN


class VerdictRequest(BaseModel):
    """Ask for the verdict of an approved session."""

    session_id: str = Field(max_length=64)


class VerdictAnswer(BaseModel):
    """A signed verdict. ``claims`` is what the token says, for reading; what counts is the token."""

    token: str
    expires_at: str
    claims: dict[str, JsonValue]


class RedeemRequest(BaseModel):
    """Use a verdict up for the action that is about to be executed."""

    token: str = Field(max_length=MAX_TOKEN)
    action: ActionField | None = Field(None, description="Left out for a session that has no action.")


class RedeemAnswer(BaseModel):
    """The verdict held and is used up now."""

    valid: Literal[True]
    claims: dict[str, JsonValue]
    evaluation_id: str | None = Field(description="The policy evaluation that asked for the face; it is completed now.")


class PublishedKeys(BaseModel):
    """JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, Any]]
