"""How far a session has come: its workflow walked over the finished reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ipse.checks.steps import tries
from ipse.decision.config import CaptureMethod, parse_method
from ipse.decision.evaluation import Awaiting, Decided, evaluate
from ipse.decision.evidence import Evidence
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.signal_catalogue import nested
from ipse.decision.values import JsonValue
from ipse.runtime.scope import Scope
from ipse.sessions import repository, signals
from ipse.sessions.service import report_row
from ipse.signals.reports import of_reports
from ipse.storage.tables import ReportRow, SessionRow
from ipse.workflows.service import WorkflowVersion


@dataclass(slots=True)
class Progress:
    """The reports of a session in memory, kept in step with their rows."""

    session: SessionRow
    version: WorkflowVersion
    rows: dict[str, ReportRow] = field(default_factory=dict)
    signals: dict[str, JsonValue] = field(default_factory=dict)
    """Signals of everything but the reports, by code; :meth:`context` adds those of the reports."""

    @classmethod
    async def load(cls, scope: Scope, session: SessionRow, version: WorkflowVersion) -> Progress:
        """Read the rows of a session."""
        rows = await repository.reports_of(scope, session.id)
        known = await signals.stored(scope, session)
        return cls(session, version, {row.node_id: row for row in rows}, known)

    def evaluation(self) -> Awaiting | Decided:
        """Walk the workflow over what is finished."""
        reports = {node: Report.from_json(row.report) for node, row in self.rows.items() if row.final}
        evidence = Evidence(reports, self.context())
        return evaluate(self.version.graph, evidence, subject_key=self.session.vendor_data or self.session.id)

    def all_signals(self) -> dict[str, JsonValue]:
        """Every signal known so far, those of the latest reports included."""
        return {**self.signals, **of_reports(Report.from_json(row.report) for row in self.rows.values())}

    def context(self) -> dict[str, Any]:
        """The objects that rules may address beside the reports."""
        return {**_context_of(self.session), "signals": nested(self.all_signals())}

    def attempts_at(self, node_id: str) -> int:
        """Attempts already made at a step."""
        row = self.rows.get(node_id)
        return 0 if row is None else row.attempt

    def tries(self) -> int:
        """Submissions of a face that were judged so far."""
        return tries((Feature(row.feature), row.attempt) for row in self.rows.values())

    def latest_method(self, node_id: str) -> CaptureMethod | None:
        """How the face of the latest attempt at a step was captured; None before the first."""
        row = self.rows.get(node_id)
        return None if row is None else parse_method(Report.from_json(row.report).facts.get("method"))

    def put(self, scope: Scope, report: Report, *, final: bool) -> None:
        """Write the report of the next attempt over that of the one before."""
        row = self.rows.get(report.node_id)
        if row is None:
            row = report_row(self.session.id, report, len(self.rows), scope)
            row.attempt = 0
            scope.tx.add(row)
            self.rows[report.node_id] = row
        row.report = report.to_json()
        row.warnings = [warning.risk for warning in report.warnings]
        row.status = report.status.value
        row.attempt += 1
        row.final = final
        row.updated_at = scope.services.clock.now()

    def reopen(self, node_id: str) -> None:
        """Ask for a step again, its attempts still counting."""
        if node_id in self.rows:
            self.rows[node_id].final = False


def _context_of(session: SessionRow) -> dict[str, Any]:
    """What the session's own row tells to rules."""
    return {
        "session": {
            "vendor_data": session.vendor_data,
            "language": session.language,
            "environment": session.environment,
            "callback": session.callback,
        },
        "metadata": session.session_metadata,
        "expected_details": session.expected_details,
        "contact_details": session.contact_details,
        "action": session.action,
        "reference": {"kind": session.reference_kind},
    }
