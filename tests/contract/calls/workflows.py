"""Workflows (contract file 20)."""

from __future__ import annotations

from typing import Any

from tests.contract.world import UNKNOWN, World, exercises

STEP_UP: dict[str, Any] = {
    "workflow_label": "Step-up",
    "features": [
        {"feature": "LIVENESS", "config": {"face_liveness_method": "passive"}},
        {"feature": "FACE_MATCH", "config": {"face_match_score_decline_threshold": 40}},
    ],
}
IMPOSSIBLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"features": []}, "features"),
    ({"features": [{"feature": "TELEPATHY"}]}, "features"),
    ({"features": [{"feature": "FACE_MATCH"}]}, "features"),
    ({"features": [{"feature": "IP_ANALYSIS"}]}, "features"),
    ({"workflow_label": "x" * 51}, "workflow_label"),
    ({"max_retry_attempts": 11}, "max_retry_attempts"),
    ({"session_expiration_time": 10}, "session_expiration_time"),
    ({"retry_window_days": 0}, "retry_window_days"),
)


async def workflow(world: World, **changes: Any) -> dict[str, Any]:
    made = await world.setup("POST", "/v3/workflows/", 201, json={**STEP_UP, **changes})
    assert isinstance(made, dict)
    return made


@exercises("GET /v3/workflows/")
async def list_workflows(world: World) -> None:
    before = await world.good(200)
    made = await workflow(world)
    page = await world.good(200, params={"limit": 1})
    assert page["count"] == before["count"] + 1
    assert [item["uuid"] for item in page["results"]] == [made["uuid"]]
    foreign = await world.good(200, as_=world.foreign)
    assert made["uuid"] not in [item["uuid"] for item in foreign["results"]]
    await world.refuses_strangers()


@exercises("POST /v3/workflows/")
async def create_workflow(world: World) -> None:
    made = await world.good(201, json=STEP_UP)
    assert (made["version"], made["status"]) == (1, "published")
    assert made["features"] == "LIVENESS + FACE_MATCH"
    draft = await world.good(201, json={**STEP_UP, "status": "draft"})
    assert draft["is_editable"] is True
    await world.tolerated(201, json={"features": [{"feature": "ID_VERIFICATION"}, {"feature": "LIVENESS"}]})
    await world.tolerated(
        201, json={"workflow_type": "biometric_authentication", "is_face_match_enabled": True, "workflow_label": "Flat"}
    )
    for changes, field in IMPOSSIBLE:
        assert field in await world.bad(400, json={**STEP_UP, **changes})
    assert "features" in await world.bad(400, json={"workflow_label": "nothing to check"})
    await world.bad(400, content=b"[1", headers={"content-type": "application/json"})
    await world.bad(415, content=b"features=LIVENESS", headers={"content-type": "text/plain"})
    await world.refuses_strangers(json=STEP_UP)


@exercises("GET /v3/workflows/{settings_uuid}/")
async def get_workflow(world: World) -> None:
    path = {"settings_uuid": (await workflow(world))["uuid"]}
    found = await world.good(200, path=path)
    assert found["workflow_label"] == "Step-up"
    await world.bad(404, path=path, as_=world.foreign)
    await world.bad(404, path={"settings_uuid": UNKNOWN})
    await world.refuses_strangers(path=path)


@exercises("PATCH /v3/workflows/{settings_uuid}/")
async def update_workflow(world: World) -> None:
    made = await workflow(world)
    path = {"settings_uuid": made["uuid"]}
    changed = await world.good(200, path=path, json={"workflow_label": "Renamed"})
    assert (changed["workflow_label"], changed["version"]) == ("Renamed", 1)
    second = await world.good(200, path=path, json={"status": "published", "features": STEP_UP["features"][:1]})
    assert (second["version"], second["workflow_id"]) == (2, made["workflow_id"])
    for changes, field in IMPOSSIBLE:
        assert field in await world.bad(400, path=path, json=changes)
    await world.bad(400, path=path, json={"status": "draft"})
    await world.bad(404, path=path, as_=world.foreign, json={"workflow_label": "mine"})
    await world.bad(404, path={"settings_uuid": UNKNOWN}, json={"workflow_label": "x"})
    await world.bad(415, path=path, content=b"x", headers={"content-type": "text/plain"})
    await world.refuses_strangers(path=path, json={})


@exercises("DELETE /v3/workflows/{settings_uuid}/")
async def delete_workflow(world: World) -> None:
    path = {"settings_uuid": (await workflow(world))["uuid"]}
    await world.refuses_strangers(path=path)
    await world.bad(404, path=path, as_=world.foreign)
    assert await world.good(204, path=path) == b""
    await world.bad(404, path=path)
