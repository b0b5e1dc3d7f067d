"""Sessions (contract file 10)."""

from __future__ import annotations

import base64
from typing import Any

from ipse.samples.scenes import selfie
from tests.contract.world import UNKNOWN, World, exercises
from tests.services.step_up import finish_session

LIVENESS_ONLY = "wf_enrolment"
STEP_UP = "wf_ato_step_up"


def portrait(world: World, name: str = "obama_1") -> str:
    return base64.b64encode(world.portraits[name]).decode()


async def create(world: World, **changes: Any) -> dict[str, Any]:
    body = {"workflow_id": LIVENESS_ONLY, "vendor_data": "user-42", **changes}
    made = await world.setup("POST", "/v3/session/", 201, json=body)
    assert isinstance(made, dict)
    return made


async def decided(world: World, scenario: str = "approve", **changes: Any) -> dict[str, Any]:
    """A step-up that a sandbox scenario has decided."""
    changes = {"workflow_id": STEP_UP, "portrait_image": portrait(world), "sandbox_scenario": scenario, **changes}
    made = await create(world, **changes)
    await finish_session(world.make_client(None), made["session_token"], [world.portraits["obama_2"]])
    return made


def session(made: dict[str, Any]) -> dict[str, str]:
    return {"sessionId": made["session_id"]}


@exercises("POST /v3/session/")
async def create_session(world: World) -> None:
    workflows = await world.setup("GET", "/v3/workflows/", 200)
    group = workflows["results"][0]["workflow_id"]
    made = await world.good(
        201,
        json={
            "workflow_id": group,
            "vendor_data": "user-1",
            "callback": "https://app.example/done",
            "callback_method": "both",
            "metadata": {"flow": "login", "amount": 12.5},
            "language": "es",
            "contact_details": {"email": "ana@example.com", "email_lang": "es", "phone": "+34600000000"},
            "expected_details": {"first_name": "Ana", "date_of_birth": "1990-05-17", "nationality": "ESP"},
            "portrait_image": portrait(world),
            "sandbox_scenario": "approve",
        },
    )
    assert len(made["session_token"]) == 12
    assert made["url"].endswith(f"/es/session/{made['session_token']}")
    await world.tolerated(201, json={"workflow_id": LIVENESS_ONLY, "workflow_type": "biometric_authentication"})
    await world.tolerated(201, json={"workflow_id": LIVENESS_ONLY, "metadata": '{"flow":"login"}'})
    reused = await world.tolerated(201, json={"workflow_id": LIVENESS_ONLY, "vendor_data": "u2", "metadata": {"a": 1}})
    again = await world.tolerated(201, json={"workflow_id": LIVENESS_ONLY, "vendor_data": "u2", "metadata": {"a": 2}})
    assert (again["session_id"], again["metadata"]) == (reused["session_id"], {"a": 2})
    for changes, field in (
        ({"workflow_id": UNKNOWN}, "workflow_id"),
        ({"workflow_id": None}, "workflow_id"),
        ({"language": "klingon"}, "language"),
        ({"callback": "javascript://alert"}, "callback"),
        ({"callback_method": "neither"}, "callback_method"),
        ({"expected_details": {"address": "Main Street 1"}}, "expected_details"),
        ({"portrait_image": "!!!"}, "portrait_image"),
        ({"portrait_image": base64.b64encode(bytes(3 * 2**20)).decode()}, "portrait_image"),
        ({"portrait_image": base64.b64encode(b"no image").decode()}, "portrait_image"),
        ({"sandbox_scenario": "no_such_scenario"}, "sandbox_scenario"),
        ({"vendor_data": "x" * 257}, "vendor_data"),
        ({"workflow_id": STEP_UP}, "portrait_image"),
    ):
        assert field in await world.bad(400, json={"workflow_id": LIVENESS_ONLY, "vendor_data": "bad", **changes})
    assert "workflow_id" in await world.bad(400, json={})
    assert "workflow_id" in await world.bad(400, as_=world.foreign, json={"workflow_id": group})
    live = {"workflow_id": LIVENESS_ONLY, "sandbox_scenario": "approve"}
    assert "sandbox_scenario" in await world.bad(400, as_=world.live, json=live)
    await world.bad(400, content=b"{", headers={"content-type": "application/json"})
    await world.bad(400, json=["workflow_id"])
    await world.refuses_strangers(json={"workflow_id": LIVENESS_ONLY})
    blocked = {"vendor_data": "blocked", "status": "BLOCKED"}
    await world.setup("POST", "/v3/users/create/", 201, json=blocked)
    refused = await world.bad(400, json={"workflow_id": LIVENESS_ONLY, "vendor_data": "blocked"})
    assert isinstance(refused["vendor_data"], str)


