"""Is a face needed for this action? Facts are gathered, the policy is evaluated, the answer is recorded.

Whatever goes wrong on the way answers ``step_up`` with the reason ``policy_failed`` (decision 0013): a database that
is late or broken, a policy that cannot be read, a fault in the program. Only bad input is refused.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog
from sqlalchemy import insert

from ipse.decision.policy.evaluation import evaluate
from ipse.decision.policy.model import Answer, Facts, Outcome, Reason
from ipse.decision.policy.shipped import default_policy
from ipse.devices import service as devices
from ipse.edge.authentication import Caller
from ipse.edge.errors import ApiError
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.sessions.schemas import CreateSession
from ipse.sessions.view import timestamp
from ipse.step_up import policies
from ipse.step_up.circumstances import gather, look, risk_of
from ipse.step_up.evaluation_schemas import Evaluate
from ipse.step_up.policies import InForce
from ipse.step_up.policy_errors import UnknownPolicy
from ipse.storage.sealed import sealed_columns, vault_of
from ipse.storage.tables import EvaluationRow
from ipse.workflows import service as workflows

log = structlog.get_logger(__name__)

DEADLINE_S: Final = 5.0
"""How long an answer may take before it is ``step_up``: callers ask while a person waits."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An answer and what it rests on."""

    answer: Answer
    policy: InForce | None = None
    facts: Facts = field(default_factory=dict)
    risk: dict[str, Any] = field(default_factory=dict)


async def answer(caller: Caller, body: Evaluate) -> dict[str, Any]:
    """Evaluate, record, and create the session where one was asked for and is needed.

    Raises:
        UnknownPolicy: the body names a policy that does not exist.
    """
    started = time.perf_counter()
    evaluation_id = caller.services.identifiers.uuid()
    try:
        async with asyncio.timeout(DEADLINE_S):
            decided = await _decide(caller, body, evaluation_id)
    except UnknownPolicy:
        raise
    except Exception as error:
        log.error("step_up.policy_failed", error=type(error).__name__, evaluation=evaluation_id, exc_info=error)
        decided = await _failed(caller, body, evaluation_id)
    workflow, session = None, None
    if decided.answer.outcome is Outcome.STEP_UP:
        workflow = await _workflow(caller, decided.answer.workflow)
        if body.create_session:
            decided, session = await _session(caller, body, evaluation_id, decided, workflow)
    chosen = decided.answer
    return {
        "evaluation_id": evaluation_id,
        "answer": chosen.outcome.value,
        "reasons": [reason.to_json() for reason in chosen.reasons],
        "rules": chosen.trace_json(),
        "method": None if chosen.method is None else chosen.method.value,
        "workflow": workflow,
        "session": session,
        "action_hash": body.action.hash,
        "policy": {
            "name": None if decided.policy is None else decided.policy.name,
            "version": None if decided.policy is None else decided.policy.version,
        },
        "risk": decided.risk,
        "evaluated_at": timestamp(caller.services.clock.now()),
        "timing_ms": round((time.perf_counter() - started) * 1000, 2),
    }


async def _decide(caller: Caller, body: Evaluate, evaluation_id: str) -> Decided:
    """Read first, in a transaction that keeps nobody waiting; count, decide and record in one that writes."""
    before = await caller.read()
    policy = await policies.in_force(before, body.policy)
    known = await look(before, body, policy.policy, evaluation_id)
    await caller.unit.finish_reading()
    scope = await caller.begin()
    seen = await gather(scope, body, policy.policy, known, evaluation_id)
    chosen = evaluate(policy.policy, seen.facts)
    decided = Decided(chosen, policy, seen.facts, risk_of(known.network))
    device_id = await devices.remember(
        scope,
        vendor_data=body.vendor_data,
        device=known.device,
        network=known.network,
        evaluation_id=evaluation_id,
        known=seen.history,
    )
    await _record(scope, body, evaluation_id, decided, device_id, seen.payee_key, known.network.address)
    return decided


