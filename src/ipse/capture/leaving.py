"""How a person leaves without finishing: for now, with a report, or by the way without biometrics.

Either device of a hand-off may do it. The report needs no proof of who reports: it stops an action, and whoever could
stop it wrongly holds the link and could as well leave the session alone.
"""

from __future__ import annotations

from dataclasses import replace

from ipse.capture import handoffs, options, service, view
from ipse.capture.authentication import Device
from ipse.capture.errors import NoOtherWay
from ipse.capture.progress import Progress
from ipse.capture.schemas import CaptureState, LeaveReason
from ipse.checks.registry import Need, needs
from ipse.decision.evaluation import Awaiting
from ipse.decision.graph import FeatureNode
from ipse.decision.reports import Report
from ipse.decision.statuses import Cause, FeatureStatus, SessionStatus, can_move
from ipse.decision.warnings import warn
from ipse.runtime.scope import Scope
from ipse.sessions import lifecycle, repository
from ipse.sessions.view import timestamp
from ipse.storage.tables import SessionRow

CANCELLED = "CANCELLED_BY_PERSON"
"""Entry of the audit trail; the session waits for the person until its link expires."""


async def leave(device: Device, reason: LeaveReason) -> CaptureState:
    """End or interrupt the session as the person asks.

    Raises :class:`ipse.capture.errors.AlreadyDecided`, LinkExpired, or NoOtherWay where none is offered.
    """
    scope = await device.begin()
    session, progress = await service.load(scope, device.session_id, lock=True)
    service.require_open(scope, session)
    match reason:
        case "cancelled":
            await _interrupt(scope, session)
        case "not_me":
            await _report(scope, device, session, progress)
        case "alternative":
            await _take_other_way(scope, device, session, progress)
    return await view.state(scope, device, session, progress, progress.evaluation())


async def _interrupt(scope: Scope, session: SessionRow) -> None:
    """Nothing is lost: the link goes on where the person stopped. A hand-off ends, so that either device can."""
    await handoffs.end_all(scope, session.id)
    trail = await repository.reviews_of(scope, session.id)
    if not trail or trail[-1].activity_type != CANCELLED:
        await repository.add_review(scope, session.id, CANCELLED)


async def _report(scope: Scope, device: Device, session: SessionRow, progress: Progress) -> None:
    await _open(scope, session)
    node = _step_of_the_face(progress)
    if node is not None:
        warning = warn("REPORTED_BY_PERSON", node.id, feature=node.feature)
        earlier = progress.rows.get(node.id)
        report = Report.from_json(earlier.report) if earlier else Report(node.feature, node.id, FeatureStatus.DECLINED)
        report = replace(report, status=FeatureStatus.DECLINED, warnings=(*report.warnings, warning))
        progress.put(scope, report, final=True)
    _note(scope, device, session, "not_me")
    await scope.tx.flush()
    comment = "The person reported that this action is not theirs."
    await lifecycle.change(scope, session, SessionStatus.DECLINED, Cause.REPORTED, comment=comment)


async def _take_other_way(scope: Scope, device: Device, session: SessionRow, progress: Progress) -> None:
    evaluation = progress.evaluation()
    awaited = evaluation.node if isinstance(evaluation, Awaiting) else None
    if awaited is None or options.alternative_url(progress.version.graph, awaited) is None:
        raise NoOtherWay
    await _open(scope, session)
    await handoffs.end_all(scope, session.id)
    _note(scope, device, session, "alternative")
    await scope.tx.flush()
    comment = "The person took the way without biometrics."
    if can_move(SessionStatus(session.status), SessionStatus.ABANDONED, Cause.LEFT):
        await lifecycle.change(scope, session, SessionStatus.ABANDONED, Cause.LEFT, comment=comment)
    else:  # a resubmitted session has no such exit (contract 10 section 4): its deadline ends it
        await repository.add_review(scope, session.id, "LEFT_BY_PERSON", comment=comment)


async def _open(scope: Scope, session: SessionRow) -> None:
    """A person who leaves from the first screen has opened the link."""
    if SessionStatus(session.status) is SessionStatus.NOT_STARTED:
        await lifecycle.change(scope, session, SessionStatus.IN_PROGRESS, Cause.OPENED)


def _step_of_the_face(progress: Progress) -> FeatureNode | None:
    """The step that would have shown the face: the report stands where a reviewer looks for its result."""
    evaluation = progress.evaluation()
    if not isinstance(evaluation, Awaiting):
        return None
    for node in (evaluation.node, *progress.version.graph.walk()):
        if isinstance(node, FeatureNode) and Need.SELFIE in needs(node.feature):
            row = progress.rows.get(node.id)
            if row is None or not row.final:
                return node
    return evaluation.node


def _note(scope: Scope, device: Device, session: SessionRow, reason: LeaveReason) -> None:
    now = timestamp(scope.services.clock.now())
    session.evidence = {**session.evidence, "left": {"reason": reason, "device": device.role, "at": now}}
