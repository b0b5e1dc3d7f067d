"""What is known about a session when its workflow is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ipse.decision.reports import Report
from ipse.decision.values import JsonObject


@dataclass(frozen=True)
class Evidence:
    """Finished reports by node id, and the context of the session.

    ``context`` holds the objects that rules may address by their first segment: ``session``,
    ``metadata``, ``expected_details``, ``contact_details`` and ``reference`` (see ``fields``).
    """

    reports: Mapping[str, Report] = field(default_factory=dict)
    context: JsonObject = field(default_factory=dict)
