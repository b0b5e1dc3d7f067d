"""Guarantee: a clock that jumps, by hours or years, wedges nothing and approves nobody."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from ipse.clock import ManualClock
from ipse.jobs.schedule import Schedule, run_if_due
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.sessions import clockwork
from ipse.storage.tables import DeliveryRow, LeaseRow, SessionRow
from ipse.webhooks import service as webhooks
from ipse.webhooks.delivery import DeliveryWorker
from ipse.webhooks.queue import LEASE
from ipse.webhooks.tasks import release_future
from tests.services.applications import RegisteredApplication
from tests.services.pictures import flat_jpeg
from tests.services.receiver import WebhookReceiver
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

YEARS = timedelta(days=3 * 365)


async def _nothing(_services: Services) -> None:
    """A task that has nothing to do."""


SCHEDULE = Schedule("jump", timedelta(minutes=1), _nothing)


async def test_a_task_that_ran_while_the_clock_was_years_ahead_runs_again_once_it_is_right(
    services: Services, clock: ManualClock
) -> None:
    clock.advance(YEARS)
    assert await run_if_due(services, SCHEDULE, "a")
    clock.advance(-YEARS)
    assert await run_if_due(services, SCHEDULE, "a")
    assert not await run_if_due(services, SCHEDULE, "a"), "from then on it keeps its period"
    clock.advance(YEARS)
    assert await run_if_due(services, SCHEDULE, "b")


async def test_the_lease_of_a_process_whose_clock_was_ahead_does_not_block_for_ever(
    services: Services, clock: ManualClock
) -> None:
    for ahead, runs in ((timedelta(seconds=90), False), (timedelta(hours=2), True), (YEARS, True)):
        async with services.database.writing() as tx:
            row = await tx.get(LeaseRow, SCHEDULE.name) or LeaseRow(name=SCHEDULE.name)
            row.holder, row.expires_at, row.last_run_at = "dead", clock.now() + ahead, None
            tx.add(row)
        assert await run_if_due(services, SCHEDULE, "alive") is runs, ahead


@pytest.mark.parametrize("column", ["due_at", "leased_until"])
async def test_deliveries_that_a_wrong_clock_put_off_for_years_are_sent_once_it_is_right(
    services: Services,
    clock: ManualClock,
    application: RegisteredApplication,
    client: AsyncClient,
    receiver: WebhookReceiver,
    column: str,
) -> None:
    await client.post("/v3/webhook/destinations/", json={"label": "jump", "url": receiver.url})
    if column == "due_at":
        clock.advance(YEARS)
    async with services.database.writing() as tx:
        event_id = await webhooks.record_event(
            Scope(tx, application.application, services),
            session_id=str(uuid.uuid4()),
            session_version=1,
            webhook_type="status.updated",
            status="Declined",
            payload={"status": "Declined"},
        )
    if column == "due_at":
        clock.advance(-YEARS)
    else:
        async with services.database.writing() as tx:
            await tx.execute(update(DeliveryRow).values(leased_until=clock.now() + YEARS, leased_by="ahead"))
    worker = DeliveryWorker(services)
    assert await worker.run_once() == 0
    assert await release_future(services) == 1
    assert await worker.run_once() == 1
    assert [request.body["event_id"] for request in receiver.requests] == [event_id]
    assert await release_future(services) == 0


async def test_the_lease_of_a_worker_at_work_is_left_to_it(
    services: Services, clock: ManualClock, application: RegisteredApplication, client: AsyncClient
) -> None:
    await client.post("/v3/webhook/destinations/", json={"label": "jump", "url": "http://127.0.0.1:9/"})
    async with services.database.writing() as tx:
        await webhooks.record_event(
            Scope(tx, application.application, services),
            session_id=None,
            session_version=None,
            webhook_type="user.data.updated",
            status=None,
            payload={},
        )
        await tx.execute(update(DeliveryRow).values(leased_until=clock.now() + LEASE, leased_by="at work"))
    assert await release_future(services) == 0


@pytest.mark.parametrize("jump", [timedelta(hours=-5), -YEARS])
async def test_a_session_survives_a_clock_that_jumps_back_and_is_decided_once(
    services: Services, clock: ManualClock, client: AsyncClient, jump: timedelta
) -> None:
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    clock.advance(jump)
    await clockwork.sweep(services)
    state = await finish_session(client, created["session_token"], [flat_jpeg(160, 120)])
    assert state["status"] == "Approved"
    clock.advance(-jump)
    await clockwork.sweep(services)
    async with services.database.reading() as tx:
        [row] = await tx.scalars(select(SessionRow))
    assert (row.status, row.version) == ("Approved", 3)


@pytest.mark.parametrize("jump", [timedelta(days=30), YEARS])
async def test_an_open_session_expires_when_the_clock_jumps_ahead_and_stays_so_when_it_jumps_back(
    services: Services, clock: ManualClock, client: AsyncClient, jump: timedelta
) -> None:
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    clock.advance(jump)
    await clockwork.sweep(services)
    clock.advance(-jump)
    await clockwork.sweep(services)
    answer = await client.post("/v1/capture/start/", headers={"Session-Token": created["session_token"]})
    assert answer.status_code in {403, 404, 409, 410}, answer.text
    async with services.database.reading() as tx:
        [row] = await tx.scalars(select(SessionRow))
    assert row.status == "Expired"
