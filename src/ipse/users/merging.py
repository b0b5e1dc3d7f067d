"""Two users that turn out to be one person: the history of one becomes that of the other, in one transaction.

The emptied user stays, so that its ``vendor_data`` still answers and says where the history went.
"""

from __future__ import annotations

from typing import Any, Final

from ipse.audit.service import record
from ipse.devices import service as devices
from ipse.runtime.scope import Scope
from ipse.storage.tables import UserRow
from ipse.users import moving, repository, service
from ipse.users.errors import MergedAlready, MergedElsewhere, SameUser, UnknownTarget
from ipse.users.schemas import UserStatus
from ipse.webhooks.service import record_event

_SEVERITY: Final = (UserStatus.ACTIVE, UserStatus.FLAGGED, UserStatus.BLOCKED)
_COLUMNS: Final = ("full_name", "display_name", "date_of_birth")
_LISTS: Final = ("approved_emails", "approved_phones")


async def merge(scope: Scope, vendor_data: str, into: str) -> UserRow:
    """Move everything of ``vendor_data`` to the user ``into``; return that user.

    Sessions, faces, evaluations, sightings and devices move. The profile of the target wins and is completed; the
    stricter of both statuses holds for it, so that nobody gets rid of a block by being merged.

    Raises:
        NotFound: no user has ``vendor_data``.
        UnknownTarget: no user has ``into``.
        SameUser: both are one.
        MergedElsewhere: ``into`` was itself merged into somebody.
        MergedAlready: there is nothing left to move.
    """
    source, target = await _both(scope, vendor_data, into)
    elsewhere = target.details.get("merged_into")
    if elsewhere is not None:
        raise MergedElsewhere(elsewhere)
    if source.details.get("merged_into") is not None and not await moving.has_history(scope, source):
        raise MergedAlready(source.details["merged_into"])
    moved = await _move(scope, source, target)
    _complete(scope, source, target)
    _note(scope, source, f"Merged into {target.vendor_data}.", {"merged_into": target.vendor_data, **moved})
    _note(
        scope, target, f"Took over the history of {source.vendor_data}.", {"merged_from": source.vendor_data, **moved}
    )
    source.details = {**source.details, "merged_into": target.vendor_data}
    await scope.tx.flush()
    await repository.names_changed(scope, target)
    for row in (source, target):  # an entry about each: both can be erased on their own
        await record(
            scope, "user.merged", object_type="user", object_id=row.id, vendor_data=row.vendor_data, details=moved
        )
    await _tell(scope, source, {"merged_into": target.vendor_data, "moved": moved})
    await _tell(scope, target, {"merged_from": source.vendor_data, "moved": moved})
    stricter = max(UserStatus(source.status), UserStatus(target.status), key=_SEVERITY.index)
    await service.change_status(scope, target, stricter)
    return target


async def _both(scope: Scope, vendor_data: str, into: str) -> tuple[UserRow, UserRow]:
    source, target = await service.get(scope, vendor_data), await repository.find(scope, into)
    if target is None:
        raise UnknownTarget
    if source.id == target.id:
        raise SameUser
    rows = {row.id: row for row in await moving.locked(scope, [source.id, target.id])}
    if len(rows) < 2:  # deleted by another request since
        raise UnknownTarget
    return rows[source.id], rows[target.id]


async def _move(scope: Scope, source: UserRow, target: UserRow) -> dict[str, int]:
    now = scope.services.clock.now()
    await devices.move_user(scope, source, target)
    return {
        "sessions": await moving.move_sessions(scope, source, target),
        "faces": await moving.move_faces(scope, source, target, now),
        "evaluations": await moving.move_evaluations(scope, source, target),
    }


def _complete(scope: Scope, source: UserRow, target: UserRow) -> None:
    """Fill what the target does not say of itself; lists become one, in their order."""
    for name in _COLUMNS:
        if getattr(target, name) is None:
            setattr(target, name, getattr(source, name))
    details: dict[str, Any] = {**target.details}
    for name in _LISTS:
        details[name] = list(dict.fromkeys([*(details.get(name) or []), *(source.details.get(name) or [])]))
    target.issuing_states = list(dict.fromkeys([*target.issuing_states, *source.issuing_states]))
    details["metadata"] = {**(source.details.get("metadata") or {}), **(details.get("metadata") or {})}
    target.details = details
    target.updated_at = source.updated_at = scope.services.clock.now()


def _note(scope: Scope, row: UserRow, comment: str, metadata: dict[str, Any]) -> None:
    service.note(
        scope, row, comment_type="PROFILE_UPDATED", comment=comment, changed_fields=["history"], metadata=metadata
    )


async def _tell(scope: Scope, row: UserRow, what: dict[str, Any]) -> None:
    await record_event(
        scope,
        session_id=None,
        session_version=None,
        webhook_type="user.data.updated",
        status=None,
        payload={
            "vendor_data": row.vendor_data,
            "didit_internal_id": row.id,
            "changed_fields": ["history"],
            "changes": {},
            **what,
        },
    )
