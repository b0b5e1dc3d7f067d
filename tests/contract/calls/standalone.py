"""Standalone calls (contract file 30)."""

from __future__ import annotations

from typing import Any

from tests.contract.world import World, exercises

TEXT = ("note.txt", b"this is not an image", "text/plain")
FAKE = ("face.jpg", b"this is not an image", "image/jpeg")
LARGE = ("face.jpg", b"\xff\xd8" + bytes(6 * 2**20), "image/jpeg")


def portrait(world: World, name: str = "obama_1") -> tuple[str, bytes, str]:
    return (f"{name}.jpg", world.portraits[name], "application/octet-stream")


async def _single_image(world: World, **options: str) -> None:
    """What holds for every call that takes one ``user_image``."""
    files = {"user_image": portrait(world)}
    data = {"vendor_data": "user-42", "metadata": '{"flow": "login"}', **options}
    for application in (world.application, world.real):
        body = await world.good(200, as_=application, files=files, data=data)
        assert (body["vendor_data"], body["metadata"]) == ("user-42", {"flow": "login"})
    await world.good(200, as_=world.real, files=files, data={"save_api_request": "false", "rotate_image": "true"})
    assert "user_image" in await world.bad(400, data=data)
    assert "user_image" in await world.bad(400, files={"user_image": TEXT})
    assert "user_image" in await world.bad(400, files={"user_image": LARGE})
    assert "error" in await world.bad(400, files={"user_image": FAKE})
    await world.refuses_strangers(files=files)


def _decoded(body: dict[str, Any], key: str) -> dict[str, Any]:
    part = body[key]
    assert isinstance(part, dict)
    return part


@exercises("POST /v3/face-match/")
async def face_match(world: World) -> None:
    same = {"user_image": portrait(world, "obama_1"), "ref_image": portrait(world, "obama_2")}
    other = {"user_image": portrait(world, "obama_1"), "ref_image": portrait(world, "biden_1")}
    data = {"vendor_data": "user-42", "metadata": '{"flow": "login"}', "face_match_score_decline_threshold": "30"}
    for application in (world.application, world.real):
        approved = await world.good(200, as_=application, files=same, data=data)
        assert _decoded(approved, "face_match")["status"] == "Approved"
        declined = await world.good(200, as_=application, files=other, data=data)
        assert _decoded(declined, "face_match")["status"] == "Declined"
    await world.good(200, as_=world.real, files=same, data={"save_api_request": "false"})
    await world.tolerated(200, files={"source_image": same["user_image"], "target_image": same["ref_image"]})
    await world.tolerated(200, files={"image_a": same["user_image"], "image_b": same["ref_image"]})
    assert "user_image" in await world.bad(400, files={"ref_image": same["ref_image"]})
    assert "ref_image" in await world.bad(400, files={"user_image": same["user_image"]})
    assert "ref_image" in await world.bad(400, files={**same, "ref_image": TEXT})
    assert "user_image" in await world.bad(400, files={**same, "user_image": LARGE})
    assert "error" in await world.bad(400, files={**same, "ref_image": FAKE})
    for threshold in ("-1", "101", "high"):
        refused = await world.bad(400, files=same, data={"face_match_score_decline_threshold": threshold})
        assert "face_match_score_decline_threshold" in refused
    await world.bad(400, json={"user_image": "x"})
    await world.refuses_strangers(files=same)


@exercises("POST /v3/passive-liveness/")
async def passive_liveness(world: World) -> None:
    await _single_image(world, face_liveness_score_decline_threshold="30")


@exercises("POST /v3/face-search/")
async def face_search(world: World) -> None:
    await _single_image(world, search_type="most_similar")
    files = {"user_image": portrait(world)}
    assert "search_type" in await world.bad(400, files=files, data={"search_type": "everything"})


@exercises("POST /v3/age-estimation/")
async def age_estimation(world: World) -> None:
    await _single_image(world, age_estimation_decline_threshold="18")
    files = {"user_image": portrait(world)}
    refused = await world.bad(400, files=files, data={"age_estimation_decline_threshold": "old"})
    assert "age_estimation_decline_threshold" in refused
