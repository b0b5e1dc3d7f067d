"""What delivery promises: at least once, in order, with a stable event id, never to the wrong place."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from ipse.runtime.scope import Scope
from ipse.security.outbound import ConnectionFailed, ForbiddenAddress, OutboundTimeout
from ipse.security.signatures import verify
from ipse.storage.tables import DeliveryRow, DestinationRow, EventRow
from ipse.webhooks import destinations, queue, service
from ipse.webhooks.policy import DELAYS
from ipse.webhooks.schemas import DestinationChange
from ipse.webhooks.tasks import forget_old_events
from tests.integration.webhooks.conftest import Post, room
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


MakeApplication = Callable[..., Awaitable[RegisteredApplication]]


async def test_an_event_reaches_every_destination_that_wants_it_signed_with_its_own_secret(
    post: Post, session_id: str
) -> None:
    urls = ["https://a.example.org/", "https://b.example.org/", "https://c.example.org/"]
    ids = [await post.destination(urls[0]), await post.destination(urls[1], "session.verified")]
    await post.destination(urls[2], "session.declined", "data.updated")
    event_id = await post.event(session_id, 1, "Approved")
    assert await post.worker().run_once() == 2
    assert sorted(sent.url for sent in post.wire.sent) == urls[:2]
    for sent, destination_id in zip(sorted(post.wire.sent, key=lambda s: s.url), ids, strict=True):
        async with post.services.database.reading() as tx:
            scope = Scope(tx, post.application.application, post.services)
            secret = destinations.secret_of(scope, await destinations.get(scope, destination_id))
        now = int(post.clock.now().timestamp())
        event = verify(secret, sent.headers, sent.body, now=now)
        assert (event.event_id, event.status, event.timestamp, event.difference) == (event_id, "Approved", now, None)
        assert event.payload["created_at"] == now
        assert event.payload["application_id"] == post.application.id
        assert event.payload["environment"] == "sandbox"
        assert event.payload.get("event_alias") == ("session.verified" if sent.url == urls[1] else None)
    assert await post.states() == ["delivered", "delivered"]


async def test_an_event_of_a_rolled_back_change_is_never_sent(post: Post, session_id: str) -> None:
    await post.destination()
    opened = await post.services.database.open(write=True)
    await service.record_event(
        Scope(opened.tx, post.application.application, post.services),
        session_id=session_id,
        session_version=1,
        webhook_type="status.updated",
        status="Approved",
        payload={"session_id": session_id},
    )
    await opened.rollback()
    assert await post.worker().run_once() == 0
    assert await post.deliveries() == []


async def test_another_applications_destinations_hear_nothing(
    post: Post, session_id: str, make_application: MakeApplication
) -> None:
    stranger = Post(post.services, await make_application(), post.clock)
    await stranger.destination()
    await post.event(session_id, 1, "Approved")
    assert await post.worker().run_once() == 0


async def test_the_payload_is_encrypted_in_the_database(post: Post, session_id: str) -> None:
    await post.event(session_id, 1, "Approved", vendor_data="user-42")
    async with post.services.database.reading() as tx:
        sealed = await tx.scalar(select(EventRow.payload_sealed))
    assert sealed is not None
    assert b"user-42" not in sealed


async def test_the_private_address_permission_of_the_application_goes_with_each_attempt(
    post: Post, session_id: str, make_application: MakeApplication
) -> None:
    for allowed in (True, False):
        poster = Post(post.services, await make_application(allow_private_webhooks=allowed), post.clock)
        await poster.destination()
        await poster.event(str(uuid.uuid4()), 1, "Approved")
        await poster.worker().run_once()
        assert [sent.allow_private for sent in poster.wire.sent] == [allowed]


async def test_retries_follow_the_schedule_with_the_same_event_id_and_a_fresh_time(post: Post, session_id: str) -> None:
    await post.destination()
    event_id = await post.event(session_id, 1, "Approved")
    post.wire.answers[post.URL] = [500, ConnectionFailed("x"), 404, 200]
    worker = post.worker()
    for delay in (timedelta(), *DELAYS[:3]):
        post.clock.advance(delay - timedelta(seconds=1))
        assert delay == timedelta() or await worker.run_once() == 0
        post.clock.advance(timedelta(seconds=1))
        assert await worker.run_once() == 1
    bodies = [sent.json for sent in post.wire.sent]
    assert {body["event_id"] for body in bodies} == {event_id}
    assert len({body["timestamp"] for body in bodies}) == 4
    assert all(str(sent.json["timestamp"]) == sent.headers["X-Timestamp"] for sent in post.wire.sent)
    assert [sent.headers["X-Ipse-Attempt"] for sent in post.wire.sent] == ["1", "2", "3", "4"]
    [row] = await post.deliveries()
    assert (row.state, row.attempts, row.response_status, row.error) == ("delivered", 4, 200, None)


async def test_a_final_answer_ends_the_delivery_and_not_the_destination(post: Post, session_id: str) -> None:
    destination_id = await post.destination()
    await post.event(session_id, 1, "Approved")
    post.wire.answers[post.URL] = [400]
    await post.worker().run_once()
    [row] = await post.deliveries()
    assert (row.state, row.error) == ("failed", "The receiver answered 400.")
    assert (await post.destination_row(destination_id)).enabled
    post.clock.advance(timedelta(days=3))
    assert await post.worker().run_once() == 0


async def test_a_forbidden_address_is_not_tried_again(post: Post, session_id: str) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    post.wire.answers[post.URL] = [ForbiddenAddress("shop.example.org")]
    await post.worker().run_once()
    [row] = await post.deliveries()
    assert row.state == "failed"
    assert row.error is not None
    assert "not a public address" in row.error


async def test_a_delivery_is_given_up_after_its_last_attempt(post: Post, session_id: str) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    post.wire.answers[post.URL] = [500] * 20
    worker = post.worker()
    for _ in range(len(DELAYS) + 3):
        await worker.run_once()
        post.clock.advance(timedelta(days=2))
    assert len(post.wire.sent) == len(DELAYS) + 1
    assert await post.states() == ["failed"]


async def test_little_of_an_answer_is_kept(post: Post, session_id: str) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    await post.worker().run_once()
    [row] = await post.deliveries()
    assert row.response_excerpt is not None
    assert len(row.response_excerpt) <= 2000
    assert "\x00" not in row.response_excerpt
    assert (row.response_ms, row.response_status) == (12, 200)


async def test_a_later_status_never_overtakes_an_undelivered_earlier_one(post: Post, session_id: str) -> None:
    await post.destination()
    for version, status in enumerate(("Not Started", "In Progress", "Approved"), 1):
        await post.event(session_id, version, status)
    post.wire.answers[post.URL] = [500]
    worker = post.worker()
    assert await worker.run_once() == 1
    assert post.wire.statuses() == ["Not Started"]
    post.clock.advance(DELAYS[0])
    assert await worker.run_once() == 3
    assert post.wire.statuses() == ["Not Started", "Not Started", "In Progress", "Approved"]
    assert await post.states() == ["delivered"] * 3


async def test_another_session_and_another_destination_do_not_wait(post: Post, session_id: str) -> None:
    other_url = "https://other.example.org/"
    await post.destination()
    await post.destination(other_url)
    await post.event(session_id, 1, "In Progress")
    await post.event(session_id, 2, "Approved")
    await post.event(str(uuid.uuid4()), 1, "Declined")
    post.wire.answers[post.URL] = [500, 500]
    await post.worker().run_once()
    assert post.wire.statuses(other_url)[-1] == "Approved" or "Approved" in post.wire.statuses(other_url)
    assert post.wire.statuses(other_url).index("In Progress") < post.wire.statuses(other_url).index("Approved")
    assert "Approved" not in post.wire.statuses(post.URL)


async def test_an_earlier_status_that_fails_for_a_minute_is_superseded_and_never_sent_again(
    post: Post, session_id: str
) -> None:
    await post.destination()
    await post.event(session_id, 1, "In Progress")
    post.wire.answers[post.URL] = [500, 500, 500]
    worker = post.worker()
    await worker.run_once()
    await post.event(session_id, 2, "Approved")
    for step in (5, 45):
        post.clock.advance(timedelta(seconds=step))
        await worker.run_once()
    assert post.wire.statuses() == ["In Progress"] * 3
    post.clock.advance(timedelta(seconds=10))
    await worker.run_once()
    assert post.wire.statuses() == ["In Progress"] * 3 + ["Approved"]
    assert await post.states() == ["superseded", "delivered"]
    post.clock.advance(timedelta(days=3))
    assert await worker.run_once() == 0


async def test_a_lonely_delivery_is_not_superseded(post: Post, session_id: str) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    post.wire.answers[post.URL] = [500] * 3
    worker = post.worker()
    for _ in range(4):
        await worker.run_once()
        post.clock.advance(timedelta(minutes=5))
    assert await post.states() == ["delivered"]


async def test_data_updates_of_one_status_go_out_in_the_order_they_happened(post: Post, session_id: str) -> None:
    await post.destination()
    for number in range(3):
        await post.event(session_id, 4, "Approved", kind="data.updated", number=number)
        post.clock.advance(timedelta(milliseconds=5))
    await post.worker().run_once()
    assert [sent.json["number"] for sent in post.wire.sent] == [0, 1, 2]


async def test_a_crash_between_sending_and_writing_down_sends_the_same_event_again(post: Post, session_id: str) -> None:
    await post.destination()
    event_id = await post.event(session_id, 1, "Approved")
    async with post.services.database.writing() as tx:  # a worker claims it, sends it, and dies
        [claimed] = await queue.claim(tx, post.services, worker="dead", room=room())
    assert claimed.payload["event_id"] == event_id
    worker = post.worker()
    assert await worker.run_once() == 0, "the lease of the dead worker still holds"
    post.clock.advance(queue.LEASE)
    assert await worker.run_once() == 1
    [sent] = post.wire.sent
    assert sent.json["event_id"] == event_id
    [row] = await post.deliveries()
    assert (row.state, row.attempts) == ("delivered", 2)


async def test_a_worker_that_lost_its_lease_does_not_overwrite_its_successor(post: Post, session_id: str) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    slow = post.worker()
    async with post.services.database.writing() as tx:
        [late] = await queue.claim(tx, post.services, worker=slow.name, room=room())
    post.clock.advance(queue.LEASE)
    await post.worker().run_once()
    outcome = slow._unanswered(late, OutboundTimeout("too late"))
    slow._concluded.append(outcome)
    await slow.drain()
    [row] = await post.deliveries()
    assert (row.state, row.error) == ("delivered", None)


async def test_two_workers_never_attempt_the_same_delivery(post: Post) -> None:
    await post.destination()
    for _ in range(20):
        await post.event(str(uuid.uuid4()), 1, "Approved")
    claimed: list[str] = []
    for name in ("one", "two", "one", "two"):
        async with post.services.database.writing() as tx:
            claims = await queue.claim(tx, post.services, worker=name, room=room(free=5))
            claimed += [claim.delivery_id for claim in claims]
    assert len(claimed) == len(set(claimed)) == 20


async def test_one_destination_gets_no_more_than_its_share_of_the_slots(post: Post) -> None:
    first, second = await post.destination("https://a.example.org/"), await post.destination("https://b.example.org/")
    for _ in range(10):
        await post.event(str(uuid.uuid4()), 1, "Approved")
    async with post.services.database.writing() as tx:
        claims = await queue.claim(
            tx, post.services, worker="w", room=room(free=16, busy={first: 3}, per_destination=4)
        )
    assert [claim.destination_id for claim in claims].count(first) == 1
    assert [claim.destination_id for claim in claims].count(second) == 4


async def test_failing_destinations_share_a_part_of_the_slots_however_many_they_are(post: Post) -> None:
    dead = [await post.destination(f"https://dead{n}.example.org/") for n in range(5)]
    alive = await post.destination("https://alive.example.org/")
    for _ in range(4):
        await post.event(str(uuid.uuid4()), 1, "Approved")
    async with post.services.database.writing() as tx:
        for destination_id in dead:
            row = await tx.get(DestinationRow, destination_id)
            assert row is not None
            row.failing_since = post.clock.now()
        claims = await queue.claim(
            tx, post.services, worker="w", room=room(free=16, per_failing_destination=2, all_failing=6)
        )
    taken = [claim.destination_id for claim in claims]
    assert taken.count(alive) == 4
    assert sum(taken.count(destination_id) for destination_id in dead) == 6
    assert max(taken.count(destination_id) for destination_id in dead) == 2


async def test_410_switches_the_destination_off(post: Post, session_id: str) -> None:
    destination_id = await post.destination()
    await post.event(session_id, 1, "In Progress")
    await post.event(session_id, 2, "Approved")
    post.wire.answers[post.URL] = [410]
    await post.worker().run_once()
    row = await post.destination_row(destination_id)
    assert not row.enabled
    assert row.paused_at == post.clock.now()
    assert row.pause_reason == "The receiver answered 410 Gone."
    assert await post.states() == ["failed", "paused"]


async def test_days_of_nothing_but_failure_pause_a_destination_and_enabling_it_sends_what_waited(post: Post) -> None:
    destination_id = await post.destination()
    worker = post.worker()
    post.wire.answers[post.URL] = [500] * 100
    for _ in range(7):
        await post.event(str(uuid.uuid4()), 1, "Approved")
        await worker.run_once()
        post.clock.advance(timedelta(days=1))
    await worker.run_once()
    row = await post.destination_row(destination_id)
    assert not row.enabled
    assert row.pause_reason is not None
    attempts = len(post.wire.sent)
    waiting = await post.event(str(uuid.uuid4()), 1, "Declined")
    post.clock.advance(timedelta(days=1))
    assert await worker.run_once() == 0
    assert len(post.wire.sent) == attempts
    post.wire.answers.clear()
    async with post.services.database.writing() as tx:
        scope = Scope(tx, post.application.application, post.services)
        await destinations.change(scope, destination_id, DestinationChange(enabled=True))
    await worker.run_once()
    assert waiting in {sent.json["event_id"] for sent in post.wire.sent[attempts:]}
    assert set(await post.states()) == {"delivered"}
    row = await post.destination_row(destination_id)
    assert (row.paused_at, row.pause_reason, row.consecutive_failures) == (None, None, 0)


async def test_a_success_forgives_earlier_failures(post: Post) -> None:
    destination_id = await post.destination()
    post.wire.answers[post.URL] = [500, 500, 200]
    for _ in range(3):
        await post.event(str(uuid.uuid4()), 1, "Approved")
        await post.worker().run_once()
    row = await post.destination_row(destination_id)
    assert (row.failing_since, row.consecutive_failures) == (None, 0)


async def test_a_destination_switched_off_by_hand_gets_nothing(post: Post, session_id: str) -> None:
    destination_id = await post.destination()
    await post.event(session_id, 1, "In Progress")
    async with post.services.database.writing() as tx:
        scope = Scope(tx, post.application.application, post.services)
        await destinations.change(scope, destination_id, DestinationChange(enabled=False))
    await post.event(session_id, 2, "Approved")
    assert await post.worker().run_once() == 0
    assert await post.states() == ["paused"], "what happens while it is off is not for it"


async def test_a_deleted_destination_takes_its_deliveries_along(post: Post, session_id: str) -> None:
    destination_id = await post.destination()
    await post.event(session_id, 1, "Approved")
    async with post.services.database.writing() as tx:
        await destinations.delete(Scope(tx, post.application.application, post.services), destination_id)
    assert await post.worker().run_once() == 0
    assert await post.deliveries() == []


async def test_a_value_that_cannot_be_opened_is_kept_and_tried_again(post: Post, session_id: str) -> None:
    await post.destination()
    event_id = await post.event(session_id, 1, "Approved")
    async with post.services.database.writing() as tx:
        event = await tx.get(EventRow, event_id)
        assert event is not None
        intact, event.payload_sealed = event.payload_sealed, event.payload_sealed[:-1] + b"\x00\x01"
    worker = post.worker()
    assert await worker.run_once() == 0
    assert await post.states() == ["pending"]
    async with post.services.database.writing() as tx:
        event = await tx.get(EventRow, event_id)
        assert event is not None
        event.payload_sealed = intact
    post.clock.advance(queue.LEASE)
    assert await worker.run_once() == 1


async def test_events_are_forgotten_after_thirty_days_unless_they_still_wait(post: Post) -> None:
    await post.destination()
    await post.event(str(uuid.uuid4()), 1, "Approved")
    await post.worker().run_once()
    waiting = await post.event(str(uuid.uuid4()), 1, "Declined")
    post.clock.advance(timedelta(days=30))
    assert await forget_old_events(post.services) == 0
    post.clock.advance(timedelta(seconds=1))
    assert await forget_old_events(post.services) == 1
    async with post.services.database.reading() as tx:
        assert (await tx.scalars(select(EventRow.id))).all() == [waiting]
        assert len((await tx.scalars(select(DeliveryRow.id))).all()) == 1


async def test_an_attempt_that_breaks_on_our_side_is_written_down_and_tried_again(post: Post, session_id: str) -> None:
    await post.destination()
    await post.event(session_id, 1, "Approved")
    worker = post.worker()
    post.wire.breaks = RuntimeError("a defect")
    assert await worker.run_once() == 1
    [row] = await post.deliveries()
    assert (row.state, row.attempts, row.error) == ("pending", 1, "The attempt failed on our side.")
    post.wire.breaks = None
    post.clock.advance(DELAYS[0])
    await worker.run_once()
    assert await post.states() == ["delivered"]


async def test_a_delivery_under_way_while_its_destination_is_switched_off_waits_with_the_others(
    post: Post, session_id: str
) -> None:
    destination_id = await post.destination()
    await post.event(session_id, 1, "Approved")
    worker = post.worker()
    async with post.services.database.writing() as tx:
        [claimed] = await queue.claim(tx, post.services, worker=worker.name, room=room())
    async with post.services.database.writing() as tx:
        scope = Scope(tx, post.application.application, post.services)
        await destinations.change(scope, destination_id, DestinationChange(enabled=False))
    assert await post.states() == ["pending"], "it is in a worker's hands"
    worker._concluded.append(worker._unanswered(claimed, ConnectionFailed("x")))
    await worker.drain()
    assert await post.states() == ["paused"]


async def test_changes_of_a_destination_and_its_deliveries_do_not_block_one_another(post: Post) -> None:
    destination_id = await post.destination()
    stop = asyncio.Event()
    running = [asyncio.create_task(post.worker().run(stop)) for _ in range(2)]
    for number in range(12):
        await post.event(str(uuid.uuid4()), 1, "Approved")
        async with post.services.database.writing() as tx:
            scope = Scope(tx, post.application.application, post.services)
            await destinations.change(scope, destination_id, DestinationChange(enabled=number % 3 > 0))
    async with post.services.database.writing() as tx:
        await destinations.delete(Scope(tx, post.application.application, post.services), destination_id)
    stop.set()
    await asyncio.gather(*running)
    assert await post.deliveries() == []
