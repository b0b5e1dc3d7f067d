"""Periodic tasks, each run by one process at a time.

A task is guarded by a row of ``leases``: whoever holds it runs the task, and keeps the lease alive while it runs; when
the holder dies, the lease runs out and another process takes over. A task must therefore bear being run again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import IntegrityError

from ipse.runtime.services import Services
from ipse.storage.tables import LeaseRow

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
"""How long a task stays with a process that does not answer any more."""

SKEW: Final = timedelta(seconds=60)
"""How far the clocks of two processes may differ. What lies further in the future was written by a clock that ran
ahead; to wait for it could mean to wait for years."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task and how often it runs.

    ``everywhere`` marks a task that each process runs for itself, without a lease, such as reloading its own keys.
    """

    name: str
    every: timedelta
    run: Callable[[Services], Awaitable[object]]
    everywhere: bool = False


async def run_schedules(services: Services, schedules: Sequence[Schedule], holder: str, stop: asyncio.Event) -> None:
    """Run every schedule until ``stop`` is set. A task that fails is logged and runs again when its time comes."""
    await asyncio.gather(*(_repeat(services, schedule, holder, stop) for schedule in schedules))


async def run_if_due(services: Services, schedule: Schedule, holder: str) -> bool:
    """Run the task if its time has come and no other process has it; return whether it ran.

    Raises:
        Exception: whatever the task raises; the lease is given back and the time of the run is not written down.
    """
    if not await _acquire(services, schedule, holder):
        return False
    keeper = asyncio.create_task(_keep(services, schedule, holder))
    succeeded = False
    try:
        await schedule.run(services)
        succeeded = True
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await _release(services, schedule, holder, succeeded=succeeded)
    return True


async def _repeat(services: Services, schedule: Schedule, holder: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            if schedule.everywhere:
                await schedule.run(services)
            else:
                await run_if_due(services, schedule, holder)
        except Exception as error:
            log.error("schedule.failed", task=schedule.name, error=type(error).__name__, exc_info=error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), schedule.every.total_seconds())


async def _acquire(services: Services, schedule: Schedule, holder: str) -> bool:
    try:
        async with services.database.writing() as tx:
            now = services.clock.now()
            row = await tx.get(LeaseRow, schedule.name, with_for_update=True)
            if row is None:
                tx.add(LeaseRow(name=schedule.name, holder=holder, expires_at=now + LEASE, last_run_at=None))
                return True
            if now < row.expires_at <= now + LEASE + SKEW and row.holder != holder:
                return False
            # A tenth early is on time: waiting is never exact, and two processes wait at different moments.
            if row.last_run_at is not None and -SKEW <= now - row.last_run_at < schedule.every * 0.9:
                return False
            row.holder = holder
            row.expires_at = now + LEASE
            return True
    except IntegrityError:  # another process has just written the first row
        return False


async def _keep(services: Services, schedule: Schedule, holder: str) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        async with services.database.writing() as tx:
            row = await tx.get(LeaseRow, schedule.name, with_for_update=True)
            if row is not None and row.holder == holder:
                row.expires_at = services.clock.now() + LEASE


async def _release(services: Services, schedule: Schedule, holder: str, *, succeeded: bool) -> None:
    async with services.database.writing() as tx:
        row = await tx.get(LeaseRow, schedule.name, with_for_update=True)
        if row is not None and row.holder == holder:
            now = services.clock.now()
            row.expires_at = now
            if succeeded:
                row.last_run_at = now