@exercises("GET /v3/sessions/")
async def list_sessions(world: World) -> None:
    assert (await world.good(200))["count"] == 0
    made = await decided(world)
    await create(world, vendor_data="other")
    page = await world.good(200, params={"vendor_data": "user-42", "status": "Approved,Declined", "limit": "5"})
    assert [row["session_id"] for row in page["results"]] == [made["session_id"]]
    for parameters in (
        {"search": made["session_id"]},
        {"search": str(made["session_number"])},
        {"date_from": "2026-01-01", "date_to": "2026-12-31"},
        {"date_from": "2026-06-01T00:00:00+00:00"},
        {"session_type": "HOSTED"},
        {"workflow_id": made["workflow_id"]},
    ):
        rows = (await world.good(200, params=parameters))["results"]
        assert made["session_id"] in [row["session_id"] for row in rows], parameters
    assert (await world.good(200, params={"status": "No Such Status"}))["count"] == 0
    assert (await world.good(200, as_=world.foreign))["count"] == 0
    assert "date_from" in await world.bad(400, params={"date_from": "yesterday"})
    assert "session_kind" in await world.bad(400, params={"session_kind": "robot"})
    await world.bad(400, params={"limit": "many"})
    await world.refuses_strangers()


@exercises("GET /v3/session/{sessionId}/decision/")
async def decision(world: World) -> None:
    made = await decided(world)
    body = await world.good(200, path=session(made))
    assert body["status"] == "Approved"
    assert body["features"] == ["LIVENESS", "FACE_MATCH"]
    assert body["session_kind"] == "user"
    declined = await decided(world, "decline_face_match_low_similarity", vendor_data="user-43")
    body = await world.good(200, path=session(declined))
    assert body["status"] == "Declined"
    assert [w["risk"] for w in body["face_matches"][0]["warnings"]] == ["LOW_FACE_MATCH_SIMILARITY"]
    fresh = await create(world, vendor_data="user-44")
    assert (await world.good(200, path=session(fresh)))["status"] == "Not Started"
    real = await world.setup(
        "POST", "/v3/session/", 201, as_=world.real, json={"workflow_id": STEP_UP, "portrait_image": portrait(world)}
    )
    await finish_session(
        world.make_client(None), real["session_token"], [selfie("obama_2", world.portraits["obama_2"])]
    )
    body = await world.good(200, path=session(real), as_=world.real)
    assert body["face_matches"][0]["source_image"].startswith("http")
    assert body["face_matches"][0]["target_image"].startswith("http")
    await world.bad(404, path=session(made), as_=world.foreign)
    await world.bad(404, path={"sessionId": UNKNOWN})
    await world.bad(404, path={"sessionId": "auth-probe-check"})
    await world.refuses_strangers(path=session(made))


@exercises("POST /v3/session/{sessionId}/sandbox/arm/")
async def arm(world: World) -> None:
    made = await create(world)
    device = {"Session-Token": made["session_token"]}
    armed = await world.good(
        200, path=session(made), as_=None, headers=device, json={"scenario": "decline_liveness_attack"}
    )
    assert armed == {
        "session_id": made["session_id"],
        "scenario": "decline_liveness_attack",
        "status": "Not Started",
    }
    refused = await world.bad(400, path=session(made), as_=None, headers=device, json={"scenario": "nothing"})
    assert "scenario" in refused
    await world.bad(404, path={"sessionId": UNKNOWN}, as_=None, headers=device, json={"scenario": "approve"})
    other = {"Session-Token": (await create(world, vendor_data="other"))["session_token"]}
    await world.bad(404, path=session(made), as_=None, headers=other, json={"scenario": "approve"})
    await finish_session(world.make_client(None), made["session_token"], [world.portraits["obama_1"]])
    started = await world.bad(400, path=session(made), as_=None, headers=device, json={"scenario": "approve"})
    assert isinstance(started, list)


