"""Faces on lists, and what a 1:N search makes of them (contract 50 sections 2 and 8)."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from ipse.biometrics.templates import Template
from ipse.checks.screening import FaceHit, screening_warnings
from ipse.faces import erasure
from ipse.faces import service as faces
from ipse.faces.search import search
from ipse.lists import entries, service
from ipse.lists.errors import AlreadyListed, NothingToList, NotOfTheSession
from ipse.lists.schemas import EntryCreate
from ipse.lists.values import EntryType, ListType
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.sessions import deletion
from ipse.storage.tables import FaceRow, ListEntryRow, MediaRow, SessionRow
from ipse.users.service import ensure_user
from tests.integration.lists.conftest import SystemList
from tests.unit.checks.selfies import near, template

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

PROBE = template(1)
_number = iter(range(1, 10_000))


async def _session(scope: Scope, **columns: Any) -> SessionRow:
    now = scope.services.clock.now()
    row = SessionRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        session_number=next(_number),
        kind="HOSTED",
        environment="sandbox",
        created_at=now,
        decided_at=now,
        expires_at=now,
        **{"status": "Declined", "vendor_data": "eve", **columns},
    )
    scope.tx.add(row)
    await scope.tx.flush()
    return row


async def _face(scope: Scope, owner: SessionRow | None, face: Template | None = PROBE, **columns: Any) -> FaceRow:
    values: dict[str, Any] = {
        "user": None,
        "session_id": owner.id if owner else None,
        "vendor_data": owner.vendor_data if owner else None,
        "media_id": None,
        "template": face,
        "purpose": "probe",
        "source": "session",
        "supplied_by": "person",
        "searchable": True,
    }
    return await faces.add(scope, **{**values, **columns})


async def _list(scope: Scope, session: SessionRow, list_type: ListType = ListType.BLOCKLIST) -> ListEntryRow:
    row = await service.system_list(scope, list_type, EntryType.FACE)
    return await entries.add(scope, row, EntryCreate(reference_session_id=session.id))


async def _listed(scope: Scope, **options: Any) -> list[FaceHit]:
    return [hit for hit in await search(scope, PROBE, **options) if hit.is_blocklisted or hit.is_allowlisted]


async def test_a_face_of_a_session_is_found_as_blocklisted(scope: Scope) -> None:
    session = await _session(scope)
    await _face(scope, session, near(PROBE, 0.9))
    entry = await _list(scope, session)
    (hit,) = await _listed(scope)
    assert (hit.face_id, hit.source, hit.session_id, hit.is_blocklisted) == (entry.value, "list_entry", None, True)
    assert (entry.reference_session_id, entry.details["reference_type"]) == (session.id, "session")
    assert [one.risk for one in screening_warnings([hit], None)] == ["FACE_IN_BLOCKLIST"]


async def test_a_faint_likeness_is_a_possible_hit(scope: Scope) -> None:
    session = await _session(scope)
    await _face(scope, session, near(PROBE, 0.49))
    await _list(scope, session)
    assert [one.risk for one in screening_warnings(await _listed(scope), None)] == ["POSSIBLE_FACE_IN_BLOCKLIST"]


async def test_being_the_same_person_or_not_approved_does_not_hide_a_blocklisted_face(scope: Scope) -> None:
    session = await _session(scope)
    await _face(scope, session, searchable=False)
    await _list(scope, session)
    assert len(await _listed(scope, exclude_vendor_data="eve", exclude_session_id=session.id, only_approved=True)) == 1


async def test_any_number_of_lookalikes_does_not_hide_a_blocklisted_face(scope: Scope) -> None:
    session = await _session(scope)
    await _face(scope, session, near(PROBE, 0.6))
    await _list(scope, session)
    for seed in range(60):
        await _face(scope, None, near(PROBE, 0.95, seed), source="imported")
    found = await search(scope, PROBE, limit=5)
    assert (len(found), found[-1].is_blocklisted) == (5, True)


async def test_an_allowlisted_face_is_no_duplicate_unless_it_is_blocklisted_too(scope: Scope) -> None:
    twin = await _session(scope, status="Approved", vendor_data="other")
    await _face(scope, twin)
    assert [w.risk for w in screening_warnings(await search(scope, PROBE), None)] == ["DUPLICATED_FACE"]
    await _list(scope, twin, ListType.ALLOWLIST)
    assert [hit.is_allowlisted for hit in await _listed(scope)] == [True]
    assert screening_warnings(await search(scope, PROBE), None) == ()
    await _list(scope, twin)
    assert [w.risk for w in screening_warnings(await search(scope, PROBE), None)] == ["FACE_IN_BLOCKLIST"]


async def test_a_blocked_face_stays_blocked_when_its_session_or_person_is_deleted(scope: Scope) -> None:
    user = await ensure_user(scope, "eve")
    session = await _session(scope, user_id=user.id)
    await _face(scope, session, user=user)
    await _list(scope, session)
    await deletion.delete_one(scope, session.id)
    await erasure.forget_faces(scope, user)
    await scope.tx.delete(user)
    await scope.tx.flush()
    assert len(await _listed(scope)) == 1


async def test_deleting_an_entry_forgets_its_face_at_once_and_leaves_the_original(scope: Scope) -> None:
    session = await _session(scope)
    original = await _face(scope, session)
    entry = await _list(scope, session)
    row = await service.system_list(scope, ListType.BLOCKLIST, EntryType.FACE)
    await entries.remove(scope, row, [entry])
    assert await _listed(scope) == []
    left = await scope.tx.scalars(select(FaceRow.id).where(FaceRow.application_id == scope.application_id))
    assert left.all() == [original.id]


async def test_the_same_face_of_a_session_is_listed_once(scope: Scope) -> None:
    session = await _session(scope)
    await _face(scope, session)
    await _list(scope, session)
    with pytest.raises(AlreadyListed):
        await _list(scope, session)
    await _list(scope, session, ListType.ALLOWLIST)


async def test_a_stored_face_can_be_named_but_not_one_of_another_session(scope: Scope) -> None:
    session, other = await _session(scope), await _session(scope)
    face = await _face(scope, session)
    row = await service.system_list(scope, ListType.BLOCKLIST, EntryType.FACE)
    with pytest.raises(NotOfTheSession):
        await entries.add(scope, row, EntryCreate(value=face.id, reference_session_id=other.id))
    entry = await entries.add(scope, row, EntryCreate(value=face.id.upper()))
    assert (entry.reference_object_id, entry.reference_session_id) == (face.id, session.id)
    assert len(await _listed(scope)) == 1


async def test_a_session_without_a_face_has_nothing_to_list(scope: Scope) -> None:
    with pytest.raises(NothingToList):
        await _list(scope, await _session(scope))


async def test_a_session_that_nobody_showed_a_face_in_lists_the_one_it_compares_with(scope: Scope) -> None:
    reference = await _face(scope, None, purpose="reference")
    entry = await _list(scope, await _session(scope, reference_face_id=reference.id))
    assert entry.reference_object_id == reference.id


async def test_a_face_without_a_template_is_listed_without_effect(scope: Scope) -> None:
    session = await _session(scope)
    await _face(scope, session, None)
    await _list(scope, session)
    assert await search(scope, PROBE) == ()


async def test_no_application_is_warned_of_the_faces_on_the_lists_of_another(
    services: Services, make_application: MakeApplication
) -> None:
    mine, theirs = (await make_application()).application, (await make_application()).application
    async with services.database.writing() as tx:
        other = Scope(tx, theirs, services)
        session = await _session(other)
        await _face(other, session)
        entry = await _list(other, session)
    async with services.database.reading() as tx:
        assert await service.face_entries(Scope(tx, theirs, services), [entry.value]) == {entry.value: "blocklist"}
        assert await service.face_entries(Scope(tx, mine, services), [entry.value]) == {}
        assert await search(Scope(tx, mine, services), PROBE) == ()


def _picture(image_format: str = "JPEG") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 320), (120, 130, 140)).save(buffer, image_format)
    return base64.b64encode(buffer.getvalue()).decode()


async def test_an_uploaded_face_is_kept_with_its_picture_until_the_entry_goes(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    entries_path = await blocklist("face")
    answer = await client.post(
        f"{entries_path}face-upload/", json={"image": _picture(), "display_label": "Eve", "comment": "seen in March"}
    )
    entry = answer.json()
    assert answer.status_code == 201, answer.text
    assert (entry["display_label"], entry["comment"], entry["reference_session_id"]) == ("Eve", "seen in March", None)
    assert entry["metadata"]["reference_type"] == "face_upload"
    assert (await client.get(entry["metadata"]["reference_image_url"])).headers["content-type"] == "image/jpeg"
    assert (await client.delete(f"{entries_path}{entry['uuid']}/")).status_code == 204
    async with services.database.reading() as tx:
        for table in (FaceRow, MediaRow, ListEntryRow):
            assert (await tx.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_pictures_go_onto_blocklists_and_allowlists_of_faces_only(
    client: AsyncClient, blocklist: SystemList
) -> None:
    custom = await client.post("/v3/lists/", json={"name": "Seen", "list_type": "custom", "entry_type": "face"})
    for path in (await blocklist("email"), f"/v3/lists/{custom.json()['uuid']}/entries/"):
        refused = await client.post(f"{path}face-upload/", json={"image": _picture()})
        assert (refused.status_code, list(refused.json())) == (400, ["image"])
    for image in ("not base64!", _picture("GIF"), ""):
        refused = await client.post(f"{await blocklist('face')}face-upload/", json={"image": image})
        assert (refused.status_code, list(refused.json())) == (400, ["image"])
    allowed = await client.post(f"{await blocklist('face', 'allowlist')}face-upload/", json={"image": _picture()})
    assert allowed.status_code == 201


async def test_deleting_a_list_of_faces_forgets_them(client: AsyncClient, services: Services) -> None:
    made = await client.post("/v3/lists/", json={"name": "Staff", "list_type": "allowlist", "entry_type": "face"})
    path = f"/v3/lists/{made.json()['uuid']}/"
    assert (await client.post(f"{path}entries/face-upload/", json={"image": _picture()})).status_code == 201
    assert (await client.delete(path)).status_code == 204
    async with services.database.reading() as tx:
        for table in (FaceRow, MediaRow, ListEntryRow):
            assert (await tx.execute(select(func.count()).select_from(table))).scalar_one() == 0
