"""Recorded evaluations, with the counts that another policy needs filled in from the rows before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from ipse.decision.policy.comparison import Recorded
from ipse.decision.policy.evaluation import tallies_of
from ipse.decision.policy.model import Facts, Policy, Subject, Tally
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import NotFound
from ipse.runtime.application import Application, Mode
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.sessions.view import timestamp
from ipse.step_up import policies
from ipse.storage.tables import ApplicationRow, EvaluationRow

_MODES: Final = frozenset(mode.value for mode in Mode)


@dataclass(frozen=True, slots=True)
class Found:
    """The evaluations, oldest first, and the policy that answers now."""

    evaluations: Sequence[Recorded]
    current: Policy


async def read(
    services: Services, application: str, policy: Policy, *, since: datetime | None, most: int
) -> Found | None:
    """Read the latest ``most`` evaluations of an application; None where there is no such application.

    ``application`` is an id, or ``sandbox`` or ``live`` for the first of that mode. An evaluation that was recorded
    without facts, because the policy had failed, is left out: nothing can be said about it.
    """
    try:
        named = (
            ApplicationRow.mode == application if application in _MODES else ApplicationRow.id == as_uuid(application)
        )
    except NotFound:
        return None
    async with services.database.reading() as tx:
        row = await tx.scalar(select(ApplicationRow).where(named).order_by(ApplicationRow.created_at).limit(1))
        if row is None:
            return None
        scope = Scope(tx, Application.of(row), services)
        current = (await policies.in_force(scope, None)).policy
        tallies = sorted(tallies_of(policy) | tallies_of(current), key=lambda tally: tally.key)
        query = select(EvaluationRow).where(EvaluationRow.application_id == scope.application_id)
        if since is not None:
            query = query.where(EvaluationRow.evaluated_at >= since)
        rows = (await tx.scalars(query.order_by(EvaluationRow.evaluated_at.desc(), EvaluationRow.id).limit(most))).all()
        return Found([await _recorded(scope, row, tallies) for row in reversed(rows) if row.facts], current)


async def _recorded(scope: Scope, row: EvaluationRow, tallies: Sequence[Tally]) -> Recorded:
    return Recorded(
        id=row.id,
        evaluated_at=timestamp(row.evaluated_at),
        vendor_data=row.vendor_data,
        answer=row.answer,
        reasons=tuple(str(reason.get("reason")) for reason in row.reasons),
        facts=await _with_counts(scope, row, tallies),
    )


async def _with_counts(scope: Scope, row: EvaluationRow, tallies: Sequence[Tally]) -> Facts:
    """What was recorded wins; a count nobody asked for then is made from the rows that lie before this one."""
    counts: dict[str, Any] = dict(row.facts.get("velocity", {}))
    for tally in tallies:
        whose = _whose(row, tally.subject)
        if tally.key in counts or whose is None:
            continue
        query = select(func.count()).where(
            EvaluationRow.application_id == scope.application_id,
            whose,
            EvaluationRow.evaluated_at > row.evaluated_at - timedelta(minutes=tally.minutes),
            EvaluationRow.evaluated_at < row.evaluated_at,
        )
        if tally.action_type is not None:
            query = query.where(EvaluationRow.action_type == tally.action_type)
        counts[tally.key] = await scope.tx.scalar(query) or 0
    return {**row.facts, "velocity": counts}


def _whose(row: EvaluationRow, subject: Subject) -> ColumnElement[bool] | None:
    """Rows of the same subject; None where the evaluation has none."""
    column, value = {
        Subject.USER: (EvaluationRow.vendor_data, row.vendor_data),
        Subject.DEVICE: (EvaluationRow.device_id, row.device_id),
        Subject.IP: (EvaluationRow.ip, row.ip),
        Subject.PAYEE: (EvaluationRow.payee_key, row.payee_key),
    }[subject]
    return None if value is None else column == value
