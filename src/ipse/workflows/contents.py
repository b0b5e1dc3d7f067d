"""What a workflow version says, kept for ever under its digest.

The contract lets a PATCH change a published version in place. Sessions therefore pin the content, not the
version: what decides them cannot change after they were created, and a decision can be replayed from the digest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from ipse.decision.graph_json import read_graph
from ipse.runtime.scope import Scope
from ipse.storage.tables import WorkflowContentRow, WorkflowVersionRow
from ipse.workflows.versions import VersionStatus, WorkflowSettings, WorkflowVersion


def digest(graph: Any, settings: Any) -> str:
    """SHA-256 over both as JSON with sorted keys."""
    text = json.dumps({"graph": graph, "settings": settings}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def fix(scope: Scope, row: WorkflowVersionRow) -> None:
    """Record what a published version says now; drafts have no content that anybody could pin."""
    if row.status != VersionStatus.PUBLISHED:
        return
    row.content = digest(row.graph, row.settings)
    if await scope.tx.get(WorkflowContentRow, (scope.application_id, row.content)) is None:
        scope.tx.add(
            WorkflowContentRow(
                application_id=scope.application_id,
                digest=row.content,
                graph=row.graph,
                settings=row.settings,
                created_at=scope.services.clock.now(),
            )
        )
    await scope.tx.flush()


async def pinned(scope: Scope, version: WorkflowVersion, content: str | None) -> WorkflowVersion:
    """``version`` as it was when a session pinned ``content``."""
    if content is None or content == version.content:
        return version
    row = await scope.tx.get_one(WorkflowContentRow, (scope.application_id, content))
    return replace(
        version, content=content, graph=read_graph(row.graph), settings=WorkflowSettings.from_json(row.settings)
    )
