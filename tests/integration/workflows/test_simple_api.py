"""The simple workflow API over HTTP on a real database."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

MakeApplication = Callable[..., Awaitable["RegisteredApplication"]]
MakeClient = Callable[["RegisteredApplication | None"], "AsyncClient"]

STEP_UP: dict[str, Any] = {
    "workflow_label": "Step-up",
    "features": [{"feature": "LIVENESS", "config": {"face_liveness_method": "passive"}}, {"feature": "FACE_MATCH"}],
}


async def create(client: AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v3/workflows/", json={**STEP_UP, **changes})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def patch(client: AsyncClient, version: str, **changes: Any) -> dict[str, Any]:
    answer = await client.patch(f"/v3/workflows/{version}/", json=changes)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


async def test_a_created_workflow_is_published_with_every_guaranteed_key(client: AsyncClient) -> None:
    made = await create(client)
    assert made["uuid"] == made["workflow_id"]
    assert (made["version"], made["status"], made["is_editable"]) == (1, "published", False)
    assert made["features"] == "LIVENESS + FACE_MATCH"
    assert made["workflow_type"] == "biometric_authentication"
    assert made["is_simple_workflow"] is True
    assert made["total_price"] == 0
    assert made["created_by"] == {"name": "API Client", "email": None, "type": "api_key"}
    assert made["published_at"] is not None
    assert made["face_liveness_method"] == "passive"
    assert made["workflow_graph"]["start_node"] == "feature_liveness"
    assert len(made) > 190
    code = made["workflow_url"].rpartition("/u/")[2]
    assert str(uuid.UUID(bytes=base64.urlsafe_b64decode(code + "=="))) == made["workflow_id"]
    read = (await client.get(f"/v3/workflows/{made['uuid']}/")).json()
    assert read == made


async def test_defaults_are_those_of_the_contract(client: AsyncClient) -> None:
    answer = await client.post("/v3/workflows/", json={"features": [{"feature": "LIVENESS"}]})
    made = answer.json()
    assert made["workflow_label"] == "ID Verification"
    assert made["max_retry_attempts"] == 3
    assert made["retry_window_days"] == 7
    assert made["session_expiration_time"] == 604800
    assert made["face_liveness_max_attempts"] == 3
    assert made["is_desktop_allowed"] is False


async def test_the_list_is_newest_first_and_pages(client: AsyncClient) -> None:
    labels = [f"Number {number}" for number in range(3)]
    for label in labels:
        await create(client, workflow_label=label)
    page = (await client.get("/v3/workflows/", params={"limit": 2})).json()
    assert [item["workflow_label"] for item in page["results"]] == ["Number 2", "Number 1"]
    assert page["next"] is not None
    assert page["previous"] is None
    assert page["count"] == 3 + 5
    assert "workflow_graph" not in page["results"][0]


async def test_attempts_are_copied_into_the_nodes_they_concern(client: AsyncClient) -> None:
    made = await create(client, face_liveness_max_attempts=2, face_match_max_attempts=1)
    nodes = made["workflow_graph"]["nodes"]
    assert nodes["feature_liveness"]["config"]["face_liveness_max_attempts"] == 2
    assert nodes["feature_face_match"]["config"] == {"face_match_max_attempts": 1}


async def test_flat_flags_and_seed_names_are_mapped(client: AsyncClient) -> None:
    answer = await client.post(
        "/v3/workflows/",
        json={
            "workflow_type": "kyc",
            "is_nfc_enabled": True,
            "is_aml_enabled": True,
            "documents_allowed": [],
            "review_threshold": 75,
            "duplicated_user_action": "Review",
            "callback_url": "myapp://done",
        },
    )
    made = answer.json()
    assert answer.status_code == 201
    assert made["features"] == "OCR + NFC + LIVENESS + FACE_MATCH + AML"
    assert made["workflow_type"] == "kyc"
    assert made["face_match_score_review_threshold"] == 75
    assert made["duplicated_user_action"] == "review"
    assert made["callback_url"] == "myapp://done"


async def test_unknown_keys_are_ignored_unless_strict(client: AsyncClient) -> None:
    made = await create(client, colour="red", features=[{"feature": "LIVENESS", "config": {"made_up": 1}}])
    assert "made_up" not in made["workflow_graph"]["nodes"]["feature_liveness"]["config"]
    refused = await client.post("/v3/workflows/", params={"strict": "true"}, json={**STEP_UP, "colour": "red"})
    assert refused.status_code == 400
    assert refused.json() == {"colour": ["This key is not known."]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"features": []}, "features"),
        ({"features": "LIVENESS"}, "features"),
        ({"features": [{"feature": "TELEPATHY"}]}, "features"),
        ({"features": [{"feature": "FACE_MATCH"}]}, "features"),
        ({"features": [{"feature": "AML"}]}, "features"),
        ({"features": [{"feature": "QUESTIONNAIRE", "config": {"questionnaire_uuid": "x"}}]}, "features"),
        ({"features": [{"feature": "LIVENESS", "config": {"face_liveness_max_attempts": 9}}]}, "features"),
        ({"workflow_label": ""}, "workflow_label"),
        ({"workflow_label": "x" * 51}, "workflow_label"),
        ({"status": "archived"}, "status"),
        ({"max_retry_attempts": 11}, "max_retry_attempts"),
        ({"max_retry_attempts": None}, "max_retry_attempts"),
        ({"retry_window_days": 366}, "retry_window_days"),
        ({"session_expiration_time": 3599}, "session_expiration_time"),
        ({"face_match_max_attempts": 4}, "face_match_max_attempts"),
        ({"callback_url": "javascript:alert(1)"}, "callback_url"),
        ({"callback_url": "nowhere"}, "callback_url"),
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": "wf_ato_step_up"}, "slug"),
        ({"decline_threshold": 101}, "decline_threshold"),
    ],
)
async def test_bad_values_are_refused_by_field_and_nothing_is_stored(
    client: AsyncClient, changes: dict[str, Any], field: str
) -> None:
    before = (await client.get("/v3/workflows/")).json()["count"]
    refused = await client.post("/v3/workflows/", json={**STEP_UP, **changes})
    assert refused.status_code == 400, refused.text
    assert list(refused.json()) == [field]
    assert (await client.get("/v3/workflows/")).json()["count"] == before


async def test_features_are_required(client: AsyncClient) -> None:
    refused = await client.post("/v3/workflows/", json={"workflow_label": "Empty"})
    assert refused.status_code == 400
    assert refused.json() == {"features": ["This field is required."]}


async def test_another_content_type_is_415_and_missing_credentials_come_first(
    client: AsyncClient, make_client: MakeClient
) -> None:
    for sender, status in ((client, 415), (make_client(None), 403)):
        answer = await sender.post(
            "/v3/workflows/", content=b"features=LIVENESS", headers={"content-type": "text/plain"}
        )
        assert answer.status_code == status


async def test_no_status_changes_a_published_version_in_place(client: AsyncClient) -> None:
    made = await create(client)
    changed = await patch(client, made["uuid"], workflow_label="Renamed", retry_window_days=None)
    assert (changed["uuid"], changed["version"], changed["workflow_label"]) == (made["uuid"], 1, "Renamed")
    assert changed["retry_window_days"] is None
    assert changed["features"] == made["features"]


async def test_no_status_publishes_a_draft(client: AsyncClient) -> None:
    draft = await create(client, status="draft")
    assert (draft["is_editable"], draft["has_draft"], draft["published_at"]) == (True, True, None)
    changed = await patch(client, draft["uuid"], features=[{"feature": "LIVENESS"}])
    assert (changed["uuid"], changed["status"], changed["features"]) == (draft["uuid"], "published", "LIVENESS")
    assert changed["has_draft"] is False
    assert changed["published_at"] is not None


async def test_publishing_a_published_version_makes_the_next_one_and_drops_drafts(client: AsyncClient) -> None:
    made = await create(client)
    second = await patch(client, made["uuid"], status="published", features=[{"feature": "LIVENESS"}])
    assert second["workflow_id"] == made["workflow_id"]
    assert second["uuid"] != made["uuid"]
    assert second["version"] == 2
    first = (await client.get(f"/v3/workflows/{made['uuid']}/")).json()
    assert first["features"] == "LIVENESS + FACE_MATCH"


async def test_a_draft_is_saved_and_published(client: AsyncClient) -> None:
    draft = await create(client, status="draft")
    saved = await patch(client, draft["uuid"], status="draft", workflow_label="Later")
    assert (saved["status"], saved["workflow_label"]) == ("draft", "Later")
    published = await patch(client, draft["uuid"], status="published")
    assert (published["uuid"], published["version"], published["status"]) == (draft["uuid"], 1, "published")
    refused = await client.patch(f"/v3/workflows/{draft['uuid']}/", json={"status": "draft"})
    assert refused.status_code == 400
    assert list(refused.json()) == ["status"]


async def test_flat_settings_change_the_nodes_of_an_existing_workflow(client: AsyncClient) -> None:
    made = await create(client)
    changed = await patch(client, made["uuid"], face_match_score_decline_threshold=55, face_liveness_method="flashing")
    assert changed["face_match_score_decline_threshold"] == 55
    assert changed["face_liveness_method"] == "flashing"


async def test_a_deleted_version_is_gone_but_its_siblings_stay(client: AsyncClient) -> None:
    made = await create(client)
    second = await patch(client, made["uuid"], status="published")
    assert (await client.delete(f"/v3/workflows/{made['uuid']}/")).status_code == 204
    gone = f"/v3/workflows/{made['uuid']}/"
    for answer in (await client.get(gone), await client.patch(gone, json={}), await client.delete(gone)):
        assert answer.status_code == 404
    assert (await client.get(f"/v3/workflows/{second['uuid']}/")).status_code == 200
    third = await patch(client, second["uuid"], status="published")
    assert third["version"] == 3


async def test_the_slug_of_a_deleted_workflow_is_free_again(client: AsyncClient) -> None:
    made = await create(client, slug="wf_mine")
    assert made["slug"] == "wf_mine"
    taken = await client.post("/v3/workflows/", json={**STEP_UP, "slug": "wf_mine"})
    assert taken.status_code == 400
    await client.delete(f"/v3/workflows/{made['uuid']}/")
    assert (await create(client, slug="wf_mine"))["slug"] == "wf_mine"


async def test_there_is_one_default_workflow(client: AsyncClient) -> None:
    made = await create(client, is_default=True)
    page = (await client.get("/v3/workflows/")).json()
    assert [item["uuid"] for item in page["results"] if item["is_default"]] == [made["uuid"]]
    assert (await patch(client, made["uuid"], is_default=False))["is_default"] is False


async def test_an_application_has_at_most_fifty_workflows(client: AsyncClient) -> None:
    for _ in range(45):
        last = await create(client)
    refused = await client.post("/v3/workflows/", json=STEP_UP)
    assert refused.status_code == 400
    assert "50" in refused.json()["detail"]
    await client.delete(f"/v3/workflows/{last['uuid']}/")
    await create(client)


async def test_foreign_and_malformed_ids_are_404(
    client: AsyncClient, make_application: MakeApplication, make_client: MakeClient
) -> None:
    made = await create(client)
    stranger = make_client(await make_application())
    for version in (made["uuid"], str(uuid.uuid4()), "wf_mine"):
        path = f"/v3/workflows/{version}/"
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.patch(path, json={"workflow_label": "Mine"})).status_code == 404
        assert (await stranger.delete(path)).status_code == 404
    foreign = (await stranger.get("/v3/workflows/")).json()
    assert made["uuid"] not in [item["uuid"] for item in foreign["results"]]
    assert (await client.get(f"/v3/workflows/{made['uuid']}/")).json()["workflow_label"] == "Step-up"
