"""Health."""

from __future__ import annotations

from tests.contract.world import World, exercises


@exercises("GET /system/healthcheck")
async def healthcheck(world: World) -> None:
    body = await world.good(200, as_=None)
    assert body["status"] == "ok"
