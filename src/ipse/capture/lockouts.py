"""Lock-out where faces are shown: who tries from which device, the refusal, and what a finished attempt counts."""

from __future__ import annotations

from collections.abc import Mapping

from ipse.capture import device_reports, options
from ipse.capture.authentication import Device
from ipse.capture.circumstances import RequestFacts
from ipse.capture.progress import Progress
from ipse.decision.evaluation import Awaiting
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode
from ipse.decision.reports import Report
from ipse.lockout import service as lockout
from ipse.lockout.outcomes import outcome_of
from ipse.lockout.service import Trial
from ipse.runtime.scope import Scope
from ipse.sessions import lifecycle
from ipse.webhooks import service as webhooks


async def admit(
    scope: Scope, device: Device, progress: Progress, request: RequestFacts, *, settling: bool = False
) -> Trial | None:
    """Refuse whoever must wait; otherwise name the attempt.

    Raises:
        LockedOut: with the way without biometrics that the workflow offers.
    """
    session = progress.session
    facts = device_reports.facts_of(session, device_reports.holder_of(device), request.headers)
    trial = await lockout.trial_of(scope, vendor_data=session.vendor_data, device=facts, ip=request.ip)
    await lockout.require_allowed(scope, trial, lambda: _other_way(progress), settling=settling)
    return trial


def attempts_of(progress: Progress) -> dict[str, int]:
    """How often each step was tried, to tell afterwards which ones a submission reached."""
    return {node_id: row.attempt for node_id, row in progress.rows.items()}


async def settle(scope: Scope, progress: Progress, trial: Trial | None, before: Mapping[str, int]) -> None:
    """Count what came of a submission; tell the integrator's systems when it locks the person out.

    The contract has no event of its own for that: it is a ``data.updated`` of the session with ``trigger: lockout``.
    """
    session = progress.session
    reached = [row for node_id, row in progress.rows.items() if row.attempt != before.get(node_id, 0)]
    outcome = outcome_of(Report.from_json(row.report) for row in reached)
    lock = await lockout.settle(scope, trial, session.id, outcome, compares=_compares(progress))
    if lock is None:
        return
    payload = await lifecycle.session_payload(
        scope, session, trigger="lockout", changed_fields=["lockout"], lockout=lockout.told_of(lock)
    )
    await webhooks.record_event(
        scope,
        session_id=session.id,
        session_version=session.version,
        webhook_type="data.updated",
        status=session.status,
        payload=payload,
    )


def _compares(progress: Progress) -> bool:
    nodes = progress.version.graph.nodes.values()
    return any(isinstance(node, FeatureNode) and node.feature is Feature.FACE_MATCH for node in nodes)


def _other_way(progress: Progress) -> str | None:
    evaluation = progress.evaluation()
    return (
        options.alternative_url(progress.version.graph, evaluation.node) if isinstance(evaluation, Awaiting) else None
    )
