"""Bodies and answers of the adapter in the shape of an SMS service (docs/step-up.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from ipse.sessions.schemas import MAX_VENDOR_DATA, CallbackUrl, Language
from ipse.step_up.action_field import ActionField
from ipse.step_up.verdict_schemas import VerdictAnswer


class OtpStart(BaseModel):
    """Ask for a face where an SMS would have been sent."""

    vendor_data: str = Field(min_length=1, max_length=MAX_VENDOR_DATA, description="Your own id of the person.")
    action: ActionField | None = None
    workflow: str | None = Field(None, max_length=64, description="As `workflow_id` of a session; `wf_ato_step_up`.")
    callback: CallbackUrl | None = None
    locale: Language | None = None


class OtpStarted(BaseModel):
    """Send the person to ``url``; they come back with a code of eight digits."""

    id: str
    url: str
    status: Literal["pending"]
    expires_at: str
    channel: Literal["face"]
    session_id: str
    action_hash: str | None


class OtpCheck(BaseModel):
    """The code that the person entered."""

    id: str = Field(max_length=64, description="As start answered it.")
    code: str = Field(max_length=32, description="Eight digits; spaces do not matter.")


class OtpChecked(BaseModel):
    """`approved` is said once. A wrong code, or a person who is not done, is `pending`."""

    status: Literal["approved", "pending", "denied", "expired", "locked"]
    valid: bool
    verdict: VerdictAnswer | None = Field(description="Evidence for your records, used up already.")
