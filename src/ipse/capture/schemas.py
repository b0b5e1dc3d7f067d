"""What a capture page or native app reads and writes. Ours, not the contract's; documented in docs/capture.md."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from ipse.decision.statuses import SessionStatus


class CaptureStep(BaseModel):
    """What the person does next."""

    node_id: str
    feature: str
    label: str | None
    method: Literal["PASSIVE", "ACTIVE_3D", "FLASHING"] | None = Field(description="For steps that show a face.")
    needs: list[Literal["selfie_frames"]]
    frames_min: int
    frames_max: int
    attempt: int = Field(ge=1)
    attempts_left: int = Field(ge=0, description="Including the coming one.")


class CaptureState(BaseModel):
    """Where a session stands, as far as the person in front of the camera may know. Never a score."""

    session_id: str
    status: SessionStatus
    environment: Literal["live", "sandbox"]
    application: str
    action: JsonValue | None = Field(description="The metadata of the session: what is being authorised.")
    language: str | None
    callback: str | None
    callback_method: Literal["initiator", "completer", "both"]
    expires_at: str
    step: CaptureStep | None = Field(description="The next step, or null when there is nothing left to do.")
    outcome: Literal["none", "accepted", "retry", "finished"] = Field(
        description="Of the latest submission: accepted = go on with `step`; retry = the same step again, change "
        "what `hints` say; finished = the session is decided."
    )
    hints: list[str] = Field(description="What the person can change, most helpful first, as stable codes.")
