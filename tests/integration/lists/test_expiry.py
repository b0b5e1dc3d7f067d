"""Entries whose time is over are removed with all that was kept for them."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.jobs.worker import SCHEDULES
from ipse.lists import expiry
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, FaceRow, ListEntryRow, MediaRow
from tests.integration.lists.conftest import SystemList, put

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

SOON = "2026-11-20T11:00:00Z"


async def test_the_sweep_removes_what_is_over_and_nothing_else(
    client: AsyncClient,
    services: Services,
    clock: ManualClock,
    blocklist: SystemList,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    entries = await blocklist("key")
    for number in range(5):
        await put(client, entries, value=f"over {number}", expires_at=SOON)
    await put(client, entries, value="later", expires_at="2026-11-20T11:00:01Z")
    await put(client, entries, value="for good")
    assert await expiry.sweep(services) == 0
    clock.advance(timedelta(hours=1))
    assert await expiry.sweep(services) == 5
    async with services.database.reading() as tx:
        assert set(await tx.scalars(select(ListEntryRow.value))) == {"later", "for good"}


async def test_a_person_whose_block_is_over_is_active_again(
    client: AsyncClient, services: Services, clock: ManualClock, blocklist: SystemList
) -> None:
    await client.post("/v3/users/create/", json={"vendor_data": "eve"})
    await put(client, await blocklist("user"), value="eve", expires_at=SOON)
    clock.advance(timedelta(hours=1))
    await expiry.sweep(services)
    assert (await client.get("/v3/users/eve/")).json()["status"] == "ACTIVE"
    async with services.database.reading() as tx:
        events = await tx.execute(select(func.count()).where(EventRow.webhook_type == "user.status.updated"))
        assert events.scalar_one() == 2


async def test_a_face_whose_entry_is_over_is_forgotten(
    client: AsyncClient, services: Services, clock: ManualClock, blocklist: SystemList
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 320)).save(buffer, "JPEG")
    body = {"image": base64.b64encode(buffer.getvalue()).decode(), "expires_at": SOON}
    assert (await client.post(f"{await blocklist('face')}face-upload/", json=body)).status_code == 201
    clock.advance(timedelta(hours=1))
    assert await expiry.sweep(services) == 1
    async with services.database.reading() as tx:
        for table in (FaceRow, MediaRow, ListEntryRow):
            assert (await tx.execute(select(func.count()).select_from(table))).scalar_one() == 0


def test_the_sweep_is_scheduled() -> None:
    assert expiry.sweep in [schedule.run for schedule in SCHEDULES]
