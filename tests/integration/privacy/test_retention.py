"""What an application keeps too long is erased, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from ipse.media import service as media
from ipse.privacy import retention, tasks
from ipse.runtime.services import Services
from ipse.storage.tables import (
    ApplicationRow,
    ErasureReceiptRow,
    FaceRow,
    MediaRow,
    RetentionRunRow,
    SessionRow,
    VerdictRow,
)
from tests.integration.privacy.conftest import become_known, counted
from tests.services import actions

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from ipse.clock import ManualClock
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

DAYS = 30


async def _keep(services: Services, application: RegisteredApplication, days: int | None) -> None:
    async with services.database.writing() as tx:
        await tx.execute(update(ApplicationRow).where(ApplicationRow.id == application.id).values(retention_days=days))


async def test_retention_erases_what_is_too_old_and_says_how_much_before_and_after(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    await become_known(client, services, application, "ada")
    full = await counted(services)
    await _keep(services, application, DAYS)
    clock.advance(timedelta(days=DAYS))
    assert await retention.run(services, application.id) is None, "nothing is due on the last day"
    clock.advance(timedelta(seconds=1))
    dry = await retention.run(services, application.id, dry=True)
    assert dry is not None
    assert dry.is_dry
    expected = {"sessions": 3, "media": 3, "step_up_evaluations": 1, "sightings": 4, "references": 0}
    assert dry.report == expected
    assert {**await counted(services), "retention_runs": 0} == full, "a dry run erases nothing"

    assert await tasks.run_retention(services) == 3
    await media.erasures_finished()
    left = await counted(services)
    gone = ("sessions", "media", "reports", "step_up_evaluations", "sightings", "verdicts", "blobs")
    assert {name: left[name] for name in gone} == dict.fromkeys(gone, 0)
    assert left["users"] == 1, "a user is not a session"
    async with services.database.reading() as tx:
        run = (await tx.scalars(select(RetentionRunRow).where(RetentionRunRow.is_dry.is_(False)))).one()
        assert run.finished_at is not None
        assert {name: run.report.get(name, 0) for name in expected} == expected
        reasons = await tx.scalars(select(ErasureReceiptRow.reason))
        assert reasons.all() == ["retention"] * 3
    assert await tasks.run_retention(services) == 0


async def test_a_session_that_somebody_may_still_act_on_is_never_erased(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    session = await actions.create(client)
    await _keep(services, application, DAYS)
    clock.advance(timedelta(days=DAYS + 1))
    async with services.database.writing() as tx:
        row = await tx.get_one(SessionRow, session["session_id"])
        row.expires_at = clock.now() + timedelta(minutes=1)
    assert await tasks.run_retention(services) == 0
    clock.advance(timedelta(minutes=2))
    assert await tasks.run_retention(services) == 1


async def test_a_reference_in_use_stays_with_the_last_session_of_its_person(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    await actions.approved(client, vendor_data="ada")
    await _keep(services, application, DAYS)
    clock.advance(timedelta(days=DAYS - 1))
    await actions.create(client, vendor_data="ada")
    clock.advance(timedelta(days=2))
    assert await tasks.run_retention(services) == 1
    await media.erasures_finished()
    async with services.database.reading() as tx:
        face = (await tx.scalars(select(FaceRow))).one()
        picture = (await tx.scalars(select(MediaRow))).one()
    assert (face.purpose, face.session_id, face.media_id, picture.session_id) == ("reference", None, picture.id, None)
    assert len(await services.blobs.get(picture.blob_key)) > 0
    clock.advance(timedelta(days=DAYS))
    assert await tasks.run_retention(services) == 1
    await media.erasures_finished()
    left = await counted(services)
    assert (left["faces"], left["media"], left["blobs"]) == (0, 0, 0)


async def test_a_run_that_a_crash_ended_is_finished_by_the_next(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        await actions.create(client)
    await _keep(services, application, DAYS)
    clock.advance(timedelta(days=DAYS + 8))
    monkeypatch.setattr(retention, "SESSIONS_AT_ONCE", 1)
    original, calls = retention._add, []

    async def dies_at_the_second(*given: object) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("the power went")
        await original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_add", dies_at_the_second)
    with pytest.raises(RuntimeError):
        await tasks.run_retention(services)
    assert (await counted(services))["sessions"] == 2
    assert await tasks.run_retention(services) == 3
    async with services.database.reading() as tx:
        run = (await tx.scalars(select(RetentionRunRow))).one()
        assert run.finished_at is not None


async def test_rows_that_nobody_needs_any_more_are_swept(
    client: AsyncClient, services: Services, clock: ManualClock
) -> None:
    session = await actions.approved(client)
    await actions.minted(client, session["session_id"])
    clock.advance(timedelta(days=29))
    assert await tasks.sweep(services) == 0
    clock.advance(timedelta(days=2))
    async with services.database.writing() as tx:
        (await tx.get_one(SessionRow, session["session_id"])).deleted_at = clock.now()
    assert await tasks.sweep(services) == 2
    async with services.database.reading() as tx:
        assert (await tx.scalars(select(VerdictRow.id))).all() == []
        assert (await tx.scalars(select(SessionRow.id))).all() == []


async def test_the_page_tells_until_when_pictures_are_kept_where_that_is_certain(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    await _keep(services, application, DAYS)

    async def told(**more: str) -> object:
        session = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", **more})
        headers = {"Session-Token": session.json()["session_token"]}
        return (await client.post("/v1/capture/start/", headers=headers)).json()["kept_until"]

    assert str(await told()).startswith((clock.now() + timedelta(days=DAYS)).isoformat()[:19])
    assert await told(vendor_data="ada") is None, "the portrait may become the reference and stay"
