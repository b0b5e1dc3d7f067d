"""The blocklist of users: who stands on it has the status BLOCKED and gets no session.

A person is ACTIVE again once the entry is gone. The other direction, from status to list, is that of ``ipse.users``.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipse.lists import repository, service
from ipse.lists.values import EntryType, ListType, UnusableValue, normalise
from ipse.runtime.scope import Scope
from ipse.storage.tables import ListRow
from ipse.users import service as users
from ipse.users.errors import BlockedUser
from ipse.users.schemas import UserStatus


async def require_admitted(scope: Scope, vendor_data: str) -> None:
    """Refuse a person on the blocklist of users, known to us or not; a block whose time is over ends here.

    Raises:
        BlockedUser: the person is listed.
    """
    await _lift_expired(scope, vendor_data)
    if await service.is_user_blocked(scope, vendor_data):
        raise BlockedUser


async def block(scope: Scope, row: ListRow, values: Sequence[str]) -> None:
    """Give the users whose ``vendor_data`` came onto a list their status. Unknown ones have none yet."""
    if _blocks_users(row):
        for user in await repository.users(scope, values):
            await users.change_status(scope, user, UserStatus.BLOCKED)


async def unblock(scope: Scope, row: ListRow, values: Sequence[str]) -> None:
    """Make the users whose ``vendor_data`` was taken off a list active, if they are still blocked."""
    if _blocks_users(row):
        for user in await repository.users(scope, values):
            if user.status == UserStatus.BLOCKED:
                await users.change_status(scope, user, UserStatus.ACTIVE)


def _blocks_users(row: ListRow) -> bool:
    return row.entry_type == EntryType.USER and row.list_type == ListType.BLOCKLIST


async def _lift_expired(scope: Scope, vendor_data: str) -> None:
    try:
        value = normalise(EntryType.USER, vendor_data)
    except UnusableValue:  # blank: it cannot stand on a list
        return
    now = scope.services.clock.now()
    for entry in await repository.blocking(scope, EntryType.USER, value):
        if entry.expires_at is not None and entry.expires_at <= now:
            row = await service.get(scope, entry.list_id)
            await repository.remove(scope, [entry.id])
            await unblock(scope, row, [value])
