"""A bounded pool of inference threads with admission control.

onnxruntime releases the interpreter lock while it computes, so threads use all cores. What does not fit is refused at
once with a hint when to come back, instead of a queue without end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

from .errors import BiometricsError

P = ParamSpec("P")
T = TypeVar("T")

NICENESS: Final = 5
"""By how much computing stands back (steps of ``nice``) behind everything else: a call that needs no model is answered
in the middle of those that do, instead of waiting for its turn on a core.
"""

# Before the first call has ended nothing is known about its length; a pair match takes about a tenth of a second.
_ASSUMED_SECONDS: Final = 0.1
_SMOOTHING: Final = 0.2


class Overloaded(BiometricsError):
    """All threads are busy and the waiting room is full. ``retry_after_s`` is whole seconds, at least 1."""

    code = "overloaded"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"The service is busy. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class PoolCounters:
    """Numbers for metrics: calls being computed, calls waiting, and totals since the start."""

    running: int
    waiting: int
    completed: int
    failed: int
    refused: int
    mean_seconds: float


class InferencePool:
    """``workers`` threads and room for ``max_waiting`` further calls."""

    def __init__(self, workers: int, max_waiting: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        if workers < 1 or max_waiting < 0:
            raise ValueError("a pool needs at least one worker and no negative waiting room")
        self._workers = workers
        self._capacity = workers + max_waiting
        self._monotonic = monotonic
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="ipse-inference", initializer=_stand_back)
        self._lock = threading.Lock()
        self._admitted = 0
        self._running = 0
        self._completed = 0
        self._failed = 0
        self._refused = 0
        self._mean_seconds = _ASSUMED_SECONDS

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Compute ``fn(*args)`` on a pool thread. Raises ``Overloaded`` at once when the pool is full.

        When the awaiting task is cancelled, a call that already computes runs to its end and keeps its place.
        """
        return await asyncio.wrap_future(self.submit(fn, *args, **kwargs))

    def submit(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As ``run``, for callers without an event loop."""
        with self._lock:
            if self._admitted >= self._capacity:
                self._refused += 1
                seconds = self._mean_seconds * self._admitted / self._workers
                raise Overloaded(max(1, round(seconds)))
            self._admitted += 1
        try:
            future = self._executor.submit(lambda: self._timed(fn, *args, **kwargs))
        except BaseException:
            with self._lock:
                self._admitted -= 1
            raise
        future.add_done_callback(self._leave_uncomputed)
        return future

    def counters(self) -> PoolCounters:
        """A consistent snapshot."""
        with self._lock:
            return PoolCounters(
                running=self._running,
                waiting=self._admitted - self._running,
                completed=self._completed,
                failed=self._failed,
                refused=self._refused,
                mean_seconds=self._mean_seconds,
            )

    def close(self) -> None:
        """Take no more calls and wait for those that compute; calls still waiting are cancelled."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _timed(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        started = self._monotonic()
        with self._lock:
            self._running += 1
        failed = True
        try:
            result = fn(*args, **kwargs)
            failed = False
            return result
        finally:
            seconds = self._monotonic() - started
            with self._lock:
                self._running -= 1
                self._completed += not failed
                self._failed += failed
                self._mean_seconds += _SMOOTHING * (seconds - self._mean_seconds)
                # Here and not when the future is done: whoever sees the result must find the place free.
                self._admitted -= 1

    def _leave_uncomputed(self, future: Future[T]) -> None:
        if future.cancelled():
            with self._lock:
                self._admitted -= 1


def _stand_back() -> None:
    """Lower the priority of the calling thread, where threads have one of their own (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS))
