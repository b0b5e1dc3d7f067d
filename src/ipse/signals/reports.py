"""Signals of the reports that a session has so far."""

from __future__ import annotations

from collections.abc import Iterable

from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.values import JsonValue
from ipse.signals.liveness import of_liveness
from ipse.signals.match import of_face_match, of_search


def of_reports(reports: Iterable[Report]) -> dict[str, JsonValue]:
    """Every signal of the reports, a later one of the same feature over an earlier one."""
    values: dict[str, JsonValue] = {}
    for report in reports:
        match report.feature:
            case Feature.LIVENESS | Feature.AGE_ESTIMATION:
                values |= of_liveness(report)
                values |= of_search(report)
            case Feature.FACE_MATCH:
                values |= of_face_match(report)
            case _:
                pass
    return values
