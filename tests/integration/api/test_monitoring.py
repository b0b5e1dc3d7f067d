"""What a monitor learns about the whole installation from any of its servers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ipse.clock import ManualClock
from ipse.jobs.schedule import run_if_due
from ipse.jobs.worker import SCHEDULES
from ipse.runtime.services import Services

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio


async def test_metrics_tell_how_long_the_oldest_event_has_waited_and_whether_schedules_run(
    client: AsyncClient, services: Services, clock: ManualClock
) -> None:
    destination = await client.post(
        "/v3/webhook/destinations/", json={"label": "slow", "url": "https://receiver.example/hook"}
    )
    assert destination.status_code == 201, destination.text
    created = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", "vendor_data": "secret-person"})
    assert created.status_code == 201, created.text
    assert await run_if_due(services, next(s for s in SCHEDULES if s.name == "lists.expiry"), "one")
    clock.advance(timedelta(minutes=10))
    text = (await client.get("/metrics")).text
    assert "ipse_pending_deliveries 1.0" in text
    assert "ipse_oldest_due_delivery_seconds 600.0" in text
    assert 'ipse_schedule_overdue_ratio{task="lists.expiry"} 10.0' in text
    assert 'ipse_schedule_running{task="lists.expiry"} 0.0' in text
    assert "ipse_database_answers 1.0" in text
    assert "secret-person" not in text
    assert "receiver.example" not in text
