"""The delivery log of a session and resending, over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx2 import AsyncClient

from tests.integration.webhooks.conftest import Post
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def log(client: AsyncClient, session_id: str, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/v3/session/{session_id}/webhooks/{query}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body, list)
    return body


async def test_the_log_shows_every_delivery_newest_first(client: AsyncClient, post: Post, session_id: str) -> None:
    destination_id = await post.destination()
    event_id = await post.event(session_id, 1, "In Progress")
    post.wire.answers[post.URL] = [500]
    await post.worker().run_once()
    await post.event(session_id, 2, "Approved")
    second, first = await log(client, session_id)
    assert (second["status"], second["state"], second["attempts"]) == ("Approved", "pending", 0)
    assert first["event_id"] == event_id
    assert first["destination"] == {"uuid": destination_id, "label": "shop.example.org", "url": post.URL}
    assert (first["state"], first["attempts"], first["response_status_code"]) == ("pending", 1, 500)
    assert first["error"] == "The receiver answered 500."
    assert first["next_attempt_at"] is not None
    assert (first["session_id"], first["request_url"], first["response_status"]) == (session_id, post.URL, 500)
    assert json.loads(first["request_body"])["status"] == "In Progress"
    part = await log(client, session_id, "?limit=1&offset=1")
    assert [item["uuid"] for item in part] == [first["uuid"]]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_resend_repeats_the_event_with_its_id_ahead_of_the_order(
    client: AsyncClient, post: Post, session_id: str, slash: str
) -> None:
    await post.destination()
    event_id = await post.event(session_id, 1, "In Progress")
    await post.event(session_id, 2, "Approved")
    await post.worker().run_once()
    first = (await log(client, session_id))[-1]
    answer = await client.post(f"/v3/session/{session_id}/webhook/{first['uuid']}/resend{slash}")
    assert answer.status_code == 200
    assert (answer.json()["is_resend"], answer.json()["event_id"]) == (True, event_id)
    assert await post.worker().run_once() == 1
    assert [sent.json["event_id"] for sent in post.wire.sent].count(event_id) == 2
    assert len(await log(client, session_id)) == 3


async def test_a_resend_needs_an_enabled_destination(client: AsyncClient, post: Post, session_id: str) -> None:
    destination_id = await post.destination()
    await post.event(session_id, 1, "Approved")
    await post.worker().run_once()
    [delivery] = await log(client, session_id)
    await client.patch(f"/v3/webhook/destinations/{destination_id}/", json={"enabled": False})
    answer = await client.post(f"/v3/session/{session_id}/webhook/{delivery['uuid']}/resend/")
    assert answer.status_code == 400
    assert "disabled" in answer.json()["detail"]


async def test_foreign_and_unknown_deliveries_do_not_exist(
    client: AsyncClient,
    post: Post,
    session_id: str,
    make_client: Callable[[RegisteredApplication], AsyncClient],
    make_application: Callable[[], Awaitable[RegisteredApplication]],
) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    await post.event(other := str(uuid.uuid4()), 1, "Approved")
    [delivery] = await log(client, session_id)
    stranger = make_client(await make_application())
    for answer in (
        await stranger.get(f"/v3/session/{session_id}/webhooks/"),
        await stranger.post(f"/v3/session/{session_id}/webhook/{delivery['uuid']}/resend/"),
        await client.get(f"/v3/session/{uuid.uuid4()}/webhooks/"),
        await client.post(f"/v3/session/{other}/webhook/{delivery['uuid']}/resend/"),
        await client.post(f"/v3/session/{session_id}/webhook/{uuid.uuid4()}/resend/"),
        await client.post(f"/v3/session/{session_id}/webhook/nonsense/resend/"),
    ):
        assert answer.status_code == 404, answer.text


async def test_the_list_of_destinations_shows_what_became_of_deliveries(client: AsyncClient, post: Post) -> None:
    await post.destination()
    post.wire.answers[post.URL] = [200, 400, 400, 200]
    for _ in range(4):
        await post.event(str(uuid.uuid4()), 1, "Approved")
        await post.worker().run_once()
    [item] = (await client.get("/v3/webhook/destinations/")).json()
    assert (item["deliveries_count"], item["failed_deliveries_count"], item["error_rate_percentage"]) == (4, 2, 50)
    assert item["average_response_time_ms"] == 12
    assert item["last_delivery_at"] is not None
    shown = (await client.get(f"/v3/webhook/destinations/{item['uuid']}/")).json()
    assert shown["summary"] == {
        "total_deliveries": 4,
        "failed_deliveries": 2,
        "error_rate_percentage": 50,
        "min_response_time_ms": 12,
        "avg_response_time_ms": 12,
        "max_response_time_ms": 12,
        "last_delivery_at": item["last_delivery_at"],
    }
