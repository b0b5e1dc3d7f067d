"""Creating sessions: what is accepted, what is refused, and that nothing is half-written."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.runtime.application import Mode
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, MediaRow, SessionRow, UserRow
from tests.services.pictures import flat_jpeg

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient

pytestmark = pytest.mark.anyio

LIVENESS_ONLY = {"workflow_id": "wf_enrolment"}
STEP_UP = {"workflow_id": "wf_ato_step_up"}


async def count(services: Services, table: type[Any]) -> int:
    async with services.database.reading() as tx:
        return await tx.scalar(select(func.count()).select_from(table)) or 0


async def test_creation_answers_the_contracts_keys_the_pages_alias_and_the_hash_of_the_action(
    client: AsyncClient,
) -> None:
    response = await client.post(
        "/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "user-1", "metadata": {"flow": "login"}, "language": "es"}
    )
    assert response.status_code == 201, response.text
    body = response.json()
    assert set(body) == {
        "session_id", "session_number", "session_token", "url", "session_url", "vendor_data", "metadata", "status",
        "callback", "workflow_id", "workflow_version", "action_hash",
    }  # fmt: skip
    assert body["status"] == "Not Started"
    assert body["session_number"] == 1
    assert len(body["session_token"]) == 12
    assert body["url"] == body["session_url"] == f"http://testserver/es/session/{body['session_token']}"
    assert body["metadata"] == {"flow": "login"}


async def test_slashless_form_is_served_without_redirect(client: AsyncClient) -> None:
    response = await client.post("/v3/session", json=LIVENESS_ONLY)
    assert response.status_code == 201


async def test_creation_writes_one_event(client: AsyncClient, services: Services) -> None:
    await client.post("/v3/session/", json=LIVENESS_ONLY)
    assert await count(services, EventRow) == 1


async def test_unfinished_session_of_the_same_person_is_reused(client: AsyncClient, services: Services) -> None:
    first = (await client.post("/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "u", "metadata": {"n": 1}})).json()
    again = await client.post(
        "/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "u", "metadata": {"n": 2}, "callback": "app://done"}
    )
    assert again.status_code == 201
    body = again.json()
    assert (body["session_id"], body["session_token"]) == (first["session_id"], first["session_token"])
    assert (body["metadata"], body["callback"]) == ({"n": 2}, "app://done")
    assert await count(services, SessionRow) == 1


async def test_expired_session_is_not_reused(client: AsyncClient, clock: ManualClock) -> None:
    first = (await client.post("/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "u"})).json()
    clock.advance(timedelta(days=8))
    again = (await client.post("/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "u"})).json()
    assert again["session_id"] != first["session_id"]


@pytest.mark.parametrize(
    ("body", "field", "shape"),
    [
        ({}, "workflow_id", list),
        ({"workflow_id": "no-such"}, "workflow_id", str),
        ({"workflow_id": "4a3b0f3e-8d5f-4a0e-9d2c-000000000000"}, "workflow_id", str),
        ({**LIVENESS_ONLY, "vendor_data": "x" * 257}, "vendor_data", list),
        ({**LIVENESS_ONLY, "language": "xx"}, "language", list),
        ({**LIVENESS_ONLY, "callback": "not a url"}, "callback", list),
        ({**LIVENESS_ONLY, "callback": "javascript://alert(1)"}, "callback", list),
        ({**LIVENESS_ONLY, "callback_method": "both ways"}, "callback_method", list),
        ({**LIVENESS_ONLY, "sandbox_scenario": "no_such"}, "sandbox_scenario", list),
        ({**LIVENESS_ONLY, "expected_details": {"address": "Main St 1"}}, "expected_details", str),
        ({**LIVENESS_ONLY, "expected_details": {"date_of_birth": "31.12.1990"}}, "expected_details", dict),
        ({**LIVENESS_ONLY, "contact_details": {"email": "nobody"}}, "contact_details", dict),
        ({**LIVENESS_ONLY, "metadata": {"blob": "x" * 70_000}}, "metadata", list),
        ({**STEP_UP, "portrait_image": "%%%"}, "portrait_image", list),
        ({**STEP_UP, "portrait_image": ""}, "portrait_image", list),
        ({**STEP_UP, "portrait_image": base64.b64encode(b"GIF89a not an image").decode()}, "portrait_image", list),
        ({**STEP_UP, "portrait_image": base64.b64encode(b"0" * 2_200_000).decode()}, "portrait_image", list),
        (STEP_UP, "portrait_image", str),
        ({**STEP_UP, "vendor_data": "stranger"}, "portrait_image", str),
    ],
)  # fmt: skip
async def test_bad_input_names_the_field_and_writes_nothing(
    client: AsyncClient, services: Services, body: dict[str, Any], field: str, shape: type
) -> None:
    response = await client.post("/v3/session/", json=body)
    assert response.status_code == 400, response.text
    assert isinstance(response.json()[field], shape), response.json()
    for table in (SessionRow, EventRow, MediaRow, UserRow):
        assert await count(services, table) == 0


async def test_portrait_may_carry_a_data_prefix(client: AsyncClient) -> None:
    portrait = "data:image/jpeg;base64," + base64.b64encode(flat_jpeg()).decode()
    response = await client.post("/v3/session/", json={**STEP_UP, "portrait_image": portrait})
    assert response.status_code == 201, response.text


async def test_metadata_text_that_holds_an_object_is_kept_as_object(client: AsyncClient) -> None:
    response = await client.post("/v3/session/", json={**LIVENESS_ONLY, "metadata": '{"a": 1}'})
    assert response.json()["metadata"] == {"a": 1}


async def test_odd_metadata_keys_are_kept(client: AsyncClient) -> None:
    odd = {
        "10": "ten",
        "2": "two",
        "ключ": "мир",
        "": None,
        "__proto__": {"x": [1.5, 1e20, -0.0]},
        "emoji 😀": "\u2028",
    }
    response = await client.post("/v3/session/", json={**LIVENESS_ONLY, "metadata": odd})
    assert response.status_code == 201
    assert response.json()["metadata"] == odd


async def test_unparsable_phone_is_left_out(client: AsyncClient) -> None:
    created = await client.post(
        "/v3/session/", json={**LIVENESS_ONLY, "contact_details": {"email": "a@example.com", "phone": "call me"}}
    )
    decision = await client.get(f"/v3/session/{created.json()['session_id']}/decision/")
    assert decision.json()["contact_details"] == {"email": "a@example.com"}


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'{"workflow_id": "\\ud800"}', b'{"a": "\\u0000"}', b"[" * 9000, b"NaN"])
async def test_malformed_json_is_a_400(client: AsyncClient, raw: bytes) -> None:
    response = await client.post("/v3/session/", content=raw, headers={"content-type": "application/json"})
    assert response.status_code == 400


async def test_wrong_or_missing_key_is_a_403(client: AsyncClient, make_client: MakeClient) -> None:
    anonymous = make_client(None)
    for headers in ({}, {"x-api-key": "ipse_test_wrong"}, {"authorization": "Bearer nope"}):
        response = await anonymous.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)
        assert response.status_code == 403
        assert response.json() == {"detail": "You do not have permission to perform this action."}


async def test_probe_of_clients_needs_403_for_a_bad_key_and_404_for_a_good_one(
    client: AsyncClient, make_client: MakeClient
) -> None:
    assert (await client.get("/v3/session/auth-probe-check/")).status_code == 404
    assert (await make_client(None).get("/v3/session/auth-probe-check/")).status_code == 403


async def test_foreign_sessions_and_workflows_do_not_exist(
    client: AsyncClient, make_application: MakeApplication, make_client: MakeClient
) -> None:
    other = make_client(await make_application())
    mine = (await client.post("/v3/session/", json=LIVENESS_ONLY)).json()
    path = f"/v3/session/{mine['session_id']}"
    assert (await other.get(f"{path}/")).status_code == 404
    assert (await other.get(f"{path}/decision/")).status_code == 404
    assert (await other.patch(f"{path}/update-status/", json={"new_status": "Approved"})).status_code == 404
    assert (await other.delete(f"{path}/delete/")).status_code == 404
    refused = await other.post("/v3/session/", json={"workflow_id": mine["workflow_id"]})
    assert refused.status_code == 400
    assert (await client.get(f"{path}/")).status_code == 200


async def test_blocked_person_gets_no_session(client: AsyncClient) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "villain"})
    await client.patch("/v3/users/villain/update-status/", json={"status": "BLOCKED"})
    response = await client.post("/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "villain"})
    assert response.status_code == 400
    assert isinstance(response.json()["vendor_data"], str)


async def test_scenario_is_refused_in_live_applications(
    make_application: MakeApplication, make_client: MakeClient
) -> None:
    live = make_client(await make_application(mode=Mode.LIVE))
    response = await live.post("/v3/session/", json={**LIVENESS_ONLY, "sandbox_scenario": "approve"})
    assert response.status_code == 400
    assert isinstance(response.json()["sandbox_scenario"], list)


async def test_repeated_request_with_an_idempotency_key_gets_the_first_answer(
    client: AsyncClient, services: Services
) -> None:
    headers = {"Idempotency-Key": "order-77"}
    first = await client.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)
    again = await client.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)
    assert again.json() == first.json()
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert await count(services, SessionRow) == 1


async def test_idempotency_key_with_another_body_is_a_422(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "order-78"}
    await client.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)
    other = await client.post("/v3/session/", json={**LIVENESS_ONLY, "vendor_data": "x"}, headers=headers)
    assert other.status_code == 422


async def test_failed_request_does_not_use_up_its_idempotency_key(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "order-79"}
    assert (await client.post("/v3/session/", json={}, headers=headers)).status_code == 400
    assert (await client.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)).status_code == 201


async def test_idempotency_key_is_forgotten_after_a_day(client: AsyncClient, clock: ManualClock) -> None:
    headers = {"Idempotency-Key": "order-80"}
    first = await client.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)
    clock.advance(timedelta(hours=24, seconds=1))
    again = await client.post("/v3/session/", json=LIVENESS_ONLY, headers=headers)
    assert again.json()["session_id"] != first.json()["session_id"]


async def test_every_answer_carries_a_request_id_and_the_limits(client: AsyncClient) -> None:
    response = await client.get("/v3/sessions/", headers={"x-request-id": "trace-1"})
    assert response.headers["x-request-id"] == "trace-1"
    assert int(response.headers["x-ratelimit-limit"]) == 600
    assert 0 < int(response.headers["x-ratelimit-remaining"]) < 600


async def test_write_limit_answers_429_with_the_headers_clients_wait_by(client: AsyncClient) -> None:
    # A minute may begin on the way and let another 300 through: the limit counts by real time.
    answers = 0
    while (refused := await client.post("/v3/sessions/delete/", json={"session_numbers": ["7"]})).status_code == 204:
        answers += 1
        assert answers <= 600
    assert answers >= 300
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert (await client.get("/v3/sessions/")).status_code == 200
