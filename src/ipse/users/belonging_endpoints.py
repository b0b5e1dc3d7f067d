"""What belongs to a user: faces, devices, and the history as a whole. Ours; the contract has no calls for it.

These routes come before those of the user, whose ``vendor_data`` may hold slashes too: a ``vendor_data`` that ends in
``/faces`` or ``/devices`` is not reached by GET or PATCH.
"""

from __future__ import annotations

from ipse.devices import service as devices
from ipse.edge.authentication import as_uuid
from ipse.edge.documented import documented
from ipse.edge.errors import Detail
from ipse.edge.routing import router as make_router
from ipse.faces.erasure import forget_faces
from ipse.users import merging, portraits, repository, service, view
from ipse.users.schemas import Deleted, Merge, UserDetail, UserDevice, UserFace
from ipse.users.scopes import UsersReadScope, UsersWriteScope

router = make_router(responses=documented(404))


@router.get("/v3/users/{vendor_data:path}/faces/")
async def list_user_faces(scope: UsersReadScope, vendor_data: str) -> list[UserFace]:
    """Every stored face of a person, the newest first."""
    user = await service.get(scope, vendor_data)
    return await view.faces(scope, user, await repository.faces(scope, user))


@router.delete("/v3/users/{vendor_data:path}/faces/")
async def delete_user_faces(scope: UsersWriteScope, vendor_data: str) -> Deleted:
    """Delete every face of a person, live selfies included, with the images; the person has to enrol again."""
    user = await service.get(scope, vendor_data)
    return Deleted(deleted=await forget_faces(scope, user))


@router.delete("/v3/users/{vendor_data:path}/faces/{face_id}/", status_code=204)
async def delete_user_face(scope: UsersWriteScope, vendor_data: str, face_id: str) -> None:
    """Delete one face of a person. If it was the reference, the next approved session provides another."""
    await portraits.forget(scope, await service.get(scope, vendor_data), face_id)


@router.get("/v3/users/{vendor_data:path}/devices/")
async def list_user_devices(scope: UsersReadScope, vendor_data: str) -> list[UserDevice]:
    """The devices that a person used, the most recently used first."""
    user = await service.get(scope, vendor_data)
    return view.devices(await devices.devices_of(scope, user.id))


@router.post("/v3/users/{vendor_data:path}/devices/{device_id}/trust/")
async def trust_user_device(scope: UsersWriteScope, vendor_data: str, device_id: str) -> list[UserDevice]:
    """Trust a device of a person, as an approved face on it would."""
    user = await service.get(scope, vendor_data)
    await devices.trust(scope, user_id=user.id, device_id=as_uuid(device_id), by="integrator")
    return view.devices(await devices.devices_of(scope, user.id))


@router.post("/v3/users/{vendor_data:path}/devices/{device_id}/revoke/")
async def revoke_user_device(scope: UsersWriteScope, vendor_data: str, device_id: str) -> list[UserDevice]:
    """Trust a device of a person no longer, for example one that was stolen."""
    user = await service.get(scope, vendor_data)
    await devices.revoke(scope, user_id=user.id, device_id=as_uuid(device_id))
    return view.devices(await devices.devices_of(scope, user.id))


@router.post("/v3/users/{vendor_data:path}/merge/", responses=documented(400))
async def merge_user(scope: UsersWriteScope, vendor_data: str, body: Merge) -> UserDetail:
    """Give the whole history of this user to another one, and answer with that one."""
    return await view.detail(scope, await merging.merge(scope, vendor_data, body.into))


async def _refuse_to_change() -> None:
    raise Detail(405, 'Method "PATCH" not allowed.')


for _path in (
    "faces/",
    "faces/{face_id}/",
    "devices/",
    "devices/{device_id}/trust/",
    "devices/{device_id}/revoke/",
    "merge/",
):
    # Otherwise a PATCH of what belongs to a user would change a user whose vendor_data ends in this path.
    router.add_api_route(
        f"/v3/users/{{vendor_data:path}}/{_path}", _refuse_to_change, methods=["PATCH"], include_in_schema=False
    )