_RECORD: Final = insert(EvaluationRow.__table__)  # type: ignore[arg-type]
"""One evaluation, written without an object of it."""


async def _record(
    scope: Scope,
    body: Evaluate,
    evaluation_id: str,
    decided: Decided,
    device_id: str | None,
    payee_key: str | None,
    ip: str | None,
) -> None:
    """Keep the answer with its facts. An allowed action counts as carried out: nobody reports back on it."""
    now = scope.services.clock.now()
    action = body.action.value
    policy = decided.policy
    row = sealed_columns(
        EvaluationRow,
        {
            "id": evaluation_id,
            "application_id": scope.application_id,
            "evaluated_at": now,
            "vendor_data": body.vendor_data,
            "action_type": body.action.type,
            "action_hash": body.action.hash,
            "amount": action.get("amount"),
            "currency": action.get("currency"),
            "payee_key": payee_key,
            "device_id": device_id,
            "ip": ip,
            "facts": dict(decided.facts),
            "policy_id": None if policy is None else policy.id,
            "policy_version": None if policy is None else policy.version,
            "answer": decided.answer.outcome.value,
            "reasons": [reason.to_json() for reason in decided.answer.reasons],
            "completed_at": now if decided.answer.outcome is Outcome.ALLOW else None,
        },
        vault_of(scope.services.database.engine.dialect),
    )
    await scope.tx.execute(_RECORD, row)


async def _failed(caller: Caller, body: Evaluate, evaluation_id: str) -> Decided:
    """The answer where none could be found; it is recorded if the database still takes it."""
    reason = Reason("policy_failed", "policy_failed", "The policy could not be evaluated, so a face is needed.")
    band = default_policy().bands[-1]
    decided = Decided(Answer(Outcome.STEP_UP, (reason,), method=band.method, workflow=band.workflow))
    await caller.unit.rollback()
    try:
        async with asyncio.timeout(DEADLINE_S):
            scope = await caller.begin()
            await _record(scope, body, evaluation_id, decided, None, None, body.ip_address)
    except Exception as error:
        log.error("step_up.not_recorded", error=type(error).__name__, evaluation=evaluation_id)
        await caller.unit.rollback()
    return decided


async def _workflow(caller: Caller, name: str | None) -> dict[str, Any] | None:
    """The workflow to use; None where it is gone, which leaves the choice to the caller."""
    try:
        workflow_id = await workflows.published_id(await caller.begin(), name or "")
    except Exception as error:
        log.warning("step_up.workflow_missing", workflow=name, error=type(error).__name__)
        return None
    return {"uuid": workflow_id, "alias": None if name == workflow_id else name}


async def _session(
    caller: Caller, body: Evaluate, evaluation_id: str, decided: Decided, workflow: dict[str, Any] | None
) -> tuple[Decided, dict[str, Any] | None]:
    """Create the session; one that is refused leaves the answer as it is, with the refusal among its reasons."""
    if workflow is None:
        return decided, None
    wanted = CreateSession(
        workflow_id=workflow["uuid"],
        vendor_data=body.vendor_data,
        callback=body.callback,
        metadata=body.metadata,
        action=body.action,
    )
    scope = await caller.begin()
    try:
        async with scope.tx.begin_nested():
            created = await sessions.create(caller, wanted)
            row = await sessions.get(scope, created["session_id"])
            row.evaluation_id = evaluation_id
            evaluation = await scope.tx.get(EvaluationRow, evaluation_id)
            if evaluation is not None:
                evaluation.session_id = row.id
    except ApiError as error:
        reason = Reason("session_refused", "session_refused", f"No session was created: {_sentence(error)}")
        refused = replace(decided.answer, reasons=(*decided.answer.reasons, reason))
        return replace(decided, answer=refused), None
    return decided, created


def _sentence(error: ApiError) -> str:
    if isinstance(error.body, dict) and error.body:
        said = next(iter(error.body.values()))
        return str(said[0] if isinstance(said, list) and said else said)
    return "the request was refused."
