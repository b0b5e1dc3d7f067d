"""Request limits that several processes count together, on the database engine of this run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from httpx2 import ASGITransport, AsyncClient

from ipse.app import build, build_services, close_services
from ipse.edge.errors import TooManyRequests
from ipse.edge.limits import Bucket, RequestLimits
from ipse.runtime.services import Services
from ipse.settings import Settings

if TYPE_CHECKING:
    from ipse.clock import ManualClock

pytestmark = pytest.mark.anyio

FORTY = Bucket("forty", "40/day", "Slow down.")
MINUTES = 60 * 29_000_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"register_limit_per_hour": 1})


@pytest.fixture
async def other_services(services: Services, settings: Settings, clock: ManualClock) -> AsyncIterator[Services]:
    """The parts of another process of the same installation."""
    built = await build_services(settings, clock=clock, load_faces=False)
    yield built
    await close_services(built)


async def test_processes_share_the_limit_of_a_key(services: Services, other_services: Services) -> None:
    processes = [RequestLimits(one.counters, one.lookup) for one in (services, other_services)]
    results = await asyncio.gather(*(processes[n % 2].hit(FORTY, "key") for n in range(60)), return_exceptions=True)
    refused = [one for one in results if isinstance(one, TooManyRequests)]
    granted = [one for one in results if isinstance(one, dict)]
    assert (len(granted), len(refused)) == (40, 20)
    assert sorted(int(one["X-RateLimit-Remaining"]) for one in granted) == list(range(40))


async def test_the_window_slides_in_the_shared_store(services: Services, other_services: Services) -> None:
    now = float(MINUTES)
    one, two = (
        RequestLimits(process.counters, process.lookup, now=lambda: now) for process in (services, other_services)
    )
    ten = Bucket("ten", "10/minute", "Slow down.")
    for _ in range(10):
        await one.hit(ten, "key")
    with pytest.raises(TooManyRequests) as refused:
        await two.hit(ten, "key")
    assert refused.value.headers["Retry-After"] == "66"
    now += 90
    for _ in range(5):
        await two.hit(ten, "key")
    with pytest.raises(TooManyRequests):
        await one.hit(ten, "key")


async def test_tallies_are_shared_and_expire(services: Services, other_services: Services) -> None:
    one, two = services.counters, other_services.counters
    assert [await store.add("k", now=10, expires_at=20) for store in (one, two)] == [1, 2]
    known = await one.read("k", now=19)
    assert known is not None
    assert (known.count, known.expires_at) == (2, 20)
    assert await two.add("k", now=20, expires_at=30) == 1
    await one.forget("k")
    assert await two.read("k", now=20) is None
    await two.add("k", now=20, expires_at=30)
    await one.prune(30)
    assert await two.read("k", now=20) is None


async def test_a_limit_per_address_holds_whichever_process_is_asked(
    services: Services, other_services: Services, settings: Settings
) -> None:
    answers = []
    for n in range(2):
        app = build(settings, (services, other_services)[n % 2])
        async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as anonymous:
            body = {"email": f"person-{n}@bank.com", "password": "Correct-horse-7-battery"}
            answers.append((await anonymous.post("/auth/v2/programmatic/register/", json=body)).status_code)
    assert answers == [201, 429]
