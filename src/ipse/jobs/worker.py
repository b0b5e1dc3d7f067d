"""The worker: webhook deliveries and every schedule of the service, in one place to see what runs when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from ipse.audit import linking
from ipse.audit.checkpoints import EVERY as CHECKPOINT_EVERY
from ipse.devices.tasks import forget_unseen
from ipse.edge import idempotency
from ipse.jobs.schedule import Schedule, run_schedules
from ipse.lists import expiry
from ipse.lockout import service as lockout
from ipse.media.tasks import sweep_orphans
from ipse.privacy import tasks as privacy
from ipse.runtime.services import Services
from ipse.security import keysets
from ipse.sessions import clockwork
from ipse.step_up.policies import forget_old_evaluations
from ipse.webhooks.delivery import DeliveryWorker
from ipse.webhooks.tasks import forget_old_events, release_future


async def reload_keys(services: Services) -> None:
    """Take over a newer version of the key rings, after a rotation in another process."""
    masters = keysets.load_master_keys(services.settings)
    await keysets.reload(services.database, (services.ordinary_ring, services.biometric_ring), masters)


async def forget_old_counts(services: Services) -> None:
    """Drop counts of requests whose window is over."""
    await services.counters.prune(services.clock.now().timestamp())


SCHEDULES: Final[Sequence[Schedule]] = (
    Schedule("sessions.clock", timedelta(seconds=5), clockwork.sweep),
    Schedule("keys.reload", timedelta(seconds=keysets.RELOAD_SECONDS), reload_keys, everywhere=True),
    Schedule("idempotency.forget", timedelta(minutes=10), idempotency.forget_old),
    Schedule("lists.expiry", timedelta(minutes=1), expiry.sweep),
    Schedule("privacy.retention", timedelta(hours=1), privacy.run_retention),
    Schedule("privacy.sweep", timedelta(hours=6), privacy.sweep),
    Schedule("privacy.scrub", timedelta(minutes=1), privacy.scrub),
    Schedule("media.sweep", timedelta(minutes=15), sweep_orphans),
    Schedule("devices.forget", timedelta(hours=1), forget_unseen),
    Schedule("evaluations.forget", timedelta(hours=1), forget_old_evaluations),
    # Linking holds the chain itself; a lease would be written more often than the chain.
    Schedule("audit.link", timedelta(seconds=2), linking.link_waiting, everywhere=True),
    Schedule("audit.checkpoint", CHECKPOINT_EVERY, linking.checkpoint_grown),
    Schedule("counters.forget", timedelta(minutes=1), forget_old_counts),
    Schedule("lockout.forget", timedelta(hours=1), lockout.forget_old),
    Schedule("webhooks.clock", timedelta(minutes=1), release_future),
    Schedule("webhooks.forget", timedelta(hours=6), forget_old_events),
)


async def run_worker(services: Services, stop: asyncio.Event, schedules: Sequence[Schedule] = SCHEDULES) -> None:
    """Deliver webhooks and run ``schedules`` until ``stop`` is set; what is under way is finished first."""
    worker = DeliveryWorker(services)
    await asyncio.gather(worker.run(stop), run_schedules(services, schedules, worker.name, stop))
