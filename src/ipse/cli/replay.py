"""``ipse replay``: decide a session again from what is stored, under its own workflow or another one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.failure import EXIT_NO, CommandError
from ipse.decision.graph import WorkflowGraph
from ipse.edge.errors import NotFound
from ipse.evidence import service
from ipse.evidence.errors import EvidenceError
from ipse.evidence.replaying import Replayed, graph_of
from ipse.sessions import service as sessions
from ipse.settings import Settings

_LONGEST: Final = 60
"""Characters of a value in the table; ``--json`` has all of them."""


def replay(session_id: str, workflow: str | None, *, as_json: bool) -> None:
    """Replay one session; exit with 1 when the decision is not the same."""
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    try:
        found = asyncio.run(_replay(settings, session_id, None if workflow is None else _named(workflow)))
    except EvidenceError as error:
        raise CommandError(str(error)) from error
    if as_json:
        output.print_json(_shown(found))
    else:
        _print(found, workflow)
    if not found.is_same:
        raise SystemExit(EXIT_NO)


def _named(workflow: str) -> str | WorkflowGraph:
    """The graph of a file (bare, or ``workflow.json`` of a pack), or the text for the database to look up."""
    file = Path(workflow)
    if not file.is_file():
        return workflow
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{workflow} is not readable JSON.") from error
    return graph_of(value.get("graph", value) if isinstance(value, dict) else value)


async def _replay(settings: Settings, session_id: str, workflow: str | WorkflowGraph | None) -> Replayed:
    services = await build_services(settings, load_faces=False)
    try:
        async with service.scope_of(services, session_id) as scope:
            session = await sessions.get(scope, session_id)
            if workflow is None:
                return await service.replay_session(scope, session)
            return await service.replay_under(scope, session, workflow)
    except NotFound as error:
        raise EvidenceError(f"There is no session {session_id}.") from error
    finally:
        await close_services(services)


def _print(found: Replayed, workflow: str | None) -> None:
    shown = found.rerun.outcome
    if workflow is not None or not found.is_same:
        rows = [(step["node_id"], step["node_type"], step["outcome"], step["next"] or "") for step in shown["trace"]]
        output.print_table(("node", "kind", "outcome", "next"), rows)
        output.say(f"Status: {shown['status'] or 'undecided, awaits ' + str(shown['awaits'])}")
        if found.rerun.unused:
            output.say(f"{found.rerun.unused} later requests were not needed: this workflow had decided before them.")
    if found.differences:
        header = ("place", "recorded", "replayed" if workflow is None else "would be")
        output.print_table(header, [(one.place, _text(one.recorded), _text(one.replayed)) for one in found.differences])
    for sentence in found.by_hand:
        output.say(sentence)
    if found.is_same:
        output.say(f"Same decision ({shown['status'] or 'none yet'}), sha256 {found.rerun.sha256}")
    elif workflow is None:
        output.say(f"Not the same decision: recorded sha256 {found.recorded_sha256}, replayed {found.rerun.sha256}")


def _shown(found: Replayed) -> dict[str, Any]:
    return {
        "same": found.is_same,
        "status": found.rerun.outcome["status"],
        "awaits": found.rerun.outcome["awaits"],
        "recorded_sha256": found.recorded_sha256,
        "replayed_sha256": found.rerun.sha256,
        "differences": [asdict(one) for one in found.differences],
        "by_hand": list(found.by_hand),
        "unused_requests": found.rerun.unused,
        "outcome": found.rerun.outcome,
    }


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
