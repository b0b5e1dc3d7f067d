"""What all processes of an installation share, as gauges: any server can tell, whichever a monitor asks.

The numbers are read from the database at most once in :data:`_FRESH_S` seconds, so that whoever reaches ``/metrics``
cannot keep it busy.
"""

from __future__ import annotations

import time
from typing import Final

import structlog
from prometheus_client import Gauge
from sqlalchemy import func, select

from ipse.jobs.worker import SCHEDULES
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import AuditEntryRow, DeliveryRow, DestinationRow, LeaseRow

log = structlog.get_logger(__name__)

_FRESH_S: Final = 5.0

_PENDING = Gauge("ipse_pending_deliveries", "Deliveries that are still to be made, due or waiting for their next try")
_OLDEST = Gauge("ipse_oldest_due_delivery_seconds", "How long the delivery that waits longest has been due; 0 = none")
_PAUSED = Gauge("ipse_paused_destinations", "Destinations that were switched off because nothing reached them")
_OVERDUE = Gauge("ipse_schedule_overdue_ratio", "Time since a task last succeeded, in periods; 1 is on time", ["task"])
_HELD = Gauge("ipse_schedule_running", "1 while a process holds the lease of a task", ["task"])
_UNLINKED = Gauge("ipse_audit_waiting_entries", "Entries of the audit log that are not linked into their chain yet")
_CONNECTIONS = Gauge("ipse_database_connections", "Connections of this process", ["state"])
_ANSWERS = Gauge("ipse_database_answers", "1 when the database answered the last question for these metrics")


class InstallationGauges:
    """Fills the gauges of one process."""

    def __init__(self) -> None:
        self._read_at = float("-inf")

    async def refresh(self, services: Services) -> None:
        """Bring every gauge up to date. A database that does not answer leaves the others as they were."""
        _count_connections(services)
        now = time.monotonic()
        if now - self._read_at < _FRESH_S:
            return
        self._read_at = now
        try:
            async with services.database.reading() as tx:
                await _read(tx, services)
        except Exception as error:  # a monitor wants the other numbers all the more
            log.error("metrics.database", error=type(error).__name__)
            _ANSWERS.set(0)
            return
        _ANSWERS.set(1)


async def _read(tx: Transaction, services: Services) -> None:
    now = services.clock.now()
    pending = (
        await tx.execute(
            select(func.count(), func.min(DeliveryRow.due_at))
            .where(DeliveryRow.state == "pending")
            .select_from(DeliveryRow)
        )
    ).one()
    _PENDING.set(pending[0])
    _OLDEST.set(max(0.0, (now - pending[1]).total_seconds()) if pending[1] else 0.0)
    _PAUSED.set(await tx.scalar(select(func.count()).where(DestinationRow.paused_at.is_not(None))) or 0)
    _UNLINKED.set(await tx.scalar(select(func.count()).where(AuditEntryRow.position.is_(None))) or 0)
    leases = {row.name: row for row in await tx.scalars(select(LeaseRow))}
    for schedule in SCHEDULES:
        lease = leases.get(schedule.name)
        if schedule.everywhere or lease is None:
            continue
        _HELD.labels(schedule.name).set(lease.expires_at > now)
        if lease.last_run_at is not None:
            _OVERDUE.labels(schedule.name).set((now - lease.last_run_at) / schedule.every)


def _count_connections(services: Services) -> None:
    pool = services.database.engine.pool
    for state, name in (("in_use", "checkedout"), ("idle", "checkedin")):
        count = getattr(pool, name, None)
        if count is not None:
            _CONNECTIONS.labels(state).set(count())
