"""Erasure, proven by counting every row of every table and every blob, before and after."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url, select

from ipse.media import service as media
from ipse.media.tasks import sweep_orphans
from ipse.privacy import erasure, receipts
from ipse.privacy.inventory import Ends, holdings
from ipse.privacy.receipts import Kind, Reason
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import (
    ApplicationRow,
    AuditEntryRow,
    ErasureReceiptRow,
    EventRow,
    FaceRow,
    IdempotencyRow,
    MediaRow,
    SessionRow,
)
from tests.integration.privacy.conftest import KEPT, become_known, counted

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from ipse.clock import ManualClock
    from tests.conftest import MakeApplication, MakeClient
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

ORPHANED = timedelta(hours=2)
PERSONAL = {table.__tablename__ for table, one in holdings().items() if one.ends in (Ends.SESSION, Ends.USER)}


def without_proof(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name not in KEPT}


async def test_deleting_a_user_leaves_no_row_and_no_object(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await become_known(client, services, application, "bystander")
    before = await counted(services)
    await become_known(client, services, application, "ada")
    full = await counted(services)
    assert {name for name in PERSONAL if full[name] == before[name]} == set(), "the test says nothing about these"
    assert (await client.post("/v3/users/delete/", json={"vendor_data_list": ["ada"]})).json() == {"deleted": 1}
    await media.erasures_finished()
    left = await counted(services)
    block = {"list_entries": before["list_entries"] + 1, "faces": before["faces"] + 1}
    empty_list = {"lists": before["lists"] + 1}
    assert without_proof(left) == without_proof({**before, **block, **empty_list})
    assert (await client.get("/v3/users/ada/")).status_code == 404
    async with services.database.reading() as tx:
        kept = (await tx.scalars(select(FaceRow).where(FaceRow.purpose == "listed"))).all()
        assert sum(face.media_id is None for face in kept) == 1, "the picture of a blocked face is gone"


async def test_a_block_is_lifted_by_an_erasure_that_says_so(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    before = await counted(services)
    await become_known(client, services, application, "ada")
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        assert await erasure.erase_user(scope, "ada", keep_blocks=False) is not None
        assert await erasure.erase_user(scope, "nobody") is None
    await media.erasures_finished()
    left = await counted(services)
    of_the_application = {"webhook_destinations", "lists"}
    assert {name for name in without_proof(left) if left[name] != before[name]} == of_the_application


async def test_deleting_a_session_leaves_no_row_and_no_object_of_it(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    person = await become_known(client, services, application, "ada")
    for session_id in person.session_ids:
        assert (await client.delete(f"/v3/session/{session_id}/delete/")).status_code == 204
        assert (await client.delete(f"/v3/session/{session_id}/delete/")).status_code == 404
    await media.erasures_finished()
    left = await counted(services)
    ends_with_a_session = {table.__tablename__ for table, one in holdings().items() if one.ends is Ends.SESSION}
    persons_own = {"step_up_evaluations": 1, "sightings": 1, "faces": 2, "events": 1, "deliveries": 1}
    assert {name: left[name] for name in ends_with_a_session if left[name]} == persons_own
    assert left["blobs"] == 0
    async with services.database.reading() as tx:
        assert set(await tx.scalars(select(FaceRow.purpose))) == {"listed"}


async def test_deleting_an_application_leaves_nothing_but_its_receipt_and_a_bare_chain(
    make_application: MakeApplication, make_client: MakeClient, services: Services
) -> None:
    other = await make_application()
    await become_known(make_client(other), services, other, "bystander")
    before = await counted(services)
    doomed = await make_application(organization_id=other.organization_id)
    await become_known(make_client(doomed), services, doomed, "ada")
    async with services.database.writing() as tx:
        receipt = await erasure.erase_application(Scope(tx, doomed.application, services))
    await media.erasures_finished()
    assert without_proof(await counted(services)) == without_proof(before)
    assert receipt.destroyed["applications"] == 1
    async with services.database.reading() as tx:
        assert await tx.get(ApplicationRow, doomed.id) is None
        entries = (await tx.scalars(select(AuditEntryRow).where(AuditEntryRow.chain == doomed.id))).all()
        assert [entry.act for entry in entries if entry.details_sealed is not None] == ["application.erased"]


async def test_an_erasure_that_fails_half_way_changes_nothing(
    client: AsyncClient, services: Services, application: RegisteredApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    await become_known(client, services, application, "ada")
    before = await counted(services)

    async def fails(*_given: Any) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(receipts, "issue", fails)
    with pytest.raises(RuntimeError, match="the power went"):
        async with services.database.writing() as tx:
            await erasure.erase_user(Scope(tx, application.application, services), "ada")
    await media.erasures_finished()
    assert await counted(services) == before


async def test_blobs_that_a_crash_left_behind_are_unreadable_and_swept(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await become_known(client, services, application, "ada")
    monkeypatch.setattr(media, "_erase_blobs_soon", lambda *_given: None)  # the process dies after the commit
    async with services.database.writing() as tx:
        await erasure.erase_user(Scope(tx, application.application, services), "ada")
    async with services.database.reading() as tx:
        assert (await tx.scalars(select(MediaRow.key_sealed))).all() == []
    assert (await counted(services))["blobs"] == 3
    monkeypatch.undo()
    youngest = max([blob.stored_at async for blob in services.blobs.list_blobs()])
    clock.advance(youngest - clock.now() + ORPHANED)
    await sweep_orphans(services)
    assert (await counted(services))["blobs"] == 0


async def test_a_receipt_lists_what_was_destroyed_and_names_nobody(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    person = await become_known(client, services, application, "ada")
    async with services.database.reading() as tx:
        blobs = sorted(await tx.scalars(select(MediaRow.sha256)))
    await client.post("/v3/users/delete/", json={"delete_all": True})
    async with services.database.reading() as tx:
        row = (await tx.scalars(select(ErasureReceiptRow))).one()
    receipt = receipts.read(row.signed, None)
    assert (receipt.kind, receipt.reason, list(receipt.blobs)) == (Kind.USER, Reason.REQUEST, blobs)
    assert receipt.destroyed["sessions"] == 3
    assert receipt.destroyed["users"] == 1
    text = str(row.signed) + str(row.destroyed) + str(receipt)
    assert not any(name in text for name in ("ada", *person.session_ids, str(person.user["didit_internal_id"])))


async def test_answers_stored_for_retries_are_found_by_whom_they_speak_of(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    made = await client.post(
        "/v3/session/", json={"workflow_id": "wf_enrolment", "vendor_data": "ada"}, headers={"Idempotency-Key": "one"}
    )
    await client.patch("/v3/users/ada/", json={"full_name": "Ada"}, headers={"Idempotency-Key": "two"})
    async with services.database.reading() as tx:
        rows = (await tx.scalars(select(IdempotencyRow).order_by(IdempotencyRow.key))).all()
    subject = services.lookup.tag("subject", application.id, "ada")
    assert [(row.session_id, row.subject_tag) for row in rows] == [
        (made.json()["session_id"], subject),
        (None, subject),
    ]
    assert not any("ada" in row.route for row in rows)


async def test_events_about_a_person_that_belong_to_no_session_go_with_the_person(
    client: AsyncClient, services: Services
) -> None:
    for name in ("ada", "ada-lovelace"):
        await client.post("/v3/users/create/", json={"vendor_data": name})
        await client.patch(f"/v3/users/{name}/update-status/", json={"status": "FLAGGED"})
    await client.post("/v3/users/delete/", json={"vendor_data_list": ["ada"]})
    async with services.database.reading() as tx:
        assert len((await tx.scalars(select(EventRow.id))).all()) == 1


async def test_the_raw_database_holds_no_key_and_no_body_of_what_was_erased(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    if not services.database.is_sqlite:
        pytest.skip("PostgreSQL: VACUUM, as docs/erasure-and-retention.md says")
    await become_known(client, services, application, "ada")
    async with services.database.reading() as tx:
        sealed = [
            *(await tx.scalars(select(MediaRow.key_sealed))),
            *(await tx.scalars(select(EventRow.payload_sealed))),
        ]
        sealed += [*(await tx.scalars(select(SessionRow.token_sealed)))]
    needles = [one[12:60] for one in sealed if one is not None]
    assert sum(needle in _raw(services) for needle in needles) > 6
    await client.post("/v3/users/delete/", json={"vendor_data_list": ["ada"]})
    assert await services.database.scrub()
    assert not any(needle in _raw(services) for needle in needles)


def _raw(services: Services) -> bytes:
    file = make_url(services.settings.database_url).database
    assert file is not None
    folder = Path(file).parent
    return b"".join(path.read_bytes() for path in folder.glob(f"{Path(file).name}*"))
