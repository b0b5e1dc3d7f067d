"""Webhook destinations (contract file 40)."""

from __future__ import annotations

from typing import Any

from tests.contract.world import UNKNOWN, World, exercises

DESTINATIONS = "/v3/webhook/destinations/"
EXAMPLE: dict[str, Any] = {
    "label": "Main",
    "url": "https://app.example/webhooks",
    "webhook_version": "v3",
    "subscribed_events": ["status.updated", "data.updated"],
}


async def destination(world: World, **changes: Any) -> dict[str, Any]:
    made = await world.setup("POST", DESTINATIONS, 201, json={**EXAMPLE, **changes})
    assert isinstance(made, dict)
    return made


@exercises("GET /v3/webhook/destinations/")
async def list_destinations(world: World) -> None:
    assert await world.good(200) == []
    await destination(world)
    listed = await world.good(200)
    assert [item["label"] for item in listed] == ["Main"]
    assert "secret_shared_key" not in listed[0]
    assert await world.good(200, as_=world.foreign) == []
    await world.refuses_strangers()


@exercises("POST /v3/webhook/destinations/")
async def create_destination(world: World) -> None:
    made = await world.good(201, json=EXAMPLE)
    assert len(made["secret_shared_key"]) == 43
    await world.tolerated(201, json={"url": "https://other.example/hook"})
    await world.tolerated(
        201, json={**EXAMPLE, "url": "https://c.example/h", "subscribed_events": ["session.verified"]}
    )
    assert "url" in await world.bad(400, json=EXAMPLE)
    for changes, field in (
        ({"subscribed_events": []}, "subscribed_events"),
        ({"subscribed_events": ["no.such.event"]}, "subscribed_events"),
        ({"url": "not a url"}, "url"),
        ({"url": "ftp://app.example/x"}, "url"),
        ({"webhook_version": "v9"}, "webhook_version"),
        ({"label": "x" * 256}, "label"),
    ):
        assert field in await world.bad(400, json={**EXAMPLE, "url": "https://new.example/h", **changes})
    assert "url" in await world.bad(400, json={"label": "without address"})
    await world.bad(400, content=b"{", headers={"content-type": "application/json"})
    await world.bad(400, json=[])
    await world.refuses_strangers(json=EXAMPLE)


@exercises("GET /v3/webhook/destinations/{destination_uuid}/")
async def get_destination(world: World) -> None:
    made = await destination(world)
    path = {"destination_uuid": made["uuid"]}
    assert (await world.good(200, path=path))["secret_shared_key"] == made["secret_shared_key"]
    await world.bad(404, path=path, as_=world.foreign)
    await world.bad(404, path={"destination_uuid": UNKNOWN})
    await world.bad(404, path={"destination_uuid": "not-a-uuid"})
    await world.refuses_strangers(path=path)


@exercises("PATCH /v3/webhook/destinations/{destination_uuid}/")
async def update_destination(world: World) -> None:
    made = await destination(world)
    other = await destination(world, url="https://other.example/h")
    path = {"destination_uuid": made["uuid"]}
    changed = await world.good(200, path=path, json={"label": "Renamed", "enabled": False})
    assert (changed["label"], changed["enabled"]) == ("Renamed", False)
    assert changed["secret_shared_key"] == made["secret_shared_key"]
    await world.good(200, path=path, json={"subscribed_events": ["status.updated"]})
    assert "url" in await world.bad(400, path=path, json={"url": other["url"]})
    assert "subscribed_events" in await world.bad(400, path=path, json={"subscribed_events": []})
    await world.bad(404, path=path, as_=world.foreign, json={"label": "mine now"})
    await world.bad(404, path={"destination_uuid": UNKNOWN}, json={"label": "x"})
    await world.refuses_strangers(path=path, json={})


@exercises("DELETE /v3/webhook/destinations/{destination_uuid}/")
async def delete_destination(world: World) -> None:
    path = {"destination_uuid": (await destination(world))["uuid"]}
    await world.refuses_strangers(path=path)
    await world.bad(404, path=path, as_=world.foreign)
    assert await world.good(204, path=path) == b""
    await world.bad(404, path=path)
