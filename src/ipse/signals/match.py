"""Signals of a face match, and of the 1:N search beside a liveness check."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ipse.decision.reports import Report
from ipse.decision.values import JsonObject, JsonValue, as_number, items_of
from ipse.signals.paths import at, known, taken

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "match.reference_kind": "reference.kind",
        "match.reference_supplied_by": "reference.supplied_by",
        "match.reference_age_days": "reference.age_days",
    }
)


def of_face_match(report: Report) -> dict[str, JsonValue]:
    """Every signal of a FACE_MATCH report."""
    score = report.score
    decline = as_number(at(report.facts, "evidence.decline_threshold"))
    review = as_number(at(report.facts, "evidence.review_threshold"))
    reference = at(report.facts, "reference")
    return {
        **taken(report.facts, PATHS),
        **known(
            {
                "match.score": score,
                "match.decline_margin": None if score is None or decline is None else round(score - decline, 4),
                "match.review_margin": None if score is None or review is None else round(score - review, 4),
                "match.has_reference": reference is not None,
                "match.is_reference_from_session": None
                if reference is None
                else at(reference, "session_id") is not None,
                "match.is_first_use": any(w.risk == "REFERENCE_ENROLLED_ON_FIRST_USE" for w in report.warnings),
            }
        ),
    }


def of_search(report: Report) -> dict[str, JsonValue]:
    """Signals of the faces of other people that resemble this one; none where no search was made."""
    matches = at(report.facts, "matches")
    if matches is None:
        return {}
    hits = [hit for hit in items_of(matches) if isinstance(hit, Mapping)]
    free = [hit for hit in hits if not hit.get("is_blocklisted")]
    return {
        "duplicate.count": len(hits),
        "duplicate.users": len({str(hit["vendor_data"]) for hit in hits if hit.get("vendor_data") is not None}),
        "duplicate.best_similarity": _best(hits),
        "duplicate.approved_similarity": _best([hit for hit in free if hit.get("status") == "Approved"]),
        "duplicate.declined_similarity": _best([hit for hit in free if hit.get("status") == "Declined"]),
        "duplicate.blocklisted_similarity": _best([hit for hit in hits if hit.get("is_blocklisted")]),
        "duplicate.is_allowlisted": any(hit.get("is_allowlisted") for hit in hits),
    }


def _best(hits: list[JsonObject]) -> float:
    """The highest similarity (0-100); 0 without a hit."""
    return max((as_number(hit.get("similarity_percentage")) or 0.0 for hit in hits), default=0.0)
