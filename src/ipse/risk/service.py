"""What the three risk calls share: the frame, the score, and the status that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from typing import Final

from ipse.decision.statuses import FeatureStatus
from ipse.decision.warnings import RiskWarning, status_from_warnings
from ipse.edge.authentication import Caller
from ipse.intelligence.facts import Risk, RiskLevel, RiskPart, Source
from ipse.lists import service as lists
from ipse.risk.schemas import Body
from ipse.standalone.calls import warning_items

MAX_SCORE: Final = 100.0


def frame(caller: Caller, *, vendor_data: str | None, metadata: Mapping[str, object] | None) -> Body:
    """The fields around the result."""
    services = caller.services
    return {
        "request_id": services.identifiers.uuid(),
        "vendor_data": vendor_data,
        "metadata": metadata,
        "environment": caller.application.mode.value,
        "created_at": services.clock.now().astimezone(UTC).isoformat(timespec="microseconds"),
    }


def today(caller: Caller) -> date:
    """The date that the age of data is counted to."""
    return caller.services.clock.now().astimezone(UTC).date()


async def listed(caller: Caller, entry_type: str, values: Sequence[str]) -> tuple[str, ...]:
    """The types of lists that any of ``values`` stands on."""
    scope = await caller.read()
    return (await lists.types_of(scope, {entry_type: values})).get(entry_type, ())


def status_of(warnings: Iterable[RiskWarning], risk: Risk | None, *, is_known: bool = True) -> FeatureStatus:
    """What the warnings ask for. A high score, and what is not known, is looked at and never approved."""
    status = status_from_warnings(warnings)
    if status is FeatureStatus.APPROVED and (not is_known or risk is None or risk.level is RiskLevel.HIGH):
        return FeatureStatus.IN_REVIEW
    return status


def scored(
    risk: Risk | None,
    warnings: Iterable[RiskWarning],
    sources: Mapping[str, Source | None],
    missing: Sequence[str] = (),
) -> Body:
    """The fields of ``Scored``."""
    return {
        "score": None if risk is None else risk.score,
        "risk_level": None if risk is None else risk.level.value,
        "risk_parts": [] if risk is None else [_part(part) for part in risk.parts],
        "confidence": 0.0 if risk is None else risk.confidence,
        "sources": {fact: _source(source) for fact, source in sorted(sources.items()) if source is not None},
        "missing_data": list(missing),
        "warnings": warning_items(tuple(warnings)),
    }


def mismatch(claimed: str | None, found: str | None) -> bool | None:
    """Whether the claim is wrong; None where one side is not known."""
    return None if claimed is None or found is None else claimed != found


def _part(part: RiskPart) -> Body:
    return {"code": part.code, "points": part.points, "meaning": part.meaning}


def _source(source: Source) -> Body:
    return {
        "dataset": source.dataset,
        "version": source.version,
        "published": None if source.published is None else source.published.isoformat(),
        "age_days": source.age_days,
        "is_stale": source.is_stale,
    }
