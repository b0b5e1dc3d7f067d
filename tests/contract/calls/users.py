"""Users (contract file 60)."""

from __future__ import annotations

import base64
from typing import Any

from tests.contract.world import UNKNOWN, World, exercises

USER: dict[str, Any] = {
    "vendor_data": "ana@example.com",
    "full_name": "Ana María",
    "display_name": "Ana",
    "date_of_birth": "1990-05-17",
    "metadata": {"tier": "gold"},
    "approved_emails": ["ana@example.com"],
    "issuing_states": ["ESP"],
}
PATH = {"vendor_data": USER["vendor_data"]}


async def user(world: World) -> dict[str, Any]:
    made = await world.setup("POST", "/v3/users/create/", 201, json=USER)
    assert isinstance(made, dict)
    return made


@exercises("GET /v3/users/")
async def list_users(world: World) -> None:
    assert (await world.good(200))["count"] == 0
    await user(world)
    page = await world.good(200, params={"limit": "10", "offset": "0"})
    assert [item["vendor_data"] for item in page["results"]] == [USER["vendor_data"]]
    assert (await world.good(200, as_=world.foreign))["count"] == 0
    await world.refuses_strangers(missing=401)


@exercises("POST /v3/users/create/")
async def create_user(world: World) -> None:
    made = await world.good(201, json=USER)
    assert (made["vendor_data"], made["status"]) == (USER["vendor_data"], "ACTIVE")
    await world.good(201, json={"vendor_data": "only-an-id"})
    await world.good(201, json=USER, as_=world.foreign)
    assert "vendor_data" in await world.bad(400, json=USER)
    assert "vendor_data" in await world.bad(400, json={"full_name": "Nobody"})
    for changes, field in (
        ({"date_of_birth": "17.5.1990"}, "date_of_birth"),
        ({"status": "SLEEPING"}, "status"),
        ({"full_name": "x" * 513}, "full_name"),
        ({"metadata": "text"}, "metadata"),
        ({"vendor_data": "x" * 257}, "vendor_data"),
        ({"vendor_data": ""}, "vendor_data"),
    ):
        assert field in await world.bad(400, json={**USER, "vendor_data": "other", **changes})
    await world.refuses_strangers(missing=401, json=USER)


@exercises("GET /v3/users/{vendor_data}/")
async def get_user(world: World) -> None:
    await user(world)
    assert (await world.good(200, path=PATH))["effective_name"] == "Ana"
    await world.bad(404, path=PATH, as_=world.foreign)
    await world.bad(404, path={"vendor_data": "nobody"})
    await world.refuses_strangers(path=PATH, missing=401)


@exercises("PATCH /v3/users/{vendor_data}/")
async def update_user(world: World) -> None:
    await user(world)
    changed = await world.good(200, path=PATH, json={"display_name": "Anita", "metadata": {"tier": "silver"}})
    assert (changed["display_name"], changed["metadata"]) == ("Anita", {"tier": "silver"})
    assert "date_of_birth" in await world.bad(400, path=PATH, json={"date_of_birth": "soon"})
    await world.bad(404, path=PATH, as_=world.foreign, json={"display_name": "mine"})
    await world.bad(404, path={"vendor_data": "nobody"}, json={"display_name": "x"})
    await world.refuses_strangers(path=PATH, missing=401, json={})


@exercises("PATCH /v3/users/{vendor_data}/update-status/")
async def update_user_status(world: World) -> None:
    await user(world)
    assert (await world.good(200, path=PATH, json={"status": "BLOCKED"}))["status"] == "BLOCKED"
    assert (await world.good(200, path=PATH, json={"status": "ACTIVE"}))["status"] == "ACTIVE"
    assert "status" in await world.bad(400, path=PATH, json={"status": "Approved!"})
    assert "status" in await world.bad(400, path=PATH, json={})
    await world.bad(404, path=PATH, as_=world.foreign, json={"status": "BLOCKED"})
    await world.refuses_strangers(path=PATH, missing=401, json={"status": "BLOCKED"})


@exercises("POST /v3/users/delete/")
async def delete_users(world: World) -> None:
    await user(world)
    assert await world.good(200, as_=world.foreign, json={"vendor_data_list": [USER["vendor_data"]]}) == {"deleted": 0}
    assert await world.good(200, json={"vendor_data_list": [USER["vendor_data"], "nobody"]}) == {"deleted": 1}
    assert await world.good(200, json={"delete_all": True}) == {"deleted": 0}
    assert isinstance(await world.bad(400, json={}), list)
    await world.refuses_strangers(missing=401, json={"delete_all": True})


@exercises(
    "POST /v3/organization/{organization_id}/application/{application_id}/vendor-users/by-id/{didit_internal_id}"
    "/faces/upload/"
)
async def upload_face(world: World) -> None:
    made = await user(world)
    path = {
        "organization_id": world.application.organization_id,
        "application_id": world.application.id,
        "didit_internal_id": made["didit_internal_id"],
    }
    image = base64.b64encode(world.portraits["obama_1"]).decode()
    await world.good(201, path=path, json={"image": image, "comment": "from the branch office"})
    assert "image" in await world.bad(400, path=path, json={})
    assert await world.bad(400, path=path, json={"image": "!!!"})
    assert await world.bad(400, path=path, json={"image": base64.b64encode(b"not an image").decode()})
    await world.bad(404, path={**path, "didit_internal_id": UNKNOWN}, json={"image": image})
    await world.bad(404, path={**path, "application_id": world.foreign.id}, json={"image": image})
    await world.bad(404, path=path, as_=world.foreign, json={"image": image})
    await world.refuses_strangers(path=path, missing=401, json={"image": image})