@exercises("PATCH /v3/session/{sessionId}/update-status/")
async def update_status(world: World) -> None:
    made = await decided(world, "review_face_match_borderline")
    path = session(made)
    assert (await world.good(200, path=path, json={"new_status": "Approved", "comment": "seen"}))["session_id"]
    assert isinstance(await world.bad(400, path=path, json={"new_status": "Approved"}), list)
    assert "new_status" in await world.bad(400, path=path, json={"new_status": "Maybe"})
    assert "new_status" in await world.bad(400, path=path, json={})
    await world.bad(400, path=path, json={"new_status": "Declined", "send_email": True})
    await world.good(200, path=path, json={"new_status": "Declined", "send_email": False})
    nodes = [{"node_id": "feature_face_match", "feature": "FACE_MATCH"}]
    await world.good(200, path=path, json={"new_status": "Resubmitted", "nodes_to_resubmit": nodes})
    fresh = await create(world, vendor_data="fresh")
    assert "detail" in await world.bad(400, path=session(fresh), json={"new_status": "Approved"})
    await world.bad(404, path=path, as_=world.foreign, json={"new_status": "Approved"})
    await world.bad(404, path={"sessionId": UNKNOWN}, json={"new_status": "Approved"})
    await world.refuses_strangers(path=path, json={"new_status": "Approved"})


@exercises("PATCH /v3/session/{sessionId}/features/{nodeId}/update-status/")
async def update_feature_status(world: World) -> None:
    made = await decided(world, "review_face_match_borderline")
    report = await world.setup("GET", f"/v3/session/{made['session_id']}/decision/", 200)
    path = {**session(made), "nodeId": report["face_matches"][0]["node_id"]}
    changed = await world.good(200, path=path, json={"new_status": "Approved", "comment": "same person"})
    assert (changed["feature_type"], changed["new_status"]) == ("FACE_MATCH", "Approved")
    assert "new_status" in await world.bad(400, path=path, json={"new_status": "Approved"})
    assert "new_status" in await world.bad(400, path=path, json={"new_status": "Resubmitted"})
    await world.bad(404, path={**path, "nodeId": "feature_nothing"}, json={"new_status": "Declined"})
    await world.bad(404, path=path, as_=world.foreign, json={"new_status": "Declined"})
    await world.refuses_strangers(path=path, json={"new_status": "Declined"})


@exercises("DELETE /v3/session/{sessionId}/delete/")
async def delete_session(world: World) -> None:
    path = session(await decided(world))
    await world.refuses_strangers(path=path)
    await world.bad(404, path=path, as_=world.foreign)
    assert await world.good(204, path=path) == b""
    await world.bad(404, path=path)
    await world.bad(404, path={"sessionId": UNKNOWN})


@exercises("POST /v3/sessions/delete/")
async def delete_sessions(world: World) -> None:
    made = await create(world)
    number = str(made["session_number"])
    assert await world.good(204, as_=world.foreign, json={"session_numbers": [number]}) == b""
    await world.setup("GET", f"/v3/session/{made['session_id']}/decision/", 200)
    assert await world.good(204, json={"session_numbers": [number, "999999"]}) == b""
    await world.setup("GET", f"/v3/session/{made['session_id']}/decision/", 404)
    await world.tolerated(204, json={"session_numbers": [made["session_number"]]})
    await world.good(204, json={"delete_all": True})
    refused: list[dict[str, Any]] = [{}, *({"session_numbers": numbers} for numbers in ([], ["one"], None))]
    for body in refused:
        assert "session_numbers" in await world.bad(400, json=body)
    await world.refuses_strangers(json={"delete_all": True})


@exercises("GET /v3/sessions/{session_id}/reviews/")
async def list_reviews(world: World) -> None:
    made = await decided(world)
    path = {"session_id": made["session_id"]}
    feature = f"/v3/session/{made['session_id']}/features/feature_face_match/update-status/"
    await world.setup("PATCH", feature, 200, json={"new_status": "Declined"})
    await world.setup("POST", f"/v3/sessions/{made['session_id']}/reviews/", 201, json={"comment": "looks right"})
    page = await world.good(200, path=path, params={"ordering": "-created_at"})
    assert page["results"][0]["comment"] == "looks right"
    await world.bad(404, path=path, as_=world.foreign)
    await world.bad(404, path={"session_id": UNKNOWN})
    await world.refuses_strangers(path=path)


@exercises("POST /v3/sessions/{session_id}/reviews/")
async def add_review(world: World) -> None:
    made = await decided(world)
    path = {"session_id": made["session_id"]}
    note = await world.good(201, path=path, json={"new_status": "Declined", "comment": "only a note"})
    assert note["comment"] == "only a note"
    await world.tolerated(201, path=path, json={"comment": "note without status"})
    assert (await world.setup("GET", f"/v3/session/{made['session_id']}/decision/", 200))["status"] == "Approved"
    await world.bad(400, path=path, json={})
    await world.bad(404, path=path, as_=world.foreign, json={"comment": "x"})
    await world.bad(404, path={"session_id": UNKNOWN}, json={"comment": "x"})
    await world.refuses_strangers(path=path, json={"comment": "x"})
