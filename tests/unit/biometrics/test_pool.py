"""The pool computes in threads, refuses what does not fit, and never loses a place."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from ipse.biometrics.pool import NICENESS, InferencePool, Overloaded


@pytest.fixture
def pool() -> Iterator[InferencePool]:
    made = InferencePool(workers=1, max_waiting=1)
    yield made
    made.close()


def test_results_and_arguments_pass_through(pool: InferencePool) -> None:
    assert asyncio.run(pool.run(divmod, 17, 5)) == (3, 2)


def test_work_leaves_the_event_loops_thread(pool: InferencePool) -> None:
    assert asyncio.run(pool.run(threading.get_ident)) != threading.get_ident()


def test_what_does_not_fit_is_refused_at_once_with_a_time_to_come_back(pool: InferencePool) -> None:
    release = threading.Event()
    held = [pool.submit(release.wait), pool.submit(release.wait)]
    with pytest.raises(Overloaded) as caught:
        pool.submit(release.wait)
    assert caught.value.retry_after_s >= 1
    assert caught.value.code == "overloaded"
    counters = pool.counters()
    assert (counters.running + counters.waiting, counters.refused) == (2, 1)
    release.set()
    assert all(future.result(timeout=30) for future in held)


def test_places_are_free_again_after_results_errors_and_cancelled_calls(pool: InferencePool) -> None:
    release = threading.Event()
    computing, waiting = pool.submit(release.wait), pool.submit(release.wait)
    assert waiting.cancel()
    release.set()
    assert computing.result(timeout=30)
    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(timeout=30)
    counters = pool.counters()
    assert (counters.running, counters.waiting, counters.failed, counters.completed) == (0, 0, 20, 1)


def test_a_cancelled_caller_does_not_free_a_place_that_still_computes(pool: InferencePool) -> None:
    entered, release = threading.Event(), threading.Event()

    def compute() -> None:
        entered.set()
        release.wait()

    async def give_up() -> None:
        task = asyncio.create_task(pool.run(compute))
        await asyncio.to_thread(entered.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(give_up())
    assert pool.counters().running == 1
    release.set()


def test_the_wait_that_is_promised_grows_with_the_length_of_calls() -> None:
    ticks = iter(range(0, 1000, 50))
    pool = InferencePool(workers=1, max_waiting=0, monotonic=lambda: float(next(ticks)))
    pool.submit(int).result(timeout=30)
    release = threading.Event()
    held = pool.submit(release.wait)
    with pytest.raises(Overloaded) as caught:
        pool.submit(int)
    assert caught.value.retry_after_s == 10  # 0.1 s assumed, one call of 50 s seen, smoothed by a fifth
    release.set()
    held.result(timeout=30)
    pool.close()


@pytest.mark.parametrize(("workers", "waiting"), [(0, 1), (1, -1)])
def test_an_impossible_pool_cannot_be_made(workers: int, waiting: int) -> None:
    with pytest.raises(ValueError, match="pool"):
        InferencePool(workers, waiting)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own elsewhere")
def test_computing_stands_back_behind_everything_else() -> None:
    pool = InferencePool(1, 0)
    before = os.getpriority(os.PRIO_PROCESS, 0)

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert pool.submit(niceness).result() == min(19, before + NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    pool.close()
