"""Deleting sessions: their media and faces are destroyed first, then what pointed at them.

The order matters: rows are what lets us find the blobs. The number stays taken, and lists, decisions and
links answer 404 from the moment of the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from ipse.edge.errors import FieldErrors
from ipse.faces import erasure as faces
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.sessions import service
from ipse.storage.tables import (
    CaptureRow,
    ChallengeRow,
    HandoffRow,
    ReportRow,
    ReviewRow,
    SessionRow,
    SessionSignalsRow,
    SightingRow,
    VerdictRow,
)
from ipse.webhooks import service as webhooks

_OWNED = (
    ReportRow,
    CaptureRow,
    ChallengeRow,
    HandoffRow,
    ReviewRow,
    SessionSignalsRow,
    SightingRow,
    VerdictRow,
)
"""Tables whose rows belong to one session."""


async def delete_one(scope: Scope, session_id: str) -> None:
    """Delete one session; 404 when it does not exist (any more)."""
    await _destroy(scope, await service.get(scope, session_id, lock=True))


async def delete_many(scope: Scope, numbers: Sequence[int | str] | None, *, everything: bool) -> None:
    """Delete by session number; unknown numbers are skipped."""
    query = select(SessionRow).where(SessionRow.application_id == scope.application_id, SessionRow.deleted_at.is_(None))
    if not everything:
        query = query.where(SessionRow.session_number.in_(_numbers(numbers)))
    for row in await scope.tx.scalars(query.with_for_update()):
        await _destroy(scope, row)


def _numbers(given: Sequence[int | str] | None) -> list[int]:
    if not given:
        raise FieldErrors({"session_numbers": ["Name at least one session number, or send delete_all: true."]})
    texts = [str(number) for number in given]
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
        raise FieldErrors({"session_numbers": ["Session numbers are digits only."]})
    return [int(text) for text in texts]


async def _destroy(scope: Scope, row: SessionRow) -> None:
    await faces.forget_session(scope, row.id)
    await media.erase_session(scope, row.id)
    await webhooks.forget_session(scope, row.id)
    for table in _OWNED:
        await scope.tx.execute(delete(table).where(table.session_id == row.id))
    row.deleted_at = scope.services.clock.now()
    row.token_hash = row.token_sealed = row.vendor_data = row.user_id = None
    row.action = row.action_hash = row.evaluation_id = None
    row.session_metadata = row.expected_details = row.contact_details = row.callback = None
    row.reference_face_id = row.resubmission = row.status_override = None
    row.trace, row.evidence, row.experiments = [], {}, {}
    await scope.tx.flush()
