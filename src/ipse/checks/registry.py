"""Which features this server can check, and what each needs before it can run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.warnings import warn


class Need(StrEnum):
    """What a check needs."""

    SELFIE = "selfie"
    """Frames of the person in front of the camera."""
    REFERENCE = "reference"
    """A face to compare with. The check runs without one too, and declines."""
    REQUEST = "request"
    """The address and the headers under which the person is connected; nothing to capture."""


CHECKS: Final[Mapping[Feature, frozenset[Need]]] = MappingProxyType(
    {
        Feature.LIVENESS: frozenset({Need.SELFIE}),
        Feature.FACE_MATCH: frozenset({Need.SELFIE, Need.REFERENCE}),
        Feature.AGE_ESTIMATION: frozenset({Need.SELFIE}),
        Feature.IP_ANALYSIS: frozenset({Need.REQUEST}),
    }
)
"""The features that have a check, and their needs."""


def has_check(feature: Feature) -> bool:
    """Whether this server can run ``feature``."""
    return feature in CHECKS


def needs(feature: Feature) -> frozenset[Need]:
    """What ``feature`` needs; nothing for a feature without a check."""
    return CHECKS.get(feature, frozenset())


def unavailable(feature: Feature, node_id: str) -> Report:
    """The report of a feature without a check: In Review, so that a missing check never approves anyone."""
    return report_from_warnings(
        feature,
        node_id,
        score=None,
        warnings=(warn("CHECK_NOT_AVAILABLE", node_id, feature=feature, additional_data={"feature": feature.value}),),
        facts={},
    )
