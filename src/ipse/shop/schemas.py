"""Bodies and answers of the demo shop's own calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue, StringConstraints

from ipse.capture.schemas import Method

Customer = Annotated[str, StringConstraints(pattern=r"^demo-[0-9a-f]{16}$")]
Who = Literal["same", "other"]


class StartTransfer(BaseModel):
    """A customer wants to send money."""

    customer: Customer = Field(description="As the enrolment answered it.")
    method: Method = "PASSIVE"


class ForgetCustomer(BaseModel):
    """A customer leaves, and nothing of them stays."""

    customer: Customer


class PlaySample(BaseModel):
    """Let the server play the person of a session with a sample face."""

    session: str = Field(max_length=64)
    who: Who = Field(description="`same`: the person that samples enrol; `other`: somebody else.")


class OpenedSession(BaseModel):
    """A session the shop has created."""

    session: str
    customer: str
    url: str
    curl: str = Field(description="The call that created it, for a terminal; the key is left to the environment.")


class PlayedSample(BaseModel):
    """What the capture API answered to the sample face."""

    status: str


class ArrivedEvent(BaseModel):
    """A webhook as it arrived, its signature verified."""

    status: str
    webhook_type: str
    headers: dict[str, str]
    body: str = Field(description="The bytes that were signed.")
    raw: bool = Field(description="The signature over the raw bytes holds.")
    canonical: bool = Field(description="The signature over the canonical JSON holds.")
    claims: dict[str, JsonValue] | None = Field(
        description="Of the verdict that the shop redeemed for the transfer; null for everything but its approval."
    )
    after_ms: float | None = Field(description="Since the sample face was submitted; null for a person's own camera.")


class ArrivedEvents(BaseModel):
    """Every webhook of a session so far, in the order of arrival."""

    events: list[ArrivedEvent]
