"""What a schedule promises: each task by one process at a time, taken over when that process dies."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from ipse.clock import ManualClock
from ipse.jobs.schedule import LEASE, Schedule, run_if_due, run_schedules
from ipse.jobs.worker import SCHEDULES, run_worker
from ipse.runtime.services import Services
from ipse.storage.tables import LeaseRow

pytestmark = pytest.mark.anyio


class Task:
    """Counts its runs; may fail, and may wait until it is let go."""

    def __init__(self, *, fails: int = 0) -> None:
        self.runs = 0
        self._fails = fails
        self.started = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, services: Services) -> None:
        self.runs += 1
        self.started.set()
        await self.go.wait()
        if self.runs <= self._fails:
            raise RuntimeError("this run fails")


def every_minute(task: Task) -> Schedule:
    return Schedule("test", timedelta(minutes=1), task)


async def test_a_task_runs_once_per_period_whoever_asks(services: Services, clock: ManualClock) -> None:
    task = Task()
    schedule = every_minute(task)
    assert await run_if_due(services, schedule, "a")
    assert not await run_if_due(services, schedule, "a")
    assert not await run_if_due(services, schedule, "b")
    clock.advance(timedelta(minutes=1))
    assert await run_if_due(services, schedule, "b")
    assert not await run_if_due(services, schedule, "a")
    assert task.runs == 2


async def test_two_processes_never_run_a_task_at_the_same_time(services: Services) -> None:
    task = Task()
    task.go.clear()
    first = asyncio.create_task(run_if_due(services, every_minute(task), "a"))
    await task.started.wait()
    assert not await run_if_due(services, every_minute(task), "b")
    task.go.set()
    assert await first
    assert task.runs == 1


async def test_the_lease_of_a_dead_process_runs_out(services: Services, clock: ManualClock) -> None:
    async with services.database.writing() as tx:
        tx.add(LeaseRow(name="test", holder="dead", expires_at=clock.now() + LEASE, last_run_at=None))
    task = Task()
    assert not await run_if_due(services, every_minute(task), "b")
    clock.advance(LEASE)
    assert await run_if_due(services, every_minute(task), "b")
    assert task.runs == 1


async def test_a_failed_run_gives_the_lease_back_and_does_not_count(services: Services) -> None:
    task = Task(fails=1)
    with pytest.raises(RuntimeError):
        await run_if_due(services, every_minute(task), "a")
    assert await run_if_due(services, every_minute(task), "b")
    assert task.runs == 2


async def test_a_failing_task_does_not_end_the_others_and_a_stop_ends_all(services: Services) -> None:
    good, bad, own = Task(), Task(fails=99), Task()
    stop = asyncio.Event()
    soon = timedelta(milliseconds=10)
    schedules = (
        Schedule("good", soon, good),
        Schedule("bad", soon, bad),
        Schedule("own", soon, own, everywhere=True),
    )
    running = asyncio.create_task(run_schedules(services, schedules, "a", stop))
    async with asyncio.timeout(20):
        while min(bad.runs, own.runs) < 3 or good.runs < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 10)
    async with services.database.reading() as tx:
        assert await tx.get(LeaseRow, "own") is None, "what every process does for itself needs no lease"


async def test_every_schedule_of_the_service_runs_on_an_empty_database(services: Services) -> None:
    assert len({schedule.name for schedule in SCHEDULES}) == len(SCHEDULES)
    for schedule in SCHEDULES:
        await schedule.run(services)


async def test_the_worker_stops_when_told(services: Services) -> None:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(services, stop))
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.wait_for(worker, 15)
