"""Replaying a session from the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ipse.decision.graph import WorkflowGraph
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import NotFound
from ipse.evidence import record, repository
from ipse.evidence.errors import EvidenceError, NothingRecorded
from ipse.evidence.record import Record
from ipse.evidence.replaying import Replayed, Standing, compare_under, graph_of, replay
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.storage.tables import SessionRow
from ipse.workflows import contents


@dataclass(frozen=True, slots=True)
class Pinned:
    """The workflow that decided a session, by content. ``graph`` and ``settings`` are as stored."""

    digest: str
    graph: Mapping[str, Any]
    settings: Mapping[str, Any]


@asynccontextmanager
async def scope_of(services: Services, session_id: str, *, writing: bool = False) -> AsyncIterator[Scope]:
    """A transaction in the application of a session, for an operator at the command line.

    Raises :class:`EvidenceError` where no application has the session.
    """
    try:
        wanted = as_uuid(session_id)
    except NotFound as error:
        raise EvidenceError(f"{session_id} is no session id.") from error
    async with services.database.writing() if writing else services.database.reading() as tx:
        row = await repository.owner(tx, wanted)
        if row is None:
            raise EvidenceError(f"There is no session {wanted}.")
        yield Scope(tx, Application.of(row), services, SYSTEM)


async def replay_session(scope: Scope, session: SessionRow) -> Replayed:
    """Replay the decision of a session under its own workflow.

    Raises :class:`EvidenceError` where nothing was recorded, or the record or the workflow is gone or unreadable.
    """
    kept = read_record(scope, session)
    return replay(kept, graph_of((await pinned(scope, session)).graph), await standing(scope, session))


async def replay_under(scope: Scope, session: SessionRow, other: str | WorkflowGraph) -> Replayed:
    """Say what another workflow would have decided: a graph, or the number or the id of a stored version."""
    kept = read_record(scope, session)
    own = await replay_session(scope, session)
    graph = await _version(scope, session, other) if isinstance(other, str) else other
    return compare_under(kept, graph, own.rerun.outcome)


def content_of(scope: Scope, session: SessionRow) -> bytes:
    """The canonical JSON of the decision input. Raises :class:`NothingRecorded` and ``InvalidRecord``."""
    content = record.stored_in(scope.services.lookup, session.id, session.evidence)
    if content is None:
        raise NothingRecorded(
            f"Session {session.id} has no decision input: no check ran in it, or a release before 0.5 decided it."
        )
    return content


def read_record(scope: Scope, session: SessionRow) -> Record:
    """The decision input of a session; it must be its own."""
    kept = record.read(content_of(scope, session))
    if kept.session_id != session.id:
        raise EvidenceError(f"The decision input belongs to session {kept.session_id}.")
    return kept


async def pinned(scope: Scope, session: SessionRow) -> Pinned:
    """The content that the session pinned, with its digest checked. Raises :class:`EvidenceError`."""
    wanted = session.workflow_content
    row = await repository.workflow_content(scope, wanted) if wanted is not None else None
    if wanted is None or row is None:
        raise EvidenceError(f"The workflow that decided session {session.id} is not stored.")
    got = contents.digest(row.graph, row.settings)
    if got != wanted:
        raise EvidenceError(f"The stored workflow has SHA-256 {got}; the session pinned {wanted}.")
    return Pinned(wanted, row.graph, row.settings)


async def standing(scope: Scope, session: SessionRow) -> Standing:
    """What the store says of a session."""
    reports = await repository.reports_of(scope, session.id)
    reviews = await repository.reviews_of(scope, session.id)
    reopened = (session.resubmission or {}).get("nodes_to_resubmit", [])
    return Standing(
        status=session.status,
        steps={row.node_id: {"attempt": row.attempt, "final": row.final, "report": row.report} for row in reports},
        trace=session.trace,
        experiments=session.experiments,
        reviews=[
            {
                "activity_type": row.activity_type,
                "actor_type": row.actor_type,
                "previous_status": row.previous_status,
                "new_status": row.new_status,
                "changes": row.changes,
            }
            for row in reviews
        ],
        reopened=tuple(node["node_id"] for node in reopened),
        left=(session.evidence.get("left") or {}).get("reason"),
    )


async def _version(scope: Scope, session: SessionRow, named: str) -> WorkflowGraph:
    if named.isascii() and named.isdigit() and len(named) < 9:
        row = await repository.workflow_version(scope, session.workflow_id or "", int(named))
    else:
        try:
            row = await repository.workflow_version_by_id(scope, as_uuid(named))
        except NotFound:
            row = None
    if row is None:
        raise EvidenceError(f"{named} is neither a version of this workflow, nor the id of one, nor a file.")
    return graph_of(row.graph)
