"""A blocked person: list and status say the same, and no session is created (contract 60, sections 1 and 2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, UserRow
from tests.integration.lists.conftest import SystemList, put, system_list_of

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient

pytestmark = pytest.mark.anyio


async def _session(client: AsyncClient, vendor_data: str) -> int:
    body = {"workflow_id": "wf_enrolment", "vendor_data": vendor_data}
    answer = await client.post("/v3/session/", json=body)
    assert answer.status_code in {201, 400}, answer.text
    if answer.status_code == 400:
        assert answer.json() == {"vendor_data": "This user is blocked. Unblock the user before creating a session."}, (
            answer.text
        )
    return int(answer.status_code)


async def _status(client: AsyncClient, vendor_data: str) -> str:
    return str((await client.get(f"/v3/users/{vendor_data}/")).json()["status"])


async def _changes(services: Services) -> int:
    async with services.database.reading() as tx:
        query = select(func.count()).where(EventRow.webhook_type == "user.status.updated")
        return (await tx.execute(query)).scalar_one()


async def test_listing_a_known_person_blocks_them_and_delisting_unblocks_them(
    client: AsyncClient, services: Services, blocklist: SystemList
) -> None:
    assert await _session(client, "Eve") == 201
    entries = await blocklist("user")
    entry = await put(client, entries, value="Eve")
    assert (entry["value"], await _status(client, "Eve"), await _changes(services)) == ("Eve", "BLOCKED", 1)
    assert await _session(client, "Eve") == 400
    assert await _session(client, "eve") == 201
    assert (await client.delete(f"{entries}{entry['uuid']}/")).status_code == 204
    assert (await _status(client, "Eve"), await _changes(services)) == ("ACTIVE", 2)
    assert await _session(client, "Eve") == 201


async def test_a_person_nobody_has_seen_yet_can_be_blocked(
    client: AsyncClient, services: Services, blocklist: SystemList
) -> None:
    await put(client, await blocklist("user"), value="mallory")
    assert await _session(client, "mallory") == 400
    async with services.database.reading() as tx:
        assert (await tx.execute(select(func.count()).select_from(UserRow))).scalar_one() == 0


async def test_the_status_of_a_user_is_mirrored_on_the_list(client: AsyncClient, blocklist: SystemList) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "eve"})
    entries = await blocklist("user")
    for status, values in {"BLOCKED": ["eve"], "FLAGGED": [], "ACTIVE": []}.items():
        await client.patch("/v3/users/eve/update-status/", json={"status": status})
        assert [one["value"] for one in (await client.get(entries)).json()["results"]] == values
        assert await _session(client, "eve") == (400 if values else 201)


async def test_a_block_ends_by_itself_at_its_time(
    client: AsyncClient, services: Services, clock: ManualClock, blocklist: SystemList
) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "eve"})
    await put(client, await blocklist("user"), value="eve", expires_at="2026-11-20T11:00:00Z")
    clock.advance(timedelta(minutes=59))
    assert await _session(client, "eve") == 400
    clock.advance(timedelta(minutes=1))
    assert await _session(client, "eve") == 201
    assert (await _status(client, "eve"), await _changes(services)) == ("ACTIVE", 2)


async def test_a_person_listed_by_session_is_the_person_of_that_session(
    client: AsyncClient, blocklist: SystemList
) -> None:
    body = {"workflow_id": "wf_enrolment", "vendor_data": "eve"}
    created = (await client.post("/v3/session/", json=body)).json()
    entry = await put(client, await blocklist("user"), reference_session_id=created["session_id"])
    assert (entry["value"], entry["reference_session_id"]) == ("eve", created["session_id"])
    assert await _session(client, "eve") == 400


async def test_a_deleted_user_stays_on_the_list(client: AsyncClient, blocklist: SystemList) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "eve"})
    await put(client, await blocklist("user"), value="eve")
    await client.post("/v3/users/delete/", json={"vendor_data_list": ["eve"]})
    assert await _session(client, "eve") == 400


async def test_the_people_of_another_application_are_not_concerned(
    client: AsyncClient, make_client: MakeClient, make_application: MakeApplication
) -> None:
    other = make_client(await make_application())
    await other.post("/v3/users/create/", json={"vendor_data": "eve"})
    await put(client, await system_list_of(client, "user"), value="eve")
    assert (await _status(other, "eve"), await _session(other, "eve")) == ("ACTIVE", 201)
