"""What ``POST /v3/face-match/`` guarantees, on real faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from ipse.runtime.application import SandboxEngine
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, FaceRow, MediaRow, SessionRow
from tests.integration.standalone.conftest import OpenStandalone
from tests.services.pictures import flat_jpeg

pytestmark = [pytest.mark.anyio, pytest.mark.models]

PATH = "/v3/face-match/"


async def counts(services: Services) -> dict[str, int]:
    async with services.database.reading() as tx:
        return {
            table.__tablename__: await tx.scalar(select(func.count()).select_from(table)) or 0
            for table in (SessionRow, MediaRow, FaceRow, EventRow)
        }


async def test_the_same_person_is_approved_and_everybody_else_declined(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    same = await standalone.ok(PATH, {"user_image": shown["obama"], "ref_image": shown["obama_again"]})
    other = await standalone.ok(PATH, {"user_image": shown["biden"], "ref_image": shown["obama"]})
    assert same["face_match"]["status"] == same["status"] == "Approved"
    assert same["score"] >= 60
    assert same["face_match"]["score"] == same["score"] == round(same["score"], 2)
    assert same["similarity_score"] == pytest.approx(same["score"] / 100, abs=1e-4)
    assert same["face_match"]["warnings"] == []
    assert other["status"] == "Declined"
    warning = other["face_match"]["warnings"][0]
    assert (warning["risk"], warning["feature"], warning["log_type"]) == (
        "LOW_FACE_MATCH_SIMILARITY",
        "FACEMATCH",
        "error",
    )
    assert "node_id" not in warning


async def test_the_answer_has_the_documented_shape(opened: OpenStandalone, shown: Mapping[str, bytes]) -> None:
    body = await (await opened()).ok(
        PATH,
        {"user_image": shown["obama"], "ref_image": shown["obama_again"]},
        vendor_data="user-42",
        metadata='{"trigger": "login"}',
    )
    assert set(body) == {
        "request_id",
        "face_match",
        "status",
        "score",
        "similarity_score",
        "vendor_data",
        "metadata",
        "environment",
        "created_at",
    }
    assert (body["vendor_data"], body["metadata"]) == ("user-42", {"trigger": "login"})
    assert body["environment"] == "sandbox"
    assert body["created_at"] == "2026-11-20T10:00:00.000000+00:00"
    for key in ("user_image", "ref_image"):
        faces = body["face_match"][key]
        assert faces["best_angle"] == 0
        entity = faces["entities"][0]
        assert len(entity["bbox"]) == 4
        assert all(isinstance(corner, int) for corner in entity["bbox"])
        assert 0 <= entity["confidence"] <= 1
        assert isinstance(entity["age"], float)
        assert "gender" not in entity
        assert entity["race"] is None


@pytest.mark.parametrize(
    ("user", "reference"),
    [("source_image", "target_image"), ("image_a", "image_b"), ("selfie", "reference_image"), ("image_1", "image_2")],
)
async def test_every_alias_of_the_pictures_is_understood(
    opened: OpenStandalone, shown: Mapping[str, bytes], user: str, reference: str
) -> None:
    body = await (await opened()).ok(
        PATH, {user: shown["obama"], reference: shown["obama_again"]}, save_api_request="false"
    )
    assert body["status"] == "Approved"


async def test_a_saved_call_is_a_session_with_pictures_event_and_decision(
    opened: OpenStandalone, shown: Mapping[str, bytes], services_with_faces: Services
) -> None:
    standalone = await opened()
    body = await standalone.ok(PATH, {"user_image": shown["biden"], "ref_image": shown["obama"]}, vendor_data="user-42")
    stored = await counts(services_with_faces)
    assert (stored["sessions"], stored["media"], stored["faces"]) == (1, 2, 0)
    decision = (await standalone.client.get(f"/v3/session/{body['request_id']}/decision/")).json()
    assert decision["status"] == "Declined"
    assert decision["vendor_data"] == "user-42"
    assert decision["features"] == ["FACE_MATCH"]
    match = decision["face_matches"][0]
    assert match["score"] == body["score"]
    # In decisions the source is the reference; in this answer it is the selfie.
    reference, selfie = match["source_image"], match["target_image"]
    for link, content in ((reference, shown["obama"]), (selfie, shown["biden"])):
        assert (await standalone.client.get(link)).content == content
    assert (await standalone.client.get(body["face_match"]["source_image"])).content == shown["biden"]
    assert (await standalone.client.get(body["face_match"]["target_image"])).content == shown["obama"]


async def test_a_call_that_is_not_saved_leaves_nothing_behind(
    opened: OpenStandalone, shown: Mapping[str, bytes], services_with_faces: Services
) -> None:
    standalone = await opened()
    body = await standalone.ok(
        PATH, {"user_image": shown["obama"], "ref_image": shown["obama_again"]}, save_api_request="false"
    )
    assert body["face_match"]["source_image"] is None
    assert set((await counts(services_with_faces)).values()) == {0}
    missing = await standalone.client.get(f"/v3/session/{body['request_id']}/decision/")
    assert missing.status_code == 404


async def test_a_picture_without_a_face_is_processed_and_declined_without_a_score(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    files = {"user_image": shown["obama"], "ref_image": flat_jpeg()}
    saved = await standalone.ok(PATH, files)
    assert saved["status"] == "Declined"
    assert saved["score"] is None
    assert saved["similarity_score"] is None
    assert [warning["risk"] for warning in saved["face_match"]["warnings"]] == ["NO_REFERENCE_IMAGE"]
    assert saved["face_match"]["ref_image"] == {"entities": [], "best_angle": None}
    unsaved = await standalone.ok(PATH, files, save_api_request="false")
    assert unsaved["score"] == 0


async def test_thresholds_decide(opened: OpenStandalone, shown: Mapping[str, bytes]) -> None:
    standalone = await opened()
    files = {"user_image": shown["obama"], "ref_image": shown["obama_again"]}
    nothing_saved = {"save_api_request": "false"}
    strict = await standalone.ok(PATH, files, face_match_score_decline_threshold="100", **nothing_saved)
    assert strict["status"] == "Declined"
    unsure = await standalone.ok(PATH, files, decline_threshold="10", review_threshold="100", **nothing_saved)
    assert unsure["status"] == "In Review"
    lax = await standalone.ok(PATH, files, face_match_score_decline_threshold="0", **nothing_saved)
    assert lax["status"] == "Approved"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"face_match_score_decline_threshold": "101"}, "face_match_score_decline_threshold"),
        ({"decline_threshold": "-1"}, "face_match_score_decline_threshold"),
        ({"review_threshold": "nan"}, "face_match_score_review_threshold"),
        ({"decline_threshold": "60", "review_threshold": "40"}, "face_match_score_review_threshold"),
        ({"save_api_request": "perhaps"}, "save_api_request"),
        ({"rotate_image": "sideways"}, "rotate_image"),
        ({"metadata": "not json"}, "metadata"),
        ({"vendor_data": "x" * 300}, "vendor_data"),
    ],
)
async def test_a_bad_field_is_refused_by_name_and_nothing_is_stored(
    opened: OpenStandalone,
    shown: Mapping[str, bytes],
    services_with_faces: Services,
    fields: dict[str, str],
    key: str,
) -> None:
    response = await (await opened()).post(PATH, {"user_image": shown["obama"], "ref_image": shown["obama"]}, **fields)
    assert response.status_code == 400
    assert list(response.json()) == [key]
    assert set((await counts(services_with_faces)).values()) == {0}


async def test_missing_pictures_are_named_and_undecodable_ones_are_an_error(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    both = await standalone.client.post(PATH, data={"vendor_data": "x"})
    assert (both.status_code, set(both.json())) == (400, {"user_image", "ref_image"})
    one = await standalone.post(PATH, {"image_a": shown["obama"]})
    assert (one.status_code, set(one.json())) == (400, {"ref_image"})
    bodies: list[bytes] = [b"this is no picture", shown["obama"][:4000], b"GIF89a" + bytes(100)]
    for content in bodies:
        broken = await standalone.post(PATH, {"user_image": shown["obama"], "ref_image": content})
        assert broken.status_code == 400
        assert set(broken.json()) == {"error"}
    large = await standalone.post(PATH, {"user_image": shown["obama"], "ref_image": bytes(6 * 2**20)})
    assert (large.status_code, set(large.json())) == (400, {"ref_image"})


async def test_a_json_body_is_answered_like_an_empty_form(opened: OpenStandalone) -> None:
    response = await (await opened()).client.post(PATH, json={"user_image": "…"})
    assert (response.status_code, set(response.json())) == (400, {"user_image", "ref_image"})


async def test_no_key_and_a_wrong_key_are_forbidden(opened: OpenStandalone) -> None:
    standalone = await opened()
    for headers in ({"x-api-key": ""}, {"x-api-key": "ipse_test_wrong"}):
        response = await standalone.client.post(PATH, headers=headers)
        assert response.status_code == 403


async def test_a_turned_picture_is_found_when_asked_to(opened: OpenStandalone, shown: Mapping[str, bytes]) -> None:
    import io

    from PIL import Image

    turned = io.BytesIO()
    Image.open(io.BytesIO(shown["obama_again"])).rotate(90, expand=True).save(turned, "JPEG")
    body = await (await opened()).ok(
        PATH, {"user_image": shown["obama"], "ref_image": turned.getvalue()}, rotate_image="true"
    )
    assert body["status"] == "Approved"
    assert body["face_match"]["ref_image"]["best_angle"] == 90


async def test_the_sandbox_declines_a_mismatched_pair_and_stores_nothing(
    opened: OpenStandalone, shown: Mapping[str, bytes], services_with_faces: Services
) -> None:
    sandbox = await opened(engine=SandboxEngine.SCENARIOS)
    pair: dict[str, Any] = {"user_image": shown["obama"], "ref_image": shown["obama_again"]}
    assert (await sandbox.ok(PATH, pair))["status"] == "Approved"
    assert (await sandbox.ok(PATH, {**pair, "ref_image": shown["biden"]}))["status"] == "Declined"
    assert (await sandbox.ok(PATH, {"user_image": flat_jpeg(), "ref_image": flat_jpeg()}))["status"] == "Approved"
    assert set((await counts(services_with_faces)).values()) == {0}
    broken = await sandbox.post(PATH, {**pair, "ref_image": b"no picture"})
    assert broken.status_code == 400


async def test_repeating_a_call_with_its_idempotency_key_repeats_the_answer(
    opened: OpenStandalone, shown: Mapping[str, bytes], services_with_faces: Services
) -> None:
    from httpx2 import Request

    standalone = await opened()
    files = {"user_image": ("a.jpg", shown["obama"]), "ref_image": ("b.jpg", shown["obama_again"])}
    form: Request = standalone.client.build_request("POST", PATH, files=files, headers={"idempotency-key": "once"})
    content = form.read()
    answers = [await standalone.client.post(PATH, content=content, headers=dict(form.headers)) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert (await counts(services_with_faces))["sessions"] == 1
