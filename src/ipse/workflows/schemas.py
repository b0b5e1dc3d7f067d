"""Bodies and answers of the workflow calls (contract 20)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator

from ipse.decision.features import WORKFLOW_FEATURES

_FEATURE_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["feature"],
    "properties": {
        "feature": {"type": "string", "enum": sorted(WORKFLOW_FEATURES)},
        "config": {"type": ["object", "null"], "additionalProperties": True},
        "label": {"type": ["string", "null"], "maxLength": 100},
    },
}
FeatureList = Annotated[
    list[Any],
    Field(min_length=1, max_length=30),
    WithJsonSchema({"type": "array", "minItems": 1, "maxItems": 30, "items": _FEATURE_ITEM}),
]
_BLOCKED_SCHEMES = frozenset({"javascript", "data", "vbscript", "file"})


def _without_defaults(schema: dict[str, Any]) -> None:
    for described in schema["properties"].values():
        described.pop("default", None)


class WorkflowBody(BaseModel):
    """What POST takes. Flat flags of older clients and threshold names of the seeds are mapped too."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "workflow_label": "Step-up",
                    "features": [
                        {"feature": "LIVENESS", "config": {"face_liveness_method": "PASSIVE"}},
                        {"feature": "FACE_MATCH", "config": {"face_match_score_decline_threshold": 40}},
                    ],
                }
            ]
        },
    )

    workflow_label: Annotated[str, Field(min_length=1, max_length=50)] = "ID Verification"
    features: FeatureList = []
    """Ordered; required unless flat flags say what to run."""
    is_default: bool = False
    status: Literal["draft", "published"] = "published"
    is_white_label_enabled: bool = False
    is_desktop_allowed: bool = False
    max_retry_attempts: Annotated[int, Field(ge=0, le=10)] = 3
    retry_window_days: Annotated[int | None, Field(ge=1, le=365)] = 7
    session_expiration_time: Annotated[int, Field(ge=3600, le=2_419_200)] = 604_800
    face_liveness_max_attempts: Annotated[int, Field(ge=1, le=3)] = 3
    face_match_max_attempts: Annotated[int, Field(ge=1, le=3)] = 3
    callback_url: Annotated[str | None, Field(max_length=2048)] = None
    response_attributes: list[str] | None = None
    slug: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{1,63}$")] = None
    """Alias accepted as ``workflow_id`` when sessions are created; unique in the application."""

    @field_validator("callback_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        scheme, colon, rest = value.partition(":")
        if not colon or not rest or not scheme.isascii() or not scheme.replace("+", "a").replace("-", "a").isalnum():
            raise ValueError("Enter a URL with its scheme.")
        if scheme.lower() in _BLOCKED_SCHEMES:
            raise ValueError("This scheme is not allowed.")
        return value

    @property
    def sent(self) -> set[str]:
        """Names of the known keys that the client sent."""
        return self.model_fields_set & set(type(self).model_fields)

    @property
    def unknown(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.model_extra or {})


class WorkflowPatch(WorkflowBody):
    """What PATCH takes: the same keys, of which only those sent change anything."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class CreatedBy(BaseModel):
    """Who made a version."""

    name: str
    email: str | None
    type: Literal["user", "api_key"]


class WorkflowItem(BaseModel):
    """One version in a list."""

    uuid: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    workflow_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    workflow_label: str
    workflow_type: str | None
    is_default: bool
    is_archived: bool
    is_white_label_enabled: bool
    total_price: float
    min_price: float
    max_price: float
    features: str
    """Node names joined by " + "."""
    is_simple_workflow: bool
    is_editable: bool
    workflow_url: str
    max_retry_attempts: int
    retry_window_days: int | None
    session_expiration_time: int
    version: int
    status: Literal["draft", "published"]
    has_draft: bool
    created_by: CreatedBy | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    slug: str | None


class WorkflowDetail(WorkflowItem):
    """One version in full: the list's keys, the graph, and every setting as a flat key."""

    model_config = ConfigDict(extra="allow")

    workflow_graph: dict[str, Any]
    is_desktop_allowed: bool
    callback_url: str | None
    response_attributes: list[str] | None


class GraphBody(BaseModel):
    """A graph to store or to check."""

    graph: dict[str, Any]


class GraphAnswer(BaseModel):
    """A stored graph."""

    graph: dict[str, Any]


class Problem(BaseModel):
    """One thing that is wrong with a graph."""

    node_id: str | None
    code: str
    message: str


class GraphVerdict(BaseModel):
    """Whether a graph can be published."""

    is_valid: bool
    errors: list[Problem]


class BranchFieldsBody(BaseModel):
    """The branch node for which an editor wants fields, and its unsaved graph if it has one."""

    node_id: str
    graph: dict[str, Any] | None = None


class FieldLine(BaseModel):
    """One field that rules can address."""

    field: str
    type: str
    label: str
    feature: str | None
    operators: list[str]
    is_prefix: bool


class FieldList(BaseModel):
    """Fields in the order in which an editor offers them."""

    fields: list[FieldLine]
