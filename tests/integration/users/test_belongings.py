"""What belongs to a user: faces, devices, the block that goes with the status, and merging two users."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import (
    DeviceRow,
    EvaluationRow,
    EventRow,
    FaceRow,
    ListEntryRow,
    MediaRow,
    SessionRow,
    SightingRow,
    UserDeviceRow,
    UserRow,
)
from ipse.users import service as users

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def _count(services: Services, table: type[Any], **where: Any) -> int:
    async with services.database.reading() as tx:
        return (await tx.execute(select(func.count()).select_from(table).filter_by(**where))).scalar_one()


async def _history(
    services: Services, application: RegisteredApplication, name: str, *, device_id: str | None = None
) -> str:
    """A person with one approved session, its reference, one live face, a sighting, a device and an evaluation."""
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        user = await users.ensure_user(scope, name)
        now, uuid = services.clock.now(), services.identifiers.uuid
        number = (await tx.execute(select(func.count()).select_from(SessionRow))).scalar_one() + 1
        session = SessionRow(
            id=uuid(),
            application_id=scope.application_id,
            session_number=number,
            environment="sandbox",
            status="Approved",
            user_id=user.id,
            vendor_data=name,
            created_at=now,
            expires_at=now + timedelta(days=7),
        )
        tx.add(session)
        await tx.flush()
        for purpose in ("reference", "probe"):
            kept = await media.store(
                scope, kind="selfie", content=b"image", content_type="image/jpeg", session_id=session.id
            )
            await faces.add(
                scope,
                user=user,
                session_id=session.id,
                media_id=kept.id,
                template=None,
                purpose=purpose,
                source="session",
                supplied_by="person",
                searchable=False,
            )
        if device_id is None:
            device_id = uuid()
            tx.add(
                DeviceRow(
                    id=device_id,
                    application_id=scope.application_id,
                    fingerprint="fp" * 8,
                    details={"device_brand": "Apple", "browser_family": "Safari"},
                    first_seen_at=now,
                    last_seen_at=now,
                )
            )
            await tx.flush()
        tx.add(
            UserDeviceRow(
                user_id=user.id,
                device_id=device_id,
                application_id=scope.application_id,
                first_seen_at=now,
                last_seen_at=now,
            )
        )
        tx.add(
            SightingRow(
                id=uuid(),
                application_id=scope.application_id,
                seen_at=now,
                session_id=session.id,
                vendor_data=name,
                device_id=device_id,
                ip="198.51.100.7",
            )
        )
        tx.add(
            EvaluationRow(
                id=uuid(),
                application_id=scope.application_id,
                evaluated_at=now,
                vendor_data=name,
                action_type="transfer",
                action_hash="0" * 64,
                facts={},
                answer="allow",
            )
        )
    return device_id


async def test_the_faces_of_a_person_are_listed_with_the_one_in_use(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await _history(services, application, "user/1")
    found = (await client.get("/v3/users/user/1/faces/")).json()
    assert [(face["purpose"], face["is_reference"]) for face in found] == [("probe", False), ("reference", True)]
    assert all(face["image_url"] and "template" not in face for face in found)
    assert (await client.get("/v3/users/nobody/faces/")).status_code == 404


async def test_deleting_the_faces_of_a_person_leaves_the_person_and_no_image(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await _history(services, application, "user-1")
    await _history(services, application, "user-2")
    assert (await client.delete("/v3/users/user-1/faces/")).json() == {"deleted": 2}
    assert [await _count(services, table) for table in (UserRow, FaceRow, MediaRow, SessionRow)] == [2, 2, 2, 2]
    assert (await client.get("/v3/users/user-1/faces/")).json() == []
    assert (await client.delete("/v3/users/user-1/faces/")).json() == {"deleted": 0}
    assert (await client.delete("/v3/users/nobody/faces/")).status_code == 404


async def test_one_face_can_be_deleted_and_only_ones_own(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await _history(services, application, "user-1")
    await _history(services, application, "user-2")
    probe, reference = (await client.get("/v3/users/user-1/faces/")).json()
    foreign = (await client.get("/v3/users/user-2/faces/")).json()[0]
    assert (await client.delete(f"/v3/users/user-1/faces/{foreign['uuid']}/")).status_code == 404
    assert (await client.delete("/v3/users/user-1/faces/not-a-uuid/")).status_code == 404
    assert (await client.delete(f"/v3/users/user-1/faces/{reference['uuid']}/")).status_code == 204
    assert (await client.delete(f"/v3/users/user-1/faces/{reference['uuid']}/")).status_code == 404
    (left,) = (await client.get("/v3/users/user-1/faces/")).json()
    assert (left["uuid"], left["is_reference"]) == (probe["uuid"], False)
    assert await _count(services, MediaRow) == 3


async def test_devices_are_listed_trusted_and_revoked(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    device_id = await _history(services, application, "user-1")
    (device,) = (await client.get("/v3/users/user-1/devices/")).json()
    assert (device["device_id"], device["device_brand"], device["is_trusted"]) == (device_id, "Apple", False)
    (trusted,) = (await client.post(f"/v3/users/user-1/devices/{device_id}/trust/")).json()
    assert (trusted["is_trusted"], trusted["trusted_by"]) == (True, "integrator")
    (revoked,) = (await client.post(f"/v3/users/user-1/devices/{device_id}/revoke/")).json()
    assert (revoked["is_trusted"], revoked["revoked_at"] is not None) == (False, True)
    for unknown in (services.identifiers.uuid(), "not-a-uuid"):
        assert (await client.post(f"/v3/users/user-1/devices/{unknown}/trust/")).status_code == 404


async def test_another_application_sees_and_changes_nothing(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    make_client: Callable[..., AsyncClient],
    make_application: Callable[..., Any],
) -> None:
    device_id = await _history(services, application, "user-1")
    face = (await client.get("/v3/users/user-1/faces/")).json()[0]["uuid"]
    stranger = make_client(await make_application())
    await stranger.post("/v3/users/create/", json={"vendor_data": "user-2"})
    for method, path, body in (
        ("GET", "user-1/faces/", None),
        ("DELETE", "user-1/faces/", None),
        ("DELETE", f"user-2/faces/{face}/", None),
        ("GET", "user-1/devices/", None),
        ("POST", f"user-2/devices/{device_id}/trust/", None),
        ("POST", f"user-2/devices/{device_id}/revoke/", None),
        ("POST", "user-1/merge/", {"into": "user-2"}),
    ):
        answer = await stranger.request(method, f"/v3/users/{path}", json=body)
        assert answer.status_code == 404, path
    assert (await stranger.post("/v3/users/user-2/merge/", json={"into": "user-1"})).status_code == 400
    assert (await make_client(None).get("/v3/users/user-1/faces/")).status_code == 401
    assert len((await client.get("/v3/users/user-1/faces/")).json()) == 2


async def test_blocking_by_status_is_an_entry_of_the_blocklist_and_unblocking_takes_it_off(
    client: AsyncClient, services: Services
) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "user-1"})
    for status, entries in (("BLOCKED", 1), ("BLOCKED", 1), ("FLAGGED", 0), ("BLOCKED", 1), ("ACTIVE", 0)):
        await client.patch("/v3/users/user-1/update-status/", json={"status": status})
        assert await _count(services, ListEntryRow, value="user-1") == entries, status


async def test_a_status_set_by_patch_leaves_the_blocklist_alone(client: AsyncClient, services: Services) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "user-1"})
    assert (await client.patch("/v3/users/user-1/", json={"status": "BLOCKED"})).json()["status"] == "BLOCKED"
    assert await _count(services, ListEntryRow) == 0


async def test_an_entry_on_the_blocklist_of_users_blocks_the_user_and_its_removal_unblocks(
    client: AsyncClient, services: Services
) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "user-1"})
    query = {"list_type": "blocklist", "entry_type": "user"}
    uuid = (await client.get("/v3/lists/", params=query)).json()["results"][0]["uuid"]
    entry = (await client.post(f"/v3/lists/{uuid}/entries/", json={"value": "user-1"})).json()
    assert (await client.get("/v3/users/user-1/")).json()["status"] == "BLOCKED"
    assert (await client.delete(f"/v3/lists/{uuid}/entries/{entry['uuid']}/")).status_code == 204
    assert (await client.get("/v3/users/user-1/")).json()["status"] == "ACTIVE"
    assert await _count(services, EventRow, webhook_type="user.status.updated") == 2


async def test_a_deleted_person_stays_blocked_and_is_seen_nowhere(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await _history(services, application, "user-1")
    await client.patch("/v3/users/user-1/update-status/", json={"status": "BLOCKED"})
    assert (await client.post("/v3/users/delete/", json={"vendor_data_list": ["user-1"]})).json() == {"deleted": 1}
    assert await _count(services, ListEntryRow, value="user-1") == 1
    for table in (SightingRow, UserDeviceRow, FaceRow):
        assert await _count(services, table) == 0


async def test_a_merge_moves_the_whole_history_and_says_so_on_both_sides(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    device_id = await _history(services, application, "old")
    clock.advance(timedelta(hours=1))
    await _history(services, application, "new/ñ", device_id=device_id)
    await client.patch("/v3/users/old/", json={"full_name": "Ada", "approved_emails": ["a@b.de"], "metadata": {"a": 1}})
    await client.patch("/v3/users/new/ñ/", json={"approved_emails": ["c@d.de"], "metadata": {"a": 2}})
    answer = await client.post("/v3/users/old/merge/", json={"into": "new/ñ"})
    assert answer.status_code == 200, answer.text
    target = answer.json()
    assert (target["vendor_data"], target["session_count"], target["full_name"]) == ("new/ñ", 2, "Ada")
    assert (target["approved_emails"], target["metadata"]) == (["c@d.de", "a@b.de"], {"a": 2})
    for table in (SessionRow, FaceRow, SightingRow, EvaluationRow):
        assert await _count(services, table, vendor_data="old") == 0
        assert await _count(services, table, vendor_data="new/ñ") in (2, 4)
    (device,) = (await client.get("/v3/users/new/ñ/devices/")).json()
    assert (device["times_seen"], device["first_seen_at"] < device["last_seen_at"]) == (2, True)
    source = (await client.get("/v3/users/old/")).json()
    assert source["session_count"] == 0
    assert "new/ñ" in source["comments"][0]["comment"]
    assert "old" in target["comments"][0]["comment"]
    assert target["comments"][0]["metadata"]["sessions"] == 1
    assert await _count(services, EventRow, webhook_type="user.data.updated") == 4


async def test_after_a_merge_the_target_keeps_its_own_reference(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    await _history(services, application, "new")
    (own,) = [face for face in (await client.get("/v3/users/new/faces/")).json() if face["is_reference"]]
    clock.advance(timedelta(hours=1))
    await _history(services, application, "old")
    await client.post("/v3/users/old/merge/", json={"into": "new"})
    current = [face["uuid"] for face in (await client.get("/v3/users/new/faces/")).json() if face["is_reference"]]
    assert current == [own["uuid"]]
    assert await _count(services, FaceRow, purpose="reference", superseded_at=None) == 1


async def test_a_target_without_reference_gets_that_of_the_other(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "new"})
    await _history(services, application, "old")
    await client.post("/v3/users/old/merge/", json={"into": "new"})
    assert [face["is_reference"] for face in (await client.get("/v3/users/new/faces/")).json()] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("BLOCKED", "ACTIVE", "BLOCKED"), ("ACTIVE", "BLOCKED", "BLOCKED"), ("FLAGGED", "ACTIVE", "FLAGGED")],
)
async def test_nobody_gets_rid_of_a_block_by_a_merge(
    client: AsyncClient, services: Services, old: str, new: str, expected: str
) -> None:
    for name, status in (("old", old), ("new", new)):
        await client.post("/v3/users/create/", json={"vendor_data": name})
        await client.patch(f"/v3/users/{name}/update-status/", json={"status": status})
    assert (await client.post("/v3/users/old/merge/", json={"into": "new"})).json()["status"] == expected
    assert await _count(services, ListEntryRow, value="new") == (expected == "BLOCKED")
    assert (await client.get("/v3/users/old/")).json()["status"] == old


@pytest.mark.parametrize(
    ("source", "body", "status", "field"),
    [
        ("nobody", {"into": "new"}, 404, "detail"),
        ("old", {"into": "nobody"}, 400, "into"),
        ("old", {"into": "old"}, 400, "into"),
        ("old", {"into": ""}, 400, "into"),
        ("old", {}, 400, "into"),
    ],
)
async def test_a_merge_that_makes_no_sense_is_refused_by_field(
    client: AsyncClient, source: str, body: dict[str, str], status: int, field: str
) -> None:
    for name in ("old", "new"):
        await client.post("/v3/users/create/", json={"vendor_data": name})
    answer = await client.post(f"/v3/users/{source}/merge/", json=body)
    assert (answer.status_code, list(answer.json())) == (status, [field])


async def test_merging_twice_and_into_a_merged_user_is_refused_with_the_way_out(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    for name in ("a", "b", "c"):
        await _history(services, application, name)
    assert (await client.post("/v3/users/a/merge/", json={"into": "b"})).status_code == 200
    again = await client.post("/v3/users/a/merge/", json={"into": "b"})
    assert (again.status_code, list(again.json())) == (400, ["vendor_data"])
    chained = await client.post("/v3/users/c/merge/", json={"into": "a"})
    assert (chained.status_code, "b" in chained.json()["into"]) == (400, True)
    await _history(services, application, "a")
    assert (await client.post("/v3/users/a/merge/", json={"into": "c"})).json()["session_count"] == 2


@pytest.mark.parametrize(
    "path", ["faces/", "devices/", "merge/", f"faces/{UUID(int=1)}/", f"devices/{UUID(int=1)}/trust/"]
)
async def test_what_belongs_to_a_user_is_no_user_to_change(client: AsyncClient, path: str) -> None:
    refused = await client.patch(f"/v3/users/ada/{path}", json={"full_name": "Somebody Else"})
    assert refused.status_code == 405, refused.text
