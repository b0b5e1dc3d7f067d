"""Body and answer of ``POST /v3/step-up/evaluate/``."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from ipse.security.canonical_json import NotCanonical, canonical_bytes
from ipse.sessions.schemas import CallbackUrl, Metadata, SessionCreated
from ipse.step_up.action_field import ActionField

MOST_REPORT_BYTES = 32 * 1024
MOST_HEADERS = 64


def _address(text: str) -> str:
    """An address without zone and brackets; a port or a name is no address."""
    try:
        address = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError as error:
        raise ValueError("Send one IPv4 or IPv6 address.") from error
    return str(getattr(address, "ipv4_mapped", None) or address)


def _aware(moment: datetime) -> datetime:
    """A moment without an offset is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _small(report: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(canonical_bytes(report))
    except NotCanonical as error:
        raise ValueError(f"This is not a device report: {error}") from error
    if size > MOST_REPORT_BYTES:
        raise ValueError(f"A device report has at most {MOST_REPORT_BYTES // 1024} KiB.")
    return report


def _few(headers: dict[str, str]) -> dict[str, str]:
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"Send at most {MOST_HEADERS} headers.")
    return headers


Moment = Annotated[datetime, AfterValidator(_aware)]


class Device(BaseModel):
    """What is known of the person's device; the SDK collects it (docs/devices.md)."""

    model_config = ConfigDict(extra="ignore")

    persistent_id: str | None = Field(None, max_length=64)
    fingerprint: str | None = Field(None, max_length=64, description="SHA-256 in hexadecimal, or the SDK's hash.")
    report: Annotated[dict[str, Any], AfterValidator(_small)] | None = None


class Amount(BaseModel):
    """An amount in one currency."""

    amount: str = Field(max_length=40, pattern=r"^[0-9]{1,15}(\.[0-9]{1,8})?$")
    currency: str = Field(min_length=3, max_length=12, pattern="^[A-Za-z0-9]+$")


class Context(BaseModel):
    """What only the integrator knows. Moments are ISO 8601; what is left out counts as not known."""

    model_config = ConfigDict(extra="ignore")

    session_started_at: Moment | None = Field(None, description="When the person signed in to your service.")
    sim_changed_at: Moment | None = Field(None, description="When the person's SIM was last changed or swapped.")
    daily_limit: Amount | None = Field(None, description="The person's limit for 24 hours.")


class Evaluate(BaseModel):
    """An action that is about to be done, and who is about to do it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": {"type": "transfer", "amount": "1250.00", "currency": "EUR", "payee": "ACME GmbH"},
                    "vendor_data": "user-42",
                    "ip_address": "198.51.100.7",
                    "context": {"session_started_at": "2026-11-22T08:30:00Z"},
                    "create_session": True,
                }
            ]
        }
    )

    action: ActionField
    vendor_data: str = Field(min_length=1, max_length=256, description="Your own id of the person.")
    ip_address: Annotated[str, Field(max_length=64), AfterValidator(_address)] | None = Field(
        None, description="Address of the person, not of your server."
    )
    user_agent: str | None = Field(None, max_length=1024)
    headers: Annotated[dict[str, Annotated[str, Field(max_length=2048)]], AfterValidator(_few)] | None = Field(
        None, description="Headers of the person's request, such as accept-language and sec-ch-ua."
    )
    device: Device | None = None
    context: Context | None = None
    policy: str | None = Field(None, max_length=64, description="Name of a policy; the default one otherwise.")
    create_session: bool = Field(False, description="Where the answer is step_up, create the session at once.")
    callback: CallbackUrl | None = None
    metadata: Metadata | None = None


class EvaluationReason(BaseModel):
    """Why: the rule, a stable code, and a sentence."""

    rule: str
    reason: str
    message: str


class WorkflowToUse(BaseModel):
    """The workflow of the step-up."""

    uuid: str
    alias: str | None


class PolicyUsed(BaseModel):
    """Which policy answered; the shipped one has no version."""

    name: str | None
    version: int | None


class Evaluation(BaseModel):
    """The answer. ``rules`` is the trace: every rule that was tried, with both sides of each comparison."""

    evaluation_id: str
    answer: Literal["allow", "step_up", "deny"]
    reasons: list[EvaluationReason]
    rules: list[dict[str, JsonValue]]
    method: Literal["PASSIVE", "FLASHING", "ACTIVE_3D"] | None
    workflow: WorkflowToUse | None
    session: SessionCreated | None
    action_hash: str
    policy: PolicyUsed
    risk: dict[str, JsonValue]
    evaluated_at: str
    timing_ms: float
