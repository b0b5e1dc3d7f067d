"""Sealed people and entries are found by the words that their names begin with, and by nothing once they are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.runtime.services import Services
from ipse.storage.tables import SearchTermRow
from tests.conftest import MakeApplication, MakeClient

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio


async def found(client: AsyncClient, path: str, name: str, text: str) -> list[Any]:
    answer = await client.get(path, params={"search": text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == len(answer.json()["results"])
    return [item[name] for item in answer.json()["results"]]


async def test_people_and_their_sessions_are_found_by_the_beginnings_of_words(
    make_application: MakeApplication, make_client: MakeClient
) -> None:
    client, stranger = make_client(await make_application()), make_client(await make_application())
    person = {"vendor_data": "ada.l@bank.dev", "full_name": "Augusta Ada King-Noël", "display_name": "Miss Byron"}
    assert (await client.post("/v3/users/create/", json=person)).status_code == 201
    session = {"workflow_id": "wf_enrolment", "vendor_data": "ada.l@bank.dev"}
    number = (await client.post("/v3/session/", json=session)).json()["session_number"]
    for text in ("ada", "AUG", "noe\u0308l", "king aug", "byr", "bank.dev", "ada.l@bank.dev"):
        assert await found(client, "/v3/users/", "vendor_data", text) == ["ada.l@bank.dev"], text
    for text in ("gusta", "ada bob", "augustus", "l"):
        assert await found(client, "/v3/users/", "vendor_data", text) == [], text
    for text, expected in (("ada ban", [number]), ("ada.l@bank.dev", [number]), ("augusta", [])):
        assert await found(client, "/v3/sessions/", "session_number", text) == expected, text
    assert await found(stranger, "/v3/users/", "vendor_data", "ada") == []


async def test_a_changed_name_replaces_the_old_one_in_the_search(client: AsyncClient) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "u-1", "full_name": "Ada Byron"})
    await client.patch("/v3/users/u-1/", json={"full_name": "Ada Lovelace"})
    assert await found(client, "/v3/users/", "vendor_data", "love") == ["u-1"]
    assert await found(client, "/v3/users/", "vendor_data", "byron") == []


async def test_list_entries_are_found_by_value_and_label_until_they_are_removed(
    client: AsyncClient, services: Services
) -> None:
    made = await client.post("/v3/lists/", json={"name": "x", "list_type": "custom", "entry_type": "email"})
    path = f"/v3/lists/{made.json()['uuid']}/entries/"
    entry = await client.post(path, json={"value": "eve@mail.dev", "display_label": "Eve the Clerk"})
    assert entry.status_code == 201, entry.text
    for text in ("eve@mail.dev", "mail", "cle"):
        assert await found(client, path, "value", text) == ["eve@mail.dev"], text
    assert await found(client, path, "value", "ail") == []
    assert await terms(services) > 0
    assert (await client.delete(f"{path}{entry.json()['uuid']}/")).status_code == 204
    assert await terms(services) == 0


async def terms(services: Services) -> int:
    async with services.database.reading() as tx:
        return await tx.scalar(select(func.count()).where(SearchTermRow.kind == "list entry")) or 0
