"""What a 1:N search means for a check: matches to show, and warnings about duplicates and lists.

Rules: contract 50 sections 2 and 8. A duplicate is the same face in an *approved* session of another
``vendor_data``; a blocklist beats an allowlist; an allowlist suppresses the warnings about duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ipse.decision.reports import Report
from ipse.decision.settings import DUPLICATE_CERTAIN, DUPLICATE_POSSIBLE
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import Action, RiskWarning, status_from_warnings, warn

APPROVED: Final = "Approved"


@dataclass(frozen=True)
class Bands:
    """Similarity percentages, 0-100, that separate nothing, possible and certain."""

    possible: float = DUPLICATE_POSSIBLE
    certain: float = DUPLICATE_CERTAIN


@dataclass(frozen=True)
class FaceHit:
    """One face of the 1:N gallery that resembles the probe; the contract's ``matches[]`` item (file 10 section 7).

    ``similarity_percentage`` is 0-100. ``verification_date`` is ISO 8601 with second precision and ``Z``. ``media_id``
    names the picture; whoever answers the request turns it into a signed link.
    """

    face_id: str
    similarity_percentage: float
    source: str
    session_id: str | None = None
    session_number: int | None = None
    vendor_data: str | None = None
    verification_date: str | None = None
    full_name: str | None = None
    status: str | None = None
    api_service: str | None = None
    media_id: str | None = None
    is_blocklisted: bool = False
    is_allowlisted: bool = False
    has_other_name: bool = False
    """Its person and the one searched for are both known by name, and the names differ (``checks.names``)."""
    has_other_birth_date: bool = False
    """Likewise for the dates of birth."""

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's match. ``match_image_url`` is null and ``media_id`` extra until the link is made."""
        details: JsonValue = None
        if self.full_name is not None:
            details = {"full_name": self.full_name, "document_type": None, "document_number": None}
        return {
            "session_id": self.session_id,
            "session_number": self.session_number,
            "similarity_percentage": self.similarity_percentage,
            "vendor_data": self.vendor_data,
            "verification_date": self.verification_date,
            "user_details": details,
            "match_image_url": None,
            "media_id": self.media_id,
            "status": self.status,
            "is_blocklisted": self.is_blocklisted,
            "is_allowlisted": self.is_allowlisted,
            "api_service": self.api_service,
            "source": self.source,
        }


@dataclass(frozen=True)
class MismatchActions:
    """What a workflow does about a duplicate under another name, or with another document or date of birth."""

    name: Action
    document: Action


def ordered(hits: Sequence[FaceHit]) -> tuple[FaceHit, ...]:
    """Blocklisted first, then allowlisted, then by falling similarity."""
    return tuple(
        sorted(hits, key=lambda hit: (not hit.is_blocklisted, not hit.is_allowlisted, -hit.similarity_percentage))
    )


def screening_warnings(
    hits: Sequence[FaceHit],
    node_id: str | None,
    *,
    bands: Bands | None = None,
    duplicate_action: Action | None = None,
    mismatch_actions: MismatchActions | None = None,
) -> tuple[RiskWarning, ...]:
    """Return at most one warning about a list and one about a duplicate, each for the strongest hit.

    With ``mismatch_actions`` a certain duplicate of somebody known under another name or date of birth adds warnings.
    """
    limits = bands or Bands()
    ranked = sorted(hits, key=lambda hit: -hit.similarity_percentage)
    found: list[RiskWarning] = []
    blocked = next((hit for hit in ranked if hit.is_blocklisted), None)
    if blocked is not None and blocked.similarity_percentage >= limits.possible:
        certain = blocked.similarity_percentage >= limits.certain
        code = "FACE_IN_BLOCKLIST" if certain else "POSSIBLE_FACE_IN_BLOCKLIST"
        found.append(warn(code, node_id, additional_data=_named("blocklisted", blocked)))
    if any(hit.is_allowlisted and hit.similarity_percentage >= limits.certain for hit in ranked):
        return tuple(found)
    twin = next((hit for hit in ranked if hit.status == APPROVED and not hit.is_blocklisted), None)
    if twin is not None and twin.similarity_percentage >= limits.possible:
        certain = twin.similarity_percentage >= limits.certain
        code = "DUPLICATED_FACE" if certain else "POSSIBLE_DUPLICATED_FACE"
        found.append(warn(code, node_id, action=duplicate_action, additional_data=_named("duplicated", twin)))
        if certain and mismatch_actions is not None:
            found += _mismatches(twin, node_id, mismatch_actions)
    return tuple(found)


def with_screening(
    report: Report,
    hits: Sequence[FaceHit],
    *,
    bands: Bands | None = None,
    duplicate_action: Action | None = None,
    mismatch_actions: MismatchActions | None = None,
) -> Report:
    """Return ``report`` with ``facts["matches"]`` and the screening's warnings; the status can only get worse."""
    found = screening_warnings(
        hits, report.node_id, bands=bands, duplicate_action=duplicate_action, mismatch_actions=mismatch_actions
    )
    return replace(
        report,
        status=worse(report.status, status_from_warnings(found)),
        warnings=(*report.warnings, *found),
        facts={**report.facts, "matches": [hit.to_json() for hit in ordered(hits)]},
    )


_SEVERITY: Final = {FeatureStatus.APPROVED: 0, FeatureStatus.IN_REVIEW: 1, FeatureStatus.DECLINED: 2}


def worse(a: FeatureStatus, b: FeatureStatus) -> FeatureStatus:
    """The more severe of two verdicts; a status that is no verdict (not finished, expired) stays."""
    if a not in _SEVERITY:
        return a
    return a if b not in _SEVERITY or _SEVERITY[a] >= _SEVERITY[b] else b


def _mismatches(twin: FaceHit, node_id: str | None, actions: MismatchActions) -> list[RiskWarning]:
    known = _named("duplicated", twin)
    found = []
    if twin.has_other_name:
        found.append(warn("DUPLICATED_FACE_NAME_MISMATCH", node_id, action=actions.name, additional_data=known))
    if twin.has_other_birth_date:
        found.append(warn("DUPLICATED_FACE_DOCUMENT_MISMATCH", node_id, action=actions.document, additional_data=known))
    return found


def _named(prefix: str, hit: FaceHit) -> dict[str, JsonValue]:
    return {
        f"{prefix}_session_id": hit.session_id,
        f"{prefix}_session_number": hit.session_number,
        "api_service": hit.api_service,
    }
