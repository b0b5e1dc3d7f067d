"""Seeing and lifting the locks of a person. Ours; the contract has no calls for it.

The routes come before those of the user, whose ``vendor_data`` may hold slashes too.
"""

from __future__ import annotations

from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.lockout import service
from ipse.lockout.schemas import Unlocked, UserLock
from ipse.users import service as users
from ipse.users.scopes import UsersReadScope, UsersWriteScope

router = make_router(tags=["Users"], responses=documented(401, 403, 404, 429))


@router.get("/v3/users/{vendor_data:path}/locks/")
async def list_user_locks(scope: UsersReadScope, vendor_data: str) -> list[UserLock]:
    """What has failed for a person lately, and who must wait."""
    user = await users.get(scope, vendor_data)
    locks = await service.locks_of(scope, user.vendor_data)
    return [UserLock.model_validate(lock, from_attributes=True) for lock in locks]


@router.post("/v3/users/{vendor_data:path}/unlock/")
async def unlock_user(scope: UsersWriteScope, vendor_data: str) -> Unlocked:
    """Let the person try again on every device: call it after another factor has vouched for them."""
    user = await users.get(scope, vendor_data)
    return Unlocked(forgotten=await service.lift(scope, user.vendor_data))
