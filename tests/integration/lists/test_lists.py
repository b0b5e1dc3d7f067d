"""Lists and entries (contract 60, section 2)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ipse.clock import ManualClock
from ipse.lists import service
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import SightingRow
from tests.integration.lists.conftest import SystemList, put, system_list_of

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def _create(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {"name": "VIPs", "list_type": "custom", "entry_type": "email", **fields}
    answer = await client.post("/v3/lists/", json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_an_application_has_its_system_lists_from_the_first_look(client: AsyncClient) -> None:
    first = (await client.get("/v3/lists/", params={"limit": 100})).json()
    again = (await client.get("/v3/lists/", params={"limit": 100})).json()
    assert first == again
    found = {(one["list_type"], one["entry_type"]) for one in first["results"]}
    assert len([kind for kind, _ in found if kind == "blocklist"]) == 12
    assert ("allowlist", "face") in found
    assert [one["name"] for one in first["results"] if one["list_type"] == "custom"] == ["High Risk Countries"]
    assert all(one["is_system"] and one["entry_count"] == 0 for one in first["results"])


async def test_a_list_is_created_renamed_found_and_deleted(client: AsyncClient) -> None:
    created = await _create(client, description="People we know")
    assert (created["name"], created["is_system"], created["entry_count"]) == ("VIPs", False, 0)
    assert created["last_entry_added_at"] is None
    path = f"/v3/lists/{created['uuid']}/"
    changed = await client.patch(path, json={"name": "Friends", "entry_type": "phone"})
    assert (changed.json()["name"], changed.json()["entry_type"]) == ("Friends", "email")
    assert (await client.get(path)).json() == changed.json()
    await put(client, f"{path}entries/", value="ada@bank.dev")
    assert (await client.get(path)).json()["entry_count"] == 1
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{path}entries/")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"list_type": "blocklist"}, "list_type"),
        ({"list_type": "greylist"}, "list_type"),
        ({"entry_type": "shoe_size"}, "entry_type"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "Blocklist: email"}, "name"),
    ],
)
async def test_a_bad_list_is_refused_by_field(client: AsyncClient, body: dict[str, Any], field: str) -> None:
    whole = {"name": "VIPs", "list_type": "custom", "entry_type": "email", **body}
    answer = await client.post("/v3/lists/", json=whole)
    assert (answer.status_code, list(answer.json())) == (400, [field])


async def test_names_are_unique_in_an_application(client: AsyncClient) -> None:
    await _create(client)
    other = await _create(client, name="Other")
    again = await client.post("/v3/lists/", json={"name": "VIPs", "list_type": "custom", "entry_type": "email"})
    assert (again.status_code, list(again.json())) == (400, ["name"])
    renamed = await client.patch(f"/v3/lists/{other['uuid']}/", json={"name": "VIPs"})
    assert (renamed.status_code, list(renamed.json())) == (400, ["name"])


async def test_a_system_list_can_be_filled_but_neither_changed_nor_deleted(
    client: AsyncClient, blocklist: SystemList
) -> None:
    entries = await blocklist("email")
    path = entries.removesuffix("entries/")
    assert (await client.patch(path, json={"name": "Mine"})).status_code == 400
    assert (await client.delete(path)).status_code == 400
    assert (await put(client, entries, value="Eve@Bank.dev"))["value"] == "eve@bank.dev"


async def test_an_entry_says_who_added_it_when_and_why(client: AsyncClient, blocklist: SystemList) -> None:
    entries = await blocklist("phone")
    entry = await put(
        client,
        entries,
        value="+34 600 00 00 00",
        display_label="The caller",
        comment="SIM swap",
        metadata={"case": 7},
        expires_at="2026-12-01T00:00:00Z",
    )
    assert (entry["value"], entry["display_label"], entry["comment"]) == ("+34600000000", "The caller", "SIM swap")
    assert (entry["metadata"], entry["added_by"]) == ({"case": 7}, "API Client")
    assert entry["created_at"].startswith("2026-11-20T10:00:00")
    assert entry["expires_at"].startswith("2026-12-01T00:00:00")
    page = (await client.get(entries)).json()
    assert page["results"] == [entry]


@pytest.mark.parametrize(
    ("entry_type", "fields", "field", "hint"),
    [
        ("email", {"value": "nonsense"}, "value", "email"),
        ("email", {}, "value", "Send value"),
        ("ip_address", {"value": "203.0.113.7/24"}, "value", "Did you mean 203.0.113.0/24?"),
        ("country", {"value": "Atlantis"}, "value", "ISO 3166-1"),
        ("face", {"value": str(uuid.UUID(int=5))}, "value", "No stored face"),
        ("email", {"value": "a@b.dev", "expires_at": "2026-11-20T09:59:59Z"}, "expires_at", "passed"),
        ("email", {"value": "a@b.dev", "expires_at": "2026-12-01T00:00:00"}, "expires_at", "timezone"),
        ("email", {"value": "a@b.dev", "reference_object_uuid": "x"}, "reference_object_uuid", "UUID"),
    ],
)
async def test_a_bad_entry_is_refused_with_a_hint(
    client: AsyncClient, blocklist: SystemList, entry_type: str, fields: dict[str, Any], field: str, hint: str
) -> None:
    answer = await client.post(await blocklist(entry_type), json=fields)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert hint in answer.text


async def test_a_value_stands_on_a_list_once_and_the_answer_names_its_entry(
    client: AsyncClient, blocklist: SystemList
) -> None:
    entries = await blocklist("ip_address")
    entry = await put(client, entries, value="203.0.113.7")
    again = await client.post(entries, json={"value": "::ffff:203.0.113.7/128"})
    assert again.status_code == 400
    assert entry["uuid"] in again.json()["value"][0]
    await put(client, entries, value="203.0.113.0/24")
    assert (await client.delete(f"{entries}{entry['uuid']}/")).status_code == 204
    assert (await client.delete(f"{entries}{entry['uuid']}/")).status_code == 404
    await put(client, entries, value="203.0.113.7")


async def test_entries_are_found_by_part_of_a_value_or_label(
    client: AsyncClient, clock: ManualClock, blocklist: SystemList
) -> None:
    entries = await blocklist("email")
    await put(client, entries, value="eve@bank.dev")
    clock.advance(timedelta(seconds=1))
    await put(client, entries, value="mallory@bank.dev", display_label="100% fraud")
    for search, count in {"EVE": 1, "bank": 2, "100%": 1, "0_% f": 0}.items():
        assert (await client.get(entries, params={"search": search})).json()["count"] == count
    assert (await client.get(entries, params={"limit": 1})).json()["results"][0]["value"] == "mallory@bank.dev"
    assert (await client.get(entries, params={"reference_session_id": "x"})).status_code == 404


async def test_no_application_sees_or_changes_the_lists_of_another(
    client: AsyncClient, make_client: MakeClient, make_application: MakeApplication
) -> None:
    other = make_client(await make_application())
    entries = await system_list_of(client, "email")
    entry = await put(client, entries, value="eve@bank.dev")
    path = entries.removesuffix("entries/")
    for method, url in [
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("GET", entries),
        ("POST", entries),
        ("POST", f"{entries}face-upload/"),
        ("DELETE", f"{entries}{entry['uuid']}/"),
    ]:
        body = None if method in {"GET", "DELETE"} else {"value": "x@bank.dev", "image": "aGk=", "name": "n"}
        assert (await other.request(method, url, json=body)).status_code == 404, (method, url)
    theirs = await system_list_of(other, "email")
    assert (await other.delete(f"{theirs}{entry['uuid']}/")).status_code == 404
    assert (await other.get(theirs)).json()["count"] == 0
    assert (await make_client(None).get("/v3/lists/")).status_code == 403


async def _types(services: Services, application: RegisteredApplication, **values: list[str]) -> dict[str, Any]:
    async with services.database.reading() as tx:
        return dict(await service.types_of(Scope(tx, application.application, services), values))


async def test_a_look_up_tells_the_types_of_lists_and_is_confined_to_the_application(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    make_application: MakeApplication,
    blocklist: SystemList,
) -> None:
    await put(client, await blocklist("ip_address"), value="203.0.113.0/24")
    await put(client, await blocklist("ip_address", "allowlist"), value="203.0.113.7")
    await put(client, await blocklist("email"), value="eve@bank.dev")
    assert await _types(
        services, application, ip_address=["::ffff:203.0.113.7"], email=["EVE@bank.dev"], phone=["+34600000000"]
    ) == {"ip_address": ("allowlist", "blocklist"), "email": ("blocklist",), "phone": ()}
    assert await _types(services, application, ip_address=["203.0.114.7"], email=["nonsense"], phone=[]) == {
        "ip_address": ()
    }
    assert await _types(services, await make_application(), email=["eve@bank.dev"]) == {"email": ()}
    assert await _types(services, application) == {}


async def test_every_overlapping_network_around_an_address_counts(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    entries = await blocklist("ip_address")
    wide = await put(client, entries, value="203.0.0.0/16")
    await put(client, entries, value="203.0.113.0/24")
    await put(client, entries, value="2001:db8::/32")
    assert await _types(services, application, ip_address=["203.0.113.7"]) == {"ip_address": ("blocklist",)}
    await client.delete(f"{entries}{wide['uuid']}/")
    assert await _types(services, application, ip_address=["203.0.113.7"]) == {"ip_address": ("blocklist",)}
    assert await _types(services, application, ip_address=["203.0.7.7"]) == {"ip_address": ()}
    assert await _types(services, application, ip_address=["2001:db8:5::1"]) == {"ip_address": ("blocklist",)}


async def test_a_look_up_names_the_lists(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    mine = await _create(client, name="Sanctioned", entry_type="country")
    await put(client, await blocklist("country", "custom"), value="PRK")
    await put(client, f"/v3/lists/{mine['uuid']}/entries/", value="KP")
    async with services.database.reading() as tx:
        scope = Scope(tx, application.application, services)
        names = await service.named(scope, {"country": ["kp"]})
        both = await service.types_and_names(scope, {"country": ["kp"]})
    assert names == {"country": ("High Risk Countries", "Sanctioned")}
    assert both == ({"country": ("custom",)}, names)


async def test_an_entry_has_no_effect_from_the_moment_it_expires(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    clock: ManualClock,
    blocklist: SystemList,
) -> None:
    entries = await blocklist("email")
    await put(client, entries, value="eve@bank.dev", expires_at="2026-11-20T11:00:00Z")
    clock.advance(timedelta(minutes=59, seconds=59))
    assert await _types(services, application, email=["eve@bank.dev"]) == {"email": ("blocklist",)}
    clock.advance(timedelta(seconds=1))
    assert await _types(services, application, email=["eve@bank.dev"]) == {"email": ()}
    assert (await client.get(entries)).json()["count"] == 0
    assert (await client.get(entries.removesuffix("entries/"))).json()["entry_count"] == 0
    again = await put(client, entries, value="eve@bank.dev")
    assert again["expires_at"] is None
    assert await _types(services, application, email=["eve@bank.dev"]) == {"email": ("blocklist",)}


@pytest.mark.parametrize(("people", "status"), [(20, 201), (21, 400)])
async def test_a_fingerprint_shared_by_many_people_is_no_device_to_block(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    blocklist: SystemList,
    people: int,
    status: int,
) -> None:
    async with services.database.writing() as tx:
        for number in range(2 * people):
            tx.add(
                SightingRow(
                    id=services.identifiers.uuid(),
                    application_id=application.id,
                    seen_at=services.clock.now(),
                    vendor_data=f"user-{number // 2}",
                    fingerprint="fp-of-many",
                )
            )
    answer = await client.post(await blocklist("device_fingerprint"), json={"value": "FP-of-many"})
    assert answer.status_code == status
    allowed = await client.post(await blocklist("device_fingerprint", "allowlist"), json={"value": "fp-of-many"})
    assert allowed.status_code == 201


async def test_of_simultaneous_requests_one_adds_the_value_and_the_others_are_told(client: AsyncClient) -> None:
    path = await system_list_of(client, "email")
    statuses: list[int] = []

    async def add() -> None:
        statuses.append((await client.post(path, json={"value": "eve@bank.dev"})).status_code)

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(add)
    assert sorted(statuses) == [201, 400, 400, 400, 400, 400]
    assert (await client.get(path)).json()["count"] == 1


async def test_simultaneous_first_looks_make_each_system_list_once(client: AsyncClient) -> None:
    counts: list[int] = []

    async def look() -> None:
        counts.append((await client.get("/v3/lists/")).json()["count"])

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(look)
    assert set(counts) == {len(service.SYSTEM_LISTS)}
