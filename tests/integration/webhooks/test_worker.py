"""The running worker against a real receiver over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from ipse.runtime.scope import Scope
from ipse.webhooks import destinations
from ipse.webhooks.delivery import DeliveryWorker
from ipse.webhooks.policy import RetryPolicy
from tests.integration.webhooks.conftest import Post
from tests.services.receiver import WebhookReceiver

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def running(*workers: DeliveryWorker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def arrived(receiver: WebhookReceiver, count: int) -> None:
    await asyncio.to_thread(receiver.wait_for, count)


async def test_a_commit_wakes_the_worker_at_once_and_both_recipes_verify(
    post: Post, receiver: WebhookReceiver, session_id: str
) -> None:
    destination_id = await post.destination(receiver.url)
    async with running(DeliveryWorker(post.services)):
        await asyncio.sleep(0.2)  # the worker has found nothing and sleeps
        committed = time.time()
        await post.event(session_id, 1, "Approved", score=96.0, text="日本 <é>")
        await arrived(receiver, 1)
    [request] = receiver.requests
    assert request.received_at - committed < 0.8, "sooner than the next look at the queue"
    async with post.services.database.reading() as tx:
        scope = Scope(tx, post.application.application, post.services)
        secret = destinations.secret_of(scope, await destinations.get(scope, destination_id))
    assert request.signed_by(secret)
    assert request.headers["user-agent"].startswith("Ipse/")
    assert request.headers["content-type"] == "application/json"
    assert b'"score":96,' in request.raw


async def test_attempts_under_way_are_finished_when_the_worker_stops(
    post: Post, receiver: WebhookReceiver, session_id: str
) -> None:
    await post.destination(receiver.url)
    await post.event(session_id, 1, "Approved")
    async with running(DeliveryWorker(post.services)):
        await arrived(receiver, 1)
    assert await post.states() == ["delivered"]


async def test_a_failed_attempt_is_repeated_by_itself(post: Post, receiver: WebhookReceiver, session_id: str) -> None:
    receiver.answers.extend([500, 404])
    await post.destination(receiver.url)
    event_id = await post.event(session_id, 1, "Approved")
    retries = RetryPolicy(delays=(timedelta(), timedelta()))
    async with running(DeliveryWorker(post.services, retries=retries)):
        await arrived(receiver, 3)
    assert {request.body["event_id"] for request in receiver.requests} == {event_id}
    assert await post.states() == ["delivered"]


async def test_several_workers_deliver_every_event_exactly_once_and_in_order(
    post: Post, receiver: WebhookReceiver
) -> None:
    await post.destination(receiver.url)
    sessions = [str(uuid.uuid4()) for _ in range(15)]
    async with running(*(DeliveryWorker(post.services) for _ in range(3))):
        for version, status in enumerate(("Not Started", "In Progress", "Approved"), 1):
            for session in sessions:
                await post.event(session, version, status)
        await arrived(receiver, 45)
    assert len(receiver.requests) == 45
    assert await post.states() == ["delivered"] * 45
    for session in sessions:
        seen = [request.body["status"] for request in receiver.requests if request.body["session_id"] == session]
        assert seen == ["Not Started", "In Progress", "Approved"]


async def test_a_dead_destination_does_not_hold_up_another(post: Post, receiver: WebhookReceiver) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(-1)
        writer.close()

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    await post.destination(f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/")
    await post.destination(receiver.url)
    for _ in range(30):
        await post.event(str(uuid.uuid4()), 1, "Approved")
    started = time.monotonic()
    async with running(DeliveryWorker(post.services)):
        await arrived(receiver, 30)
        seconds = time.monotonic() - started
    silent.close()
    await silent.wait_closed()
    assert seconds < post.services.settings.webhook_timeout_s


async def test_a_database_that_fails_for_a_moment_does_not_end_the_worker(
    post: Post, receiver: WebhookReceiver, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.destination(receiver.url)
    worker = DeliveryWorker(post.services)
    original, failures = worker._write, iter([True])

    async def failing(*, claiming: bool):  # type: ignore[no-untyped-def]
        if next(failures, False):
            raise ConnectionError("the database went away")
        return await original(claiming=claiming)

    monkeypatch.setattr(worker, "_write", failing)
    async with running(worker):
        await post.event(session_id, 1, "Approved")
        await arrived(receiver, 1)
