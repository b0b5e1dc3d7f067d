"""Deleting sessions: nothing of them is left but a receipt (``ipse.privacy.erasure``).

Lists, decisions and links answer 404 from the moment of the commit. The number stays taken: the application counts on.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from ipse.edge.errors import FieldErrors
from ipse.privacy import erasure
from ipse.runtime.scope import Scope
from ipse.sessions import service
from ipse.storage.tables import ErasureReceiptRow, SessionRow


async def delete_one(scope: Scope, session_id: str) -> ErasureReceiptRow:
    """Delete one session and return its receipt; 404 when it does not exist (any more)."""
    return await erasure.erase_session(scope, await service.get(scope, session_id, lock=True))


async def delete_many(scope: Scope, numbers: Sequence[int | str] | None, *, everything: bool) -> None:
    """Delete by session number; unknown numbers are skipped."""
    query = select(SessionRow).where(SessionRow.application_id == scope.application_id, SessionRow.deleted_at.is_(None))
    if not everything:
        query = query.where(SessionRow.session_number.in_(_numbers(numbers)))
    for row in (await scope.tx.scalars(query.order_by(SessionRow.id).with_for_update())).all():
        await erasure.erase_session(scope, row)


def _numbers(given: Sequence[int | str] | None) -> list[int]:
    if not given:
        raise FieldErrors({"session_numbers": ["Name at least one session number, or send delete_all: true."]})
    texts = [str(number) for number in given]
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
        raise FieldErrors({"session_numbers": ["Session numbers are digits only."]})
    return [int(text) for text in texts]
