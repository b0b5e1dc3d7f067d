"""Destinations over HTTP (contract 40, section 1)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from ipse.runtime.services import Services
from ipse.storage.tables import DestinationRow
from ipse.webhooks.events import EMITTED
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

ALL = "/v3/webhook/destinations/"
URL = "https://shop.example.org/hooks"


async def created(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(ALL, json={"url": URL, **fields})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert isinstance(body, dict)
    return body


async def test_a_new_destination_shows_its_secret_and_defaults(client: AsyncClient) -> None:
    body = await created(client)
    assert body["label"] == "shop.example.org"
    assert (body["enabled"], body["webhook_version"]) == (True, "v3")
    assert set(body["subscribed_events"]) == EMITTED
    assert re.fullmatch(r"[\w-]{43}", body["secret_shared_key"], re.ASCII)
    assert body["summary"]["total_deliveries"] == 0
    assert body["summary"]["last_delivery_at"] is None


async def test_the_list_is_a_bare_array_oldest_first_without_secrets(client: AsyncClient, clock: Any) -> None:
    from datetime import timedelta

    first = await created(client, label="first")
    clock.advance(timedelta(seconds=1))
    second = await created(client, label="second", url=URL + "/2", subscribed_events=["session.verified"])
    items = (await client.get(ALL)).json()
    assert [item["uuid"] for item in items] == [first["uuid"], second["uuid"]]
    assert items[1]["subscribed_events"] == ["session.verified"]
    assert items[1]["subscribed_events_count"] == 1
    assert items[1]["deliveries_count"] == 0
    assert all("secret_shared_key" not in item for item in items)


async def test_one_destination_is_shown_with_its_secret_in_both_url_forms(client: AsyncClient) -> None:
    body = await created(client)
    for path in (f"{ALL}{body['uuid']}/", f"{ALL}{body['uuid']}"):
        assert (await client.get(path)).json() == body


async def test_the_secret_is_encrypted_in_the_database(client: AsyncClient, services: Services) -> None:
    secret = (await created(client))["secret_shared_key"]
    async with services.database.reading() as tx:
        stored = await tx.scalar(select(DestinationRow.secret_sealed))
        everything = str((await tx.execute(select(DestinationRow.__table__))).all())
    assert stored is not None
    assert secret.encode() not in stored
    assert secret not in everything


async def test_a_change_replaces_what_was_sent_and_never_the_secret(client: AsyncClient) -> None:
    before = await created(client)
    path = f"{ALL}{before['uuid']}/"
    answer = await client.patch(
        path, json={"subscribed_events": ["data.updated"], "label": "new", "rotate_secret_key": True}
    )
    assert answer.status_code == 200
    after = answer.json()
    assert after["subscribed_events"] == ["data.updated"]
    assert after["label"] == "new"
    assert after["url"] == before["url"]
    assert after["secret_shared_key"] == before["secret_shared_key"]
    assert (await client.patch(path, json={})).json()["label"] == "new"


async def test_a_deleted_destination_is_gone(client: AsyncClient) -> None:
    path = f"{ALL}{(await created(client))['uuid']}/"
    answer = await client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (await client.get(path), await client.delete(path), await client.patch(path, json={})):
        assert gone.status_code == 404
        assert "detail" in gone.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": "shop"}, "url"),
        ({"url": "ftp://shop.example.org"}, "url"),
        ({"url": "https://user:pass@shop.example.org"}, "url"),
        ({"url": "https://x.org/" + "a" * 2100}, "url"),
        ({"url": None}, "url"),
        ({"url": URL, "subscribed_events": []}, "subscribed_events"),
        ({"url": URL, "subscribed_events": ["status.updated", "nonsense"]}, "subscribed_events"),
        ({"url": URL, "subscribed_events": "status.updated"}, "subscribed_events"),
        ({"url": URL, "webhook_version": "v9"}, "webhook_version"),
        ({"url": URL, "label": "x" * 256}, "label"),
        ({"url": URL, "enabled": "perhaps"}, "enabled"),
    ],
)
async def test_bad_input_is_refused_by_field(client: AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await client.post(ALL, json=body)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert (await client.get(ALL)).json() == []


async def test_a_url_is_used_once_per_application(
    client: AsyncClient,
    make_client: Callable[[RegisteredApplication], AsyncClient],
    make_application: Callable[[], Awaitable[RegisteredApplication]],
) -> None:
    await created(client)
    answer = await client.post(ALL, json={"url": URL})
    assert answer.status_code == 400
    assert list(answer.json()) == ["url"]
    other = await created(client, url=URL + "/2")
    moved = await client.patch(f"{ALL}{other['uuid']}/", json={"url": URL})
    assert moved.status_code == 400
    assert (await client.patch(f"{ALL}{other['uuid']}/", json={"url": URL + "/2"})).status_code == 200
    await created(make_client(await make_application()))


async def test_an_explicit_empty_list_of_events_is_refused_on_change_too(client: AsyncClient) -> None:
    path = f"{ALL}{(await created(client))['uuid']}/"
    answer = await client.patch(path, json={"subscribed_events": []})
    assert (answer.status_code, list(answer.json())) == (400, ["subscribed_events"])


async def test_private_addresses_need_the_applications_permission(
    make_client: Callable[[RegisteredApplication], AsyncClient],
    make_application: Callable[..., Awaitable[RegisteredApplication]],
) -> None:
    strict = make_client(await make_application(allow_private_webhooks=False))
    for url in ("http://shop.example.org/", "https://127.0.0.1/", "https://[::1]/x", "https://169.254.169.254/"):
        answer = await strict.post(ALL, json={"url": url})
        assert (answer.status_code, list(answer.json())) == (400, ["url"])
    free = make_client(await make_application(allow_private_webhooks=True))
    await created(free, url="http://127.0.0.1:9000/hook")


async def test_a_foreign_destination_does_not_exist(
    client: AsyncClient,
    make_client: Callable[[RegisteredApplication], AsyncClient],
    make_application: Callable[[], Awaitable[RegisteredApplication]],
) -> None:
    path = f"{ALL}{(await created(client))['uuid']}/"
    stranger = make_client(await make_application())
    for answer in (
        await stranger.get(path),
        await stranger.patch(path, json={"label": "x"}),
        await stranger.delete(path),
    ):
        assert answer.status_code == 404
    assert (await stranger.get(ALL)).json() == []
    assert (await client.get(path)).status_code == 200
    for unknown in (f"{ALL}{uuid.uuid4()}/", f"{ALL}not-a-uuid/"):
        assert (await client.get(unknown)).status_code == 404


async def test_the_legacy_endpoint_is_a_view_of_the_oldest_destination(client: AsyncClient) -> None:
    empty = (await client.get("/v3/webhook/")).json()
    assert (empty["webhook_url"], empty["secret_shared_key"]) == (None, None)
    made = await client.patch("/v3/webhook/", json={"webhook_url": URL, "webhook_version": "v2"})
    assert made.json()["webhook_url"] == URL
    [item] = (await client.get(ALL)).json()
    assert (item["url"], item["webhook_version"]) == (URL, "v2")
    same = await client.patch("/v3/webhook/", json={"webhook_url": URL + "/moved"})
    assert same.json()["secret_shared_key"] == made.json()["secret_shared_key"]
    off = (await client.patch("/v3/webhook/", json={"webhook_url": None})).json()
    assert off["webhook_url"] is None
    assert (await client.get(ALL)).json()[0]["enabled"] is False


async def test_only_the_legacy_endpoint_rotates_the_secret_and_only_when_asked(client: AsyncClient) -> None:
    first = (await created(client))["secret_shared_key"]
    assert (await client.patch("/v3/webhook/", json={"webhook_version": "v3"})).json()["secret_shared_key"] == first
    second = (await client.patch("/v3/webhook/", json={"rotate_secret_key": True})).json()["secret_shared_key"]
    assert second != first
    assert (await client.get("/v3/webhook/")).json()["secret_shared_key"] == second


@pytest.mark.parametrize(
    "body", [{"capture_method": "mobile"}, {"data_retention_months": 6}, {"data_retention_months": 0}]
)
async def test_the_legacy_endpoint_does_not_pretend_to_keep_settings(client: AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.patch("/v3/webhook/", json=body)
    assert (answer.status_code, list(answer.json())) == (400, list(body))
    ok = await client.patch("/v3/webhook/", json={"capture_method": "both", "data_retention_months": None})
    assert ok.status_code == 200
