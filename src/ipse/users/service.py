"""What happens to users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from ipse.audit.service import record
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import NotFound
from ipse.lists import service as lists
from ipse.privacy import erasure
from ipse.runtime.scope import Scope
from ipse.storage.tables import ErasureReceiptRow, UserRow
from ipse.users import repository
from ipse.users.errors import BlockedUser, NothingSelected, UserExists
from ipse.users.schemas import Deletion, UserCreate, UserPatch, UserStatus
from ipse.webhooks.service import record_event

MOST_COMMENTS = 200
"""History kept on a user; older entries drop out."""

_NAMES = ("full_name", "display_name")
_COLUMNS = (*_NAMES, "date_of_birth", "status")
_DETAILS = ("metadata", "approved_emails", "approved_phones")


_STATUS_ACTS: Final = {UserStatus.BLOCKED: "user.blocked", UserStatus.ACTIVE: "user.made_active"}


async def ensure_user(scope: Scope, vendor_data: str, *, refuse_blocked: bool = True) -> UserRow:
    """Return the user of a ``vendor_data``, created now if this is the first time it is seen.

    Raises:
        BlockedUser: the user is blocked and ``refuse_blocked`` is set.
    """
    row = await repository.find(scope, vendor_data)
    if row is None:
        fresh = _new_row(scope, vendor_data)
        row = fresh if await repository.insert(scope, fresh) else await repository.find(scope, vendor_data)
        assert row is not None
    if refuse_blocked and row.status == UserStatus.BLOCKED:
        raise BlockedUser
    return row


async def get(scope: Scope, vendor_data: str) -> UserRow:
    """The user, or 404."""
    row = await repository.find(scope, vendor_data)
    if row is None:
        raise NotFound
    return row


async def get_by_id(scope: Scope, user_id: str) -> UserRow:
    """The user of a ``didit_internal_id``, or 404."""
    row = await repository.find_by_id(scope, as_uuid(user_id))
    if row is None:
        raise NotFound
    return row


async def create(scope: Scope, body: UserCreate) -> UserRow:
    """Create a user before the first session.

    Raises:
        UserExists: the ``vendor_data`` is taken.
    """
    row = _new_row(scope, body.vendor_data)
    _write(row, body.model_dump(mode="json"))
    if await repository.find(scope, body.vendor_data) is not None or not await repository.insert(scope, row):
        raise UserExists
    await _record(scope, "user.created", row)
    return row


async def change(scope: Scope, row: UserRow, patch: UserPatch) -> None:
    """Apply what was sent, and tell the integrator's systems what changed."""
    before = _readable(row)
    _write(row, patch.model_dump(mode="json", exclude_unset=True))
    after = _readable(row)
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    row.updated_at = scope.services.clock.now()
    await _record(scope, "user.updated", row, changed_fields=changed)
    await scope.tx.flush()
    if not set(changed).isdisjoint(_NAMES):
        await repository.names_changed(scope, row)
    await record_event(
        scope,
        session_id=None,
        session_version=None,
        webhook_type="user.data.updated",
        status=None,
        payload={
            **_subject(row),
            "changed_fields": changed,
            "changes": {name: {"previous": before[name], "current": after[name]} for name in changed},
        },
    )


async def change_status(scope: Scope, row: UserRow, status: UserStatus) -> None:
    """Set the status, write it into the history and tell the integrator's systems. The same status is no change.

    BLOCKED puts ``vendor_data`` on the system blocklist of users, leaving BLOCKED takes it off (contract 60 section 1).
    """
    previous = row.status
    if status == previous:
        return
    now = scope.services.clock.now()
    row.status = status.value
    row.updated_at = now
    note(
        scope,
        row,
        comment_type="STATUS_CHANGED",
        changed_fields=["status"],
        previous_status=previous,
        new_status=status.value,
    )
    if status is UserStatus.BLOCKED:
        await lists.block_user(scope, row.vendor_data)
    elif previous == UserStatus.BLOCKED:
        await lists.unblock_user(scope, row.vendor_data)
    await _record(scope, _STATUS_ACTS.get(status, "user.flagged"), row, previous=previous)
    await scope.tx.flush()
    await record_event(
        scope,
        session_id=None,
        session_version=None,
        webhook_type="user.status.updated",
        status=status.value,
        payload={**_subject(row), "status": status.value, "previous_status": previous},
    )


def note(
    scope: Scope,
    row: UserRow,
    *,
    comment_type: str,
    changed_fields: Sequence[str],
    comment: str | None = None,
    previous_status: str | None = None,
    new_status: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Add an entry to the history of a user; the oldest drop out beyond :data:`MOST_COMMENTS`."""
    entry = {
        "uuid": scope.services.identifiers.uuid(),
        "comment_type": comment_type,
        "comment": comment,
        "actor_email": scope.actor.email,
        "actor_name": scope.actor.display,
        "previous_status": previous_status,
        "new_status": new_status,
        "previous_value": None,
        "new_value": None,
        "changed_fields": list(changed_fields),
        "metadata": metadata,
        "mentioned_emails": [],
        "created_at": scope.services.clock.now().isoformat(),
    }
    row.details = {**row.details, "comments": [*row.details.get("comments", []), entry][-MOST_COMMENTS:]}


async def delete(scope: Scope, selection: Deletion) -> Sequence[ErasureReceiptRow]:
    """Delete users for good, with their sessions and everything else about them; return a receipt for each.

    Blocks stay: they are values on a list, and whoever was blocked would otherwise return by being deleted.

    Raises:
        NothingSelected: neither a list nor ``delete_all``.
    """
    if not selection.delete_all and not selection.vendor_data_list:
        raise NothingSelected
    rows = await repository.selected(scope, None if selection.delete_all else selection.vendor_data_list)
    found = [await erasure.erase_user(scope, row.vendor_data) for row in rows]
    return [receipt for receipt in found if receipt is not None]


async def _record(scope: Scope, act: str, row: UserRow, **details: Any) -> None:
    """Fields by name only; what they hold stands in the user and goes with it."""
    await record(scope, act, object_type="user", object_id=row.id, vendor_data=row.vendor_data, details=details)


def _new_row(scope: Scope, vendor_data: str) -> UserRow:
    now = scope.services.clock.now()
    return UserRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        vendor_data=vendor_data,
        status=UserStatus.ACTIVE.value,
        details={},
        issuing_states=[],
        created_at=now,
        updated_at=now,
    )


def _write(row: UserRow, values: dict[str, Any]) -> None:
    for name in _COLUMNS:
        if name in values:
            setattr(row, name, values[name])
    if "issuing_states" in values:
        row.issuing_states = values["issuing_states"] or []
    details = {name: values[name] for name in _DETAILS if name in values}
    if details:
        row.details = {**row.details, **details}


def _readable(row: UserRow) -> dict[str, Any]:
    """The fields a patch can change, as events show them."""
    columns = {name: getattr(row, name) for name in _COLUMNS}
    columns["issuing_states"] = row.issuing_states or []
    return {**columns, **{name: row.details.get(name) or ({} if name == "metadata" else []) for name in _DETAILS}}


def _subject(row: UserRow) -> dict[str, Any]:
    return {"vendor_data": row.vendor_data, "didit_internal_id": row.id}


def birthday(row: UserRow) -> date | None:
    """The date of birth as a date."""
    return date.fromisoformat(row.date_of_birth) if row.date_of_birth else None


def history(row: UserRow) -> Sequence[dict[str, Any]]:
    """The history, newest entry first."""
    return list(reversed(row.details.get("comments", [])))
