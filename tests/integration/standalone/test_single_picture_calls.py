"""What the calls about one picture guarantee: passive liveness, age estimation, face search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from ipse.runtime.application import Mode, SandboxEngine
from ipse.runtime.services import Services
from ipse.storage.tables import FaceRow, SessionRow
from tests.integration.standalone.conftest import OpenStandalone
from tests.services.pictures import flat_jpeg

pytestmark = [pytest.mark.anyio, pytest.mark.models]

LIVENESS, AGE, SEARCH = "/v3/passive-liveness/", "/v3/age-estimation/", "/v3/face-search/"
UNSAVED = {"save_api_request": "false"}


def risks(result: dict[str, Any]) -> set[str]:
    return {warning["risk"] for warning in result["warnings"]}


async def test_a_live_person_is_approved_with_quality_and_luminance(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    result = (await (await opened()).ok(LIVENESS, {"user_image": shown["obama"]}, **UNSAVED))["liveness"]
    assert result["status"] == "Approved"
    assert result["method"] == "PASSIVE"
    assert 0 <= result["face_quality"] <= 100
    assert 0 <= result["face_luminance"] <= 100
    assert set(result) == {"status", "method", "score", "user_image", "warnings", "face_quality", "face_luminance"}


async def test_a_picture_on_a_phone_is_an_attack(opened: OpenStandalone, shown: Mapping[str, bytes]) -> None:
    result = (await (await opened()).ok(LIVENESS, {"image": shown["replay"]}, **UNSAVED))["liveness"]
    assert result["status"] == "Declined"
    assert "LIVENESS_FACE_ATTACK" in risks(result)


@pytest.mark.parametrize(("path", "key"), [(LIVENESS, "liveness"), (AGE, "age_estimation")])
async def test_no_face_is_processed_and_declined(opened: OpenStandalone, path: str, key: str) -> None:
    result = (await (await opened()).ok(path, {"selfie": flat_jpeg()}))[key]
    assert result["status"] == "Declined"
    assert risks(result) == {"NO_FACE_DETECTED"}
    assert result["score"] is None
    assert result["user_image"] == {"entities": [], "best_angle": None}


async def test_a_live_application_does_not_approve_on_the_basic_engine(
    opened: OpenStandalone, shown: Mapping[str, bytes], services_with_faces: Services
) -> None:
    standalone = await opened(mode=Mode.LIVE)
    result = (await standalone.ok(LIVENESS, {"user_image": shown["obama"]}, **UNSAVED))["liveness"]
    basic = services_with_faces.face_engine().liveness_engine == "basic_replay_screening"
    assert result["status"] == ("In Review" if basic else "Approved")
    assert ("BASIC_REPLAY_SCREENING" in risks(result)) is basic


async def test_a_saved_liveness_call_is_a_session_and_enrols_the_face_for_search_only(
    opened: OpenStandalone, shown: Mapping[str, bytes], services_with_faces: Services
) -> None:
    standalone = await opened()
    body = await standalone.ok(LIVENESS, {"user_image": shown["obama"]}, vendor_data="user-1")
    decision = (await standalone.client.get(f"/v3/session/{body['request_id']}/decision/")).json()
    assert decision["features"] == ["LIVENESS"]
    item = decision["liveness_checks"][0]
    assert (await standalone.client.get(item["reference_image"])).content == shown["obama"]
    async with services_with_faces.database.reading() as tx:
        face = (await tx.scalars(select(FaceRow))).one()
        session = (await tx.scalars(select(SessionRow))).one()
    assert (face.purpose, face.supplied_by, face.searchable) == ("supplied", "integrator", True)
    assert face.user_id == session.user_id
    assert (session.kind, session.api_service) == ("API", "PASSIVE_LIVENESS")
    refused = await standalone.client.post(
        "/v3/session/", json={"workflow_id": "wf_ato_step_up", "vendor_data": "user-1"}
    )
    assert refused.status_code == 400, "a picture sent through the API must not become the reference of a step-up"


async def test_the_same_face_of_another_user_is_reported_and_of_the_same_user_is_not(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    first = await standalone.ok(LIVENESS, {"user_image": shown["obama"]}, vendor_data="user-1")
    own = await standalone.ok(LIVENESS, {"user_image": shown["obama_again"]}, vendor_data="user-1", **UNSAVED)
    assert "DUPLICATED_FACE" not in risks(own["liveness"])
    other = await standalone.ok(LIVENESS, {"user_image": shown["obama_again"]}, vendor_data="user-2")
    assert other["liveness"]["status"] == "Approved"
    warning = next(one for one in other["liveness"]["warnings"] if one["risk"] == "DUPLICATED_FACE")
    assert warning["log_type"] == "information"
    assert warning["additional_data"]["duplicated_session_id"] == first["request_id"]
    assert warning["additional_data"]["api_service"] == "PASSIVE_LIVENESS"
    decision = (await standalone.client.get(f"/v3/session/{other['request_id']}/decision/")).json()
    match = decision["liveness_checks"][0]["matches"][0]
    assert match["session_id"] == first["request_id"]
    assert (await standalone.client.get(match["match_image_url"])).content == shown["obama"]


async def test_face_search_finds_who_was_enrolled_and_enrols_nobody(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    enrolled = await standalone.ok(LIVENESS, {"user_image": shown["obama"]}, vendor_data="user-1")
    await standalone.ok(LIVENESS, {"user_image": shown["biden"]}, vendor_data="user-2")
    for _ in range(2):
        body = await standalone.ok(SEARCH, {"user_image": shown["obama_again"]}, vendor_data="user-1")
        result = body["face_search"]
        assert (result["status"], result["total_matches"], len(result["matches"])) == ("Approved", 1, 1)
        match = result["matches"][0]
        assert match["session_id"] == enrolled["request_id"]
        assert match["vendor_data"] == "user-1"
        assert 62 <= match["similarity_percentage"] <= 100
        assert match["source"] == "session"
        assert match["verification_date"] == "2026-11-20T10:00:00Z"
        assert (await standalone.client.get(match["match_image_url"])).content == shown["obama"]
        assert "DUPLICATED_FACE" in risks(result)
    decision = (await standalone.client.get(f"/v3/session/{body['request_id']}/decision/")).json()
    assert decision["features"] == ["FACE_SEARCH"]


async def test_face_search_by_approval_leaves_declined_sessions_out(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    await standalone.ok(
        AGE, {"user_image": shown["obama"]}, age_estimation_decline_threshold="100", vendor_data="user-1"
    )
    most_similar = await standalone.ok(SEARCH, {"user_image": shown["obama_again"]}, **UNSAVED)
    assert most_similar["face_search"]["matches"][0]["status"] == "Declined"
    approved = await standalone.ok(
        SEARCH, {"user_image": shown["obama_again"]}, search_type="blocklisted_or_approved", **UNSAVED
    )
    assert approved["face_search"]["matches"] == []


async def test_face_search_without_a_face_is_an_error_and_a_wrong_type_is_named(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    nobody = await standalone.post(SEARCH, {"user_image": flat_jpeg()})
    assert (nobody.status_code, set(nobody.json())) == (400, {"error"})
    wrong = await standalone.post(SEARCH, {"user_image": shown["obama"]}, search_type="all")
    assert (wrong.status_code, set(wrong.json())) == (400, {"search_type"})


async def test_no_search_reaches_into_another_application(opened: OpenStandalone, shown: Mapping[str, bytes]) -> None:
    await (await opened()).ok(LIVENESS, {"user_image": shown["obama"]}, vendor_data="user-1")
    body = await (await opened()).ok(SEARCH, {"user_image": shown["obama_again"]})
    assert body["face_search"]["matches"] == []


async def test_a_deleted_session_is_never_found_again(opened: OpenStandalone, shown: Mapping[str, bytes]) -> None:
    standalone = await opened()
    body = await standalone.ok(LIVENESS, {"user_image": shown["obama"]}, vendor_data="user-1")
    deleted = await standalone.client.delete(f"/v3/session/{body['request_id']}/delete/")
    assert deleted.status_code == 204
    found = await standalone.ok(SEARCH, {"user_image": shown["obama_again"]}, **UNSAVED)
    assert found["face_search"]["matches"] == []


async def test_the_age_is_answered_under_both_documented_names(
    opened: OpenStandalone, shown: Mapping[str, bytes]
) -> None:
    standalone = await opened()
    body = await standalone.ok(AGE, {"user_image": shown["obama"]})
    assert body["age_estimation"] == body["liveness"]
    assert body["age_estimation"]["status"] == "Approved"
    assert 18 < body["age_estimation"]["age_estimation"] < 80
    decision = (await standalone.client.get(f"/v3/session/{body['request_id']}/decision/")).json()
    assert decision["liveness_checks"][0]["features"] == ["AGE_ESTIMATION"]
    strict = await standalone.ok(AGE, {"user_image": shown["obama"]}, age_estimation_decline_threshold="100", **UNSAVED)
    assert strict["age_estimation"]["status"] == "Declined"
    assert "AGE_BELOW_MINIMUM" in risks(strict["age_estimation"])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (LIVENESS, "face_liveness_score_decline_threshold"),
        (AGE, "face_liveness_score_decline_threshold"),
        (AGE, "age_estimation_decline_threshold"),
    ],
)
@pytest.mark.parametrize("value", ["101", "-1", "many"])
async def test_thresholds_outside_0_to_100_are_named(
    opened: OpenStandalone, shown: Mapping[str, bytes], path: str, field: str, value: str
) -> None:
    response = await (await opened()).post(path, {"user_image": shown["obama"]}, **{field: value})
    assert (response.status_code, set(response.json())) == (400, {field})


@pytest.mark.parametrize("path", [LIVENESS, AGE, SEARCH])
async def test_a_missing_or_broken_picture_is_refused(opened: OpenStandalone, path: str) -> None:
    standalone = await opened()
    missing = await standalone.client.post(path)
    assert (missing.status_code, set(missing.json())) == (400, {"user_image"})
    broken = await standalone.post(path, {"user_image": b"no picture"})
    assert (broken.status_code, set(broken.json())) == (400, {"error"})


async def test_sandbox_answers_are_fixed_validated_and_never_stored(
    opened: OpenStandalone, services_with_faces: Services
) -> None:
    sandbox = await opened(engine=SandboxEngine.SCENARIOS)
    picture = {"user_image": flat_jpeg()}
    alive = await sandbox.ok(LIVENESS, picture)
    assert alive["liveness"]["status"] == "Approved"
    aged = await sandbox.ok(AGE, picture)
    assert aged["age_estimation"]["age_estimation"] == 30.0
    found = await sandbox.ok(SEARCH, picture)
    assert found["face_search"]["status"] == "Approved"
    async with services_with_faces.database.reading() as tx:
        assert (await tx.scalars(select(SessionRow))).all() == []
        assert (await tx.scalars(select(FaceRow))).all() == []
    for path in (LIVENESS, AGE, SEARCH):
        assert (await sandbox.post(path, {"user_image": b"no picture"})).status_code == 400


async def test_without_models_nothing_is_answered_and_nothing_approved(services: Services) -> None:
    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build
    from tests.services.applications import register_application

    application = await register_application(services, engine=SandboxEngine.REAL)
    transport = ASGITransport(build(services.settings, services))
    headers = {"x-api-key": application.key}
    async with AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
        for path in (LIVENESS, AGE, SEARCH):
            response = await client.post(path, files={"user_image": ("a.jpg", flat_jpeg())})
            assert response.status_code == 503
            assert "retry-after" in response.headers
