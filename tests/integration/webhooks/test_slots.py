"""How a worker shares its slots: nobody who does not answer holds up the others."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from ipse.storage.tables import DestinationRow
from ipse.webhooks import delivery, queue
from tests.integration.webhooks.conftest import Post, room

pytestmark = pytest.mark.anyio


async def test_the_backlog_of_a_dead_destination_does_not_hide_what_waits_behind_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_LOOKAHEAD", 3)
    dead = await post.destination("https://dead.example.org/", "session.declined")
    alive = await post.destination("https://alive.example.org/", "session.verified")
    for _ in range(5):
        await post.event(str(uuid.uuid4()), 1, "Declined")
    post.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        await post.event(str(uuid.uuid4()), 1, "Approved")
    async with post.services.database.writing() as tx:
        row = await tx.get(DestinationRow, dead)
        assert row is not None
        row.failing_since = post.clock.now()
        first = await queue.claim(tx, post.services, worker="w", room=room(per_failing_destination=1))
        held = room(busy={dead: 1}, failing=1, per_failing_destination=1)
        second = await queue.claim(tx, post.services, worker="w", room=held)
    assert sorted(claim.destination_id for claim in first) == sorted([dead, alive, alive])
    assert second == [], "the dead one's share is taken, and nobody else waits"


async def test_receivers_that_let_us_wait_give_their_slots_to_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_PATIENCE_S", 0.0)
    urls = [f"https://slow{number}.example.org/" for number in range(2)]
    for url in urls:
        await post.destination(url)
    answering = asyncio.Event()
    post.wire.holds = dict.fromkeys(urls, answering)
    for _ in range(20):
        await post.event(str(uuid.uuid4()), 1, "Approved")
    await post.destination("https://quick.example.org/")
    post.wire.reached["https://quick.example.org/"] = reached = asyncio.Event()
    await post.event(str(uuid.uuid4()), 1, "Approved")
    stop = asyncio.Event()
    running = asyncio.create_task(post.worker().run(stop))
    await asyncio.wait_for(reached.wait(), 20)
    answering.set()
    stop.set()
    await running
