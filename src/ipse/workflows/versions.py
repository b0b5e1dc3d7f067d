"""A workflow version as other packages see it: parsed, frozen, detached from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from ipse.decision.features import Feature
from ipse.decision.graph import WorkflowGraph
from ipse.decision.graph_json import read_graph
from ipse.decision.values import JsonValue
from ipse.storage.tables import WorkflowVersionRow


class VersionStatus(StrEnum):
    """Where a version stands. Deleted versions are kept for the sessions that run on them."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class WorkflowSettings:
    """Settings of a whole workflow; defaults and ranges are those of contract 20 section 2."""

    max_retry_attempts: int = 3
    """0-10 declined sessions before a person is blocked; 0 blocks after the first."""
    retry_window_days: int | None = 7
    """1-365 days over which declined sessions count; None counts all of them."""
    session_expiration_time: int = 604_800
    """Seconds from 3600 to 2419200."""
    is_white_label_enabled: bool = False
    is_desktop_allowed: bool = False
    callback: str | None = None
    response_attributes: JsonValue = None
    """Feature fields that decisions may show; None shows all."""

    def changed(self, values: Mapping[str, Any]) -> WorkflowSettings:
        """Return the settings with ``values`` put in; other keys are ignored."""
        return replace(self, **{key: value for key, value in values.items() if key in _SETTINGS})

    def to_json(self) -> dict[str, JsonValue]:
        """Return the settings as stored."""
        return {key: getattr(self, key) for key in _SETTINGS}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> WorkflowSettings:
        """Read stored settings; keys that an older release did not know take their default."""
        return cls().changed(stored)


_SETTINGS: Final = (
    "max_retry_attempts",
    "retry_window_days",
    "session_expiration_time",
    "is_white_label_enabled",
    "is_desktop_allowed",
    "callback",
    "response_attributes",
)


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    """One version, as a session pins it."""

    id: str
    """Version uuid."""
    workflow_id: str
    """The group's id, equal to the uuid of version 1."""
    version: int
    status: VersionStatus
    label: str
    workflow_type: str | None
    graph: WorkflowGraph
    settings: WorkflowSettings = field(default_factory=WorkflowSettings)
    content: str | None = None
    """Digest of graph and settings, which sessions pin; None for a draft."""

    @classmethod
    def of(cls, row: WorkflowVersionRow) -> WorkflowVersion:
        """Parse a row."""
        return cls(
            id=row.id,
            workflow_id=row.workflow_id,
            version=row.version,
            status=VersionStatus(row.status),
            label=row.label,
            workflow_type=row.workflow_type,
            graph=read_graph(row.graph),
            settings=WorkflowSettings.from_json(row.settings),
            content=row.content,
        )


_FACE_ONLY: Final = frozenset({Feature.LIVENESS, Feature.FACE_MATCH, Feature.IP_ANALYSIS, Feature.GEOLOCATION})
_SINGLE_PURPOSE: Final[Mapping[Feature, str]] = {
    Feature.AGE_ESTIMATION: "adaptive_age_verification",
    Feature.PROOF_OF_ADDRESS: "address_verification",
    Feature.QUESTIONNAIRE: "questionnaire_verification",
    Feature.EMAIL_VERIFICATION: "email_verification",
    Feature.PHONE_VERIFICATION: "phone_verification",
}


def workflow_type_of(features: tuple[Feature, ...]) -> str | None:
    """Return the ``workflow_type`` a straight list of features amounts to (contract 20 section 2)."""
    present = set(features)
    if any(feature.value.startswith("KYB_") for feature in present):
        return "kyb"
    if features and features[0] is Feature.AGE_ESTIMATION:
        return "adaptive_age_verification"
    if Feature.OCR in present:
        return "kyc"
    if Feature.LIVENESS in present and present <= _FACE_ONLY:
        return "biometric_authentication"
    if len(present) == 1:
        return _SINGLE_PURPOSE.get(features[0])
    return None
