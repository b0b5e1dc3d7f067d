"""Putting many values on a list at once: up to a million lines, streamed.

Lines are read and stored in batches of 5,000, each in a transaction of its own: memory stays bounded, and on SQLite
other requests write in between. An import that breaks off leaves whole batches behind; sending it again adds the rest,
because what is on the list already counts as a duplicate.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ipse.audit.service import record
from ipse.edge.authentication import Caller
from ipse.lists import blocking, repository, service
from ipse.lists.entries import MOST_USERS_OF_A_DEVICE, SHARED_DEVICE, guards_devices
from ipse.lists.errors import NotForFaces, UnreadableImport
from ipse.lists.import_lines import Line, LineReader, Read, lines_of, read
from ipse.lists.schemas import Imported, ImportProblem
from ipse.lists.values import EntryType
from ipse.runtime.scope import Scope
from ipse.storage.tables import ListRow

BATCH: Final = 5_000
MAX_LINES: Final = 1_000_000
MOST_PROBLEMS: Final = 20
"""Refused lines that the answer shows."""


@dataclass
class _Tally:
    lines: int = 0
    added: int = 0
    duplicates: int = 0
    refused: int = 0
    problems: list[ImportProblem] = field(default_factory=list)

    def refuse(self, number: int, reason: str) -> None:
        self.refused += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(ImportProblem(line=number, reason=reason))


async def run(caller: Caller, list_id: str, chunks: AsyncIterator[bytes], reader: LineReader) -> Imported:
    """Import the lines of a body and say what came of them.

    Raises:
        NotFound: the list is not the application's own.
        NotForFaces: the list is one of faces.
        UnreadableImport: a line is too long, or there are more than a million; whole batches before it are stored.
    """
    async with caller.unit.peek() as tx:
        row = await service.get(caller.within(tx), list_id)
    if row.entry_type == EntryType.FACE:
        raise NotForFaces
    tally, batch = _Tally(), list[Line]()
    async for line in lines_of(chunks):
        if line.number > MAX_LINES:
            await _take_in(caller, row, batch, reader, tally)
            raise UnreadableImport(
                f"At most {MAX_LINES:,} lines are read at once. Those are stored; send the others in another request."
            )
        batch.append(line)
        if len(batch) == BATCH:
            await _take_in(caller, row, batch, reader, tally)
            batch = []
    await _take_in(caller, row, batch, reader, tally)
    return Imported(
        lines=tally.lines,
        added=tally.added,
        duplicates=tally.duplicates,
        refused=tally.refused,
        problems=tally.problems,
    )


async def _take_in(caller: Caller, row: ListRow, batch: Sequence[Line], reader: LineReader, tally: _Tally) -> None:
    """Read a batch on a thread, because parsing a number takes its time, and store it."""
    if not batch:
        return
    entry_type = EntryType(row.entry_type)
    found = await asyncio.to_thread(lambda: [read(line, entry_type, reader) for line in batch])
    said = [one for one in found if one is not None]
    tally.lines += len(said)
    async with caller.services.database.writing() as tx:
        await _store(caller.within(tx), row.id, said, tally)


async def _store(scope: Scope, list_id: str, found: Sequence[Read], tally: _Tally) -> None:
    row = await service.get(scope, list_id, lock=True)
    values = list(dict.fromkeys(one.value for one in found if one.problem is None))
    known: set[str] = set()
    shared: set[str] = set()
    for start in range(0, len(values), repository.VALUES_PER_QUERY):
        some = values[start : start + repository.VALUES_PER_QUERY]
        await repository.forget_expired(scope, row.id, some)
        known |= await repository.known_values(scope, row.id, some)
        if guards_devices(row):
            shared |= await repository.shared_fingerprints(scope, some, MOST_USERS_OF_A_DEVICE)
    fresh: list[dict[str, Any]] = []
    for one in found:
        problem = one.problem or _problem(scope, one, shared)
        if problem is not None:
            tally.refuse(one.number, problem)
        elif one.value in known:
            tally.duplicates += 1
        else:
            known.add(one.value)
            fresh.append(_columns(scope, row, one))
    if fresh:
        await repository.insert_many(scope, fresh)
        await blocking.block(scope, row, [one["value"] for one in fresh])
        await record(
            scope,
            "list.imported",
            object_type="list",
            object_id=row.id,
            details={"entry_type": row.entry_type, "list_type": row.list_type, "added": len(fresh)},
        )
    tally.added += len(fresh)


def _problem(scope: Scope, one: Read, shared: set[str]) -> str | None:
    expires_at = one.remarks.expires_at if one.remarks is not None else None
    if expires_at is not None and expires_at <= scope.services.clock.now():
        return "expires_at: This moment has passed."
    return SHARED_DEVICE if one.value in shared else None


def _columns(scope: Scope, row: ListRow, one: Read) -> dict[str, Any]:
    assert one.remarks is not None
    return {
        "id": scope.services.identifiers.uuid(),
        "application_id": scope.application_id,
        "list_id": row.id,
        "entry_type": row.entry_type,
        "value": one.value,
        "display_label": one.remarks.display_label,
        "comment": one.remarks.comment,
        "details": one.remarks.metadata or {},
        "reference_session_id": None,
        "reference_object_id": None,
        "added_by": scope.actor.email or scope.actor.display,
        "created_at": scope.services.clock.now(),
        "expires_at": one.remarks.expires_at,
    }
