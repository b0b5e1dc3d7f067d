"""Ten minutes at 70 % of what was measured: ``python bench/mixed_load.py [--minutes N] [--share 0.7] [--pairs 1]``.

So many servers and workers on PostgreSQL, models running. First the capacity, in step-ups a second with everybody in a
hurry, each followed by the reading calls of an integrator; then the same begins at a fixed share of it, whether or not
the ones before have ended. Prints the goals: no error, memory that does not grow, quick calls where no model runs; and
how long the machine stood still by itself, for a latency below that cannot be shown.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from _installation import Stepper, Tally, capacity, running
from http_latency import line
from machine import Stolen, description, stalls_ms

_CLIENTS = 32
_OTHERS = ("start", "decision", "list", "evaluate")
"""Calls in which no model runs. Creating a session is none of them: its portrait is looked at."""


def at_rate(stepper: Stepper, rate: float, seconds: float, work: Callable[[], object]) -> list[Future[object]]:
    """Begin ``work`` ``rate`` times a second, on time however long the ones before take."""
    begun: list[Future[object]] = []
    start = time.perf_counter()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, start + number / rate - time.perf_counter()))
        begun.append(stepper.pool.submit(work))
    return begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long the load lasts")
    parser.add_argument("--share", type=float, default=0.7, help="of the measured capacity")
    parser.add_argument("--pairs", type=int, default=1, help="servers, and as many workers")
    parser.add_argument("--capacity-seconds", type=float, default=30, help="how long the capacity is measured")
    options = parser.parse_args()
    print(f"{description()}; load average {os.getloadavg()[0]:.1f} at the start")
    print(f"idle, the machine wakes a sleeper late by {stalls_ms():.0f} ms (p99)")
    seconds = options.minutes * 60
    threads = max(1, (os.cpu_count() or 1) // options.pairs)
    with (
        tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder,
        running(Path(folder), pairs=options.pairs, inference_workers=threads) as run,
    ):
        stepper = Stepper(run, _CLIENTS)
        clients = 4 * options.pairs
        capacity(stepper, clients, 5, reading=True)  # warm up
        most, _ = capacity(stepper, clients, options.capacity_seconds, reading=True)
        rate = most * options.share
        print(
            f"capacity of {options.pairs} server(s) {most:.2f} step-ups/s; {rate:.2f} begin each second for "
            f"{options.minutes:g} min"
        )

        tally, resident = Tally(), [sum(run.resident_mib().values())]

        def work() -> None:
            session = stepper.step_up(tally)
            if session is not None:
                stepper.read(tally, session)

        def watch(done: threading.Event) -> None:
            while not done.wait(min(10.0, seconds / 20)):
                resident.append(sum(run.resident_mib().values()))

        done = threading.Event()
        watching = threading.Thread(target=watch, args=(done,))
        watching.start()
        stolen = Stolen()
        begun = at_rate(stepper, rate, seconds, work)
        for future in begun:
            future.result()
        taken = stolen.share()
        done.set()
        watching.join()

    calls = sum(tally.statuses.values())
    errors = sum(count for status, count in tally.statuses.items() if status >= 400) + tally.broken
    # A process settles in the first fifth: caches, pools, the heap of the allocator.
    settled, last = _mean(resident, 0.2, 0.4), _mean(resident, 0.8, 1.0)
    growth = last / settled - 1
    print(f"{calls} calls, {tally.decided} of {len(begun)} step-ups decided, statuses {tally.statuses}")
    print(f"the host took {taken:.0%} of the processor time meanwhile")
    print(f"selfie p50 {tally.percentile(0.5, 'selfie'):.0f} p99 {tally.percentile(0.99, 'selfie'):.0f} ms")
    for kind in ("create", *_OTHERS):
        print(f"  {kind:<10} p50 {tally.percentile(0.5, kind):>6.1f}   p99 {tally.percentile(0.99, kind):>6.1f} ms")
    line("errors", str(errors), "0", errors == 0)
    line("memory of servers and workers", f"{growth:+.1%}", "<= +2 %", growth <= 0.02)
    p99 = tally.percentile(0.99, *_OTHERS)
    line("calls without a model, p99", f"{p99:.0f} ms", "<= 60 ms", p99 <= 60)


def _mean(values: list[float], begin: float, end: float) -> float:
    """Of a part of a series, given as shares of its length."""
    part = values[int(begin * len(values)) : max(int(begin * len(values)) + 1, int(end * len(values)))]
    return sum(part) / len(part)


if __name__ == "__main__":
    main()
