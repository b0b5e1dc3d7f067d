"""Destroying what audit entries say about somebody. The entries stay: that something was done, by which kind of actor,
when, and a commitment to the rest, which nobody can read any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import CursorResult, or_, update

from ipse.audit.service import object_tag, subject_tag
from ipse.runtime.scope import Scope
from ipse.storage.tables import AuditEntryRow

_AT_ONCE: Final = 500
"""Tags in one statement: SQLite takes 32,766 parameters, but plans long lists slowly."""


async def forget(scope: Scope, *, session_ids: Sequence[str] = (), vendor_data: str | None = None) -> int:
    """Destroy the content of the entries about these sessions and about this person; return how many.

    Of an act on several persons at once the entries of each person are their own. What is not yet flushed is.
    """
    await scope.tx.flush()
    tags = [object_tag(scope, "session", session_id) for session_id in session_ids]
    count = 0
    for start in range(0, len(tags), _AT_ONCE):
        count += await _destroy(scope, AuditEntryRow.object_tag.in_(tags[start : start + _AT_ONCE]))
    if vendor_data is not None:
        user = object_tag(scope, "user", vendor_data)
        subject = subject_tag(scope, vendor_data)
        count += await _destroy(scope, or_(AuditEntryRow.subject_tag == subject, AuditEntryRow.object_tag == user))
    return count


async def forget_application(scope: Scope) -> int:
    """Destroy the content of every entry of the application of ``scope``; return how many."""
    await scope.tx.flush()
    return await _destroy(scope)


async def _destroy(scope: Scope, *which: Any) -> int:
    result = await scope.tx.execute(
        update(AuditEntryRow)
        .where(AuditEntryRow.chain == scope.application_id, AuditEntryRow.details_sealed.is_not(None), *which)
        .values(details_sealed=None)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", result).rowcount
