"""Users (contract 60, section 1)."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, FaceRow, MediaRow, ReportRow, SessionRow, UserRow
from ipse.users import service as users
from ipse.users.errors import BlockedUser
from ipse.users.schemas import UserStatus

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


def _picture(side: int = 320, image_format: str = "JPEG") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (120, 130, 140)).save(buffer, image_format)
    return base64.b64encode(buffer.getvalue()).decode()


async def _create(client: AsyncClient, vendor_data: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v3/users/create/", json={"vendor_data": vendor_data, **fields})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def _count(services: Services, table: type[Any], **where: Any) -> int:
    async with services.database.reading() as tx:
        return (await tx.execute(select(func.count()).select_from(table).filter_by(**where))).scalar_one()


async def test_a_created_user_is_read_back_whole(client: AsyncClient) -> None:
    fields = {
        "full_name": "Ada Lovelace",
        "display_name": "Ada",
        "date_of_birth": "1985-12-10",
        "status": "FLAGGED",
        "metadata": {"tier": 1, "": [None]},
        "approved_emails": ["ada@bank.dev"],
        "approved_phones": ["+34600000000"],
        "issuing_states": ["esp"],
    }
    created = await _create(client, "user-1", **fields)
    assert {name: created[name] for name in fields} == {**fields, "issuing_states": ["ESP"]}
    assert created["effective_name"] == "Ada"
    assert created["session_count"] == 0
    assert (await client.get("/v3/users/user-1/")).json() == created
    assert (await client.get("/v3/users/user-1")).json() == created


@pytest.mark.parametrize("vendor_data", ["a@b.dev", "a+b:c", "a b", "ñandú", "create", "a/b", "100%25", "x,y;z=1&2"])
async def test_any_vendor_data_is_addressed_un_encoded(client: AsyncClient, vendor_data: str) -> None:
    await _create(client, vendor_data)
    path = vendor_data.replace("%", "%25")
    assert (await client.get(f"/v3/users/{path}/")).json()["vendor_data"] == vendor_data
    patched = await client.patch(f"/v3/users/{path}/update-status/", json={"status": "FLAGGED"})
    assert (patched.json()["vendor_data"], patched.json()["status"]) == (vendor_data, "FLAGGED")


async def test_vendor_data_is_unique_in_an_application_and_free_in_another(
    client: AsyncClient, make_client: Callable[..., AsyncClient], make_application: Callable[..., Any]
) -> None:
    await _create(client, "user-1")
    again = await client.post("/v3/users/create/", json={"vendor_data": "user-1"})
    assert again.status_code == 400
    assert isinstance(again.json()["vendor_data"], list)
    other = make_client(await make_application())
    assert (await other.get("/v3/users/user-1/")).status_code == 404
    await _create(other, "user-1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "vendor_data"),
        ({"vendor_data": ""}, "vendor_data"),
        ({"vendor_data": "x" * 257}, "vendor_data"),
        ({"vendor_data": 7}, "vendor_data"),
        ({"vendor_data": "u", "status": "Approved"}, "status"),
        ({"vendor_data": "u", "date_of_birth": "10/12/1985"}, "date_of_birth"),
        ({"vendor_data": "u", "full_name": "x" * 513}, "full_name"),
        ({"vendor_data": "u", "metadata": [1]}, "metadata"),
        ({"vendor_data": "u", "metadata": {"n": "x" * 70_000}}, "metadata"),
        ({"vendor_data": "u", "issuing_states": ["ES"]}, "issuing_states"),
    ],
)
async def test_a_bad_user_is_refused_by_field(client: AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await client.post("/v3/users/create/", json=body)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


async def test_a_patch_changes_what_it_names_and_reports_it(
    client: AsyncClient, services: Services, clock: ManualClock
) -> None:
    before = await _create(client, "user-1", full_name="Ada Lovelace", approved_emails=["a@bank.dev"])
    clock.advance(timedelta(minutes=1))
    answer = await client.patch("/v3/users/user-1/", json={"approved_emails": [], "display_name": "Ada"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["full_name"], body["approved_emails"], body["display_name"]) == ("Ada Lovelace", [], "Ada")
    assert body["updated_at"] > before["updated_at"]
    assert await _count(services, EventRow, webhook_type="user.data.updated") == 1
    assert (await client.patch("/v3/users/user-1/", json={"display_name": "Ada"})).status_code == 200
    assert await _count(services, EventRow, webhook_type="user.data.updated") == 1
    assert (await client.patch("/v3/users/nobody/", json={})).status_code == 404


async def test_a_change_of_status_is_history_and_an_event(client: AsyncClient, services: Services) -> None:
    await _create(client, "user-1")
    for status in ("BLOCKED", "BLOCKED", "ACTIVE"):
        answer = await client.patch("/v3/users/user-1/update-status/", json={"status": status})
        assert answer.json()["status"] == status
    newest, oldest = answer.json()["comments"]
    assert (oldest["previous_status"], oldest["new_status"]) == ("ACTIVE", "BLOCKED")
    assert (newest["previous_status"], newest["new_status"]) == ("BLOCKED", "ACTIVE")
    assert await _count(services, EventRow, webhook_type="user.status.updated") == 2
    assert (await client.patch("/v3/users/user-1/update-status/", json={})).status_code == 400


async def test_a_blocked_person_is_refused_until_unblocked(scope: Scope) -> None:
    row = await users.ensure_user(scope, "user-1")
    assert await users.ensure_user(scope, "user-1") is row
    await users.change_status(scope, row, UserStatus.BLOCKED)
    with pytest.raises(BlockedUser) as caught:
        await users.ensure_user(scope, "user-1")
    assert (caught.value.status, list(caught.value.body)) == (400, ["vendor_data"])
    assert await users.ensure_user(scope, "user-1", refuse_blocked=False) is row


async def _session(scope: Scope, number: int, user: UserRow, status: str, **fields: Any) -> SessionRow:
    now = scope.services.clock.now() + timedelta(minutes=number)
    row = SessionRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        session_number=number,
        environment="sandbox",
        status=status,
        user_id=user.id,
        vendor_data=user.vendor_data,
        created_at=now,
        expires_at=now + timedelta(days=7),
        **fields,
    )
    scope.tx.add(row)
    await scope.tx.flush()
    return row


async def test_counts_and_features_are_those_of_the_sessions(scope: Scope) -> None:
    from ipse.users import view

    user = await users.ensure_user(scope, "user-1")
    now = scope.services.clock.now()
    for number, status in enumerate(("Approved", "Approved", "Declined", "In Review", "Not Started"), 1):
        await _session(scope, number, user, status)
    await _session(scope, 6, user, "Approved", deleted_at=now)
    for number, status in ((7, "Declined"), (8, "Approved")):
        session = await _session(scope, number, user, "Approved", decided_at=now + timedelta(hours=number))
        scope.tx.add(
            ReportRow(
                session_id=session.id,
                node_id="feature_liveness",
                feature="LIVENESS",
                status=status,
                report={},
                created_at=now,
                updated_at=now + timedelta(hours=number),
            )
        )
    await scope.tx.flush()
    shown = await view.detail(scope, user)
    assert (shown.session_count, shown.approved_count, shown.declined_count, shown.in_review_count) == (7, 4, 1, 1)
    assert shown.features == {"LIVENESS": "Approved"}
    assert shown.first_session_at == now + timedelta(minutes=1)
    assert shown.last_session_at == now + timedelta(minutes=8)
    assert shown.last_activity_at == now + timedelta(hours=8)


async def test_the_list_is_filtered_ordered_and_paged(client: AsyncClient, clock: ManualClock) -> None:
    for name, country in (("ada", "GBR"), ("bob_1", "ESP"), ("eve%2", "ESP")):
        await _create(client, name, issuing_states=[country], full_name=f"{name} X")
        clock.advance(timedelta(seconds=1))
    await client.patch("/v3/users/ada/update-status/", json={"status": "BLOCKED"})

    async def names(query: str) -> list[str]:
        answer = await client.get(f"/v3/users/?{query}")
        assert answer.status_code == 200, answer.text
        return [item["vendor_data"] for item in answer.json()["results"]]

    assert await names("") == ["eve%2", "bob_1", "ada"]
    assert await names("country=esp") == ["eve%2", "bob_1"]
    assert await names("status=BLOCKED") == ["ada"]
    assert await names("search=BOB") == ["bob_1"]
    assert await names("search=ev") == ["eve%2"], "a word that begins so"
    assert await names("search=eve%252") == ["eve%2"], "the whole value"
    for nothing in ("ve", "%25", "_", "b"):
        assert await names(f"search={nothing}") == []
    page = (await client.get("/v3/users/?limit=2")).json()
    assert (page["count"], len(page["results"])) == (3, 2)
    assert "offset=2" in page["next"]
    for bad in ("status=Approved", "country=Spain", "limit=x", "offset=-1"):
        assert (await client.get(f"/v3/users/?{bad}")).status_code == 400


async def test_the_person_with_the_latest_session_comes_first(
    services: Services, application: RegisteredApplication, client: AsyncClient
) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        for number, name in ((3, "late"), (1, "early")):
            await _session(scope, number, await users.ensure_user(scope, name), "Approved")
        await users.ensure_user(scope, "never")
    results = (await client.get("/v3/users/")).json()["results"]
    assert [item["vendor_data"] for item in results] == ["late", "early", "never"]


async def test_no_credentials_is_401_and_a_wrong_key_403(make_client: Callable[..., AsyncClient]) -> None:
    client = make_client(None)
    assert (await client.get("/v3/users/")).status_code == 401
    assert (await client.get("/v3/users/", headers={"x-api-key": "wrong"})).status_code == 403


async def test_deleting_users_leaves_no_session_no_face_and_no_image_of_theirs(
    services: Services, application: RegisteredApplication, client: AsyncClient
) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        for number, name in enumerate(("user-1", "user-2"), 1):
            user = await users.ensure_user(scope, name)
            session = await _session(scope, number, user, "Approved")
            for purpose in ("probe", "reference", "profile"):
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
    answer = await client.post("/v3/users/delete/", json={"vendor_data_list": ["user-1", "nobody"]})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 1})
    assert [await _count(services, table) for table in (UserRow, FaceRow, MediaRow, SessionRow)] == [1, 3, 3, 1]
    answer = await client.post("/v3/users/delete/", json={"delete_all": True})
    assert answer.json() == {"deleted": 1}
    assert [await _count(services, table) for table in (UserRow, FaceRow, MediaRow, SessionRow)] == [0, 0, 0, 0]


@pytest.mark.parametrize("body", [{}, {"vendor_data_list": []}, {"delete_all": False}])
async def test_a_deletion_that_selects_nobody_is_refused(client: AsyncClient, body: dict[str, Any]) -> None:
    await _create(client, "user-1")
    answer = await client.post("/v3/users/delete/", json=body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), list)
    assert (await client.get("/v3/users/user-1/")).status_code == 200


def _upload_path(application: RegisteredApplication, user_id: str) -> str:
    return (
        f"/v3/organization/{application.organization_id}/application/{application.id}"
        f"/vendor-users/by-id/{user_id}/faces/upload/"
    )


async def test_five_portraits_can_be_uploaded_and_the_newest_is_shown(
    client: AsyncClient, application: RegisteredApplication, clock: ManualClock
) -> None:
    user = await _create(client, "user-1")
    path = _upload_path(application, user["didit_internal_id"])
    for number in range(5):
        answer = await client.post(path, json={"image": _picture(300 + number), "comment": f"number {number}"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["comment"] == f"number {number}"
        clock.advance(timedelta(seconds=1))
    shown = (await client.get("/v3/users/user-1/")).json()["portrait_image_url"]
    assert shown.split("?")[0] == answer.json()["image_url"].split("?")[0]
    sixth = await client.post(path, json={"image": _picture()})
    assert sixth.status_code == 400
    assert list(sixth.json()) == ["detail"]


async def test_unusable_portraits_are_refused_by_one_sentence(
    client: AsyncClient, application: RegisteredApplication, services: Services
) -> None:
    user = await _create(client, "user-1")
    path = _upload_path(application, user["didit_internal_id"])
    for image in (
        "%%%",
        "aGVsbG8=",
        _picture(image_format="WEBP"),
        "A" * (3 * 2**20),
        "====",
        "data:image/png;base64,",
    ):
        answer = await client.post(path, json={"image": image})
        assert answer.status_code == 400, image[:20]
        assert isinstance(answer.json()["image"], str), image[:20]
    assert await _count(services, MediaRow) == 0
    prefixed = await client.post(path, json={"image": f"data:image/jpeg;base64,{_picture()}"})
    assert prefixed.status_code == 201


async def test_portraits_go_only_to_ones_own_users(
    client: AsyncClient,
    application: RegisteredApplication,
    make_client: Callable[..., AsyncClient],
    make_application: Callable[..., Any],
) -> None:
    user = await _create(client, "user-1")
    own = _upload_path(application, user["didit_internal_id"])
    stranger = await make_application()
    body = {"image": _picture()}
    assert (await make_client(stranger).post(own, json=body)).status_code == 404
    foreign = _upload_path(stranger, user["didit_internal_id"])
    assert (await make_client(stranger).post(foreign, json=body)).status_code == 404
    assert (await client.post(_upload_path(application, "not-a-uuid"), json=body)).status_code == 404
    assert (await make_client(None).post(own, json=body)).status_code == 401
