"""Deliveries a second of a pair of workers, and what a dead destination costs the others.

Run: ``.venv/bin/python bench/webhook_throughput.py [--engine postgresql|sqlite] [--events 4000] [--workers 2]
[--seconds 8] [--rate 60] [--rounds 3]``.

First a full queue to four destinations is drained. Then events arrive at a steady rate, in turn without and with two
dead destinations (one refuses, one accepts and never answers) that get as many events again as all the others; the
ratio of the others' p95 within one run tells what they cost. Processor time is printed beside wall time: they differ
when the machine is busy.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

from _webhooks import Queue, drained, percentile, queue
from machine import Stolen, description
from tests.crash.processes import free_port

DESTINATIONS = 4
_LIMIT_S = 600.0
_PER_SECOND = 5
"""How often events are queued in a second."""


async def main() -> None:
    """Print throughput, processor time and the ratio of p95."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--events", type=int, default=4_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"{description()}; {given.engine}, {given.workers} workers")
    with tempfile.TemporaryDirectory() as folder:
        async with queue(given.engine, Path(folder)) as running:
            url = f"http://127.0.0.1:{running.receiver.port}/"
            alive = [await running.destination(f"{url}{number}") for number in range(DESTINATIONS)]
            dead = [
                await running.destination(f"http://127.0.0.1:{free_port()}/"),
                await running.destination(f"http://127.0.0.1:{running.receiver.silent_port}/"),
            ]
            # A few first, so that starting the processes is not measured.
            await running.fill(40, 1, alive)
            running.start(given.workers)
            await drained(running, 40, _LIMIT_S)
            running.receiver.report()
            await _throughput(running, alive, given.events)
            await _dead(running, alive, dead, rate=given.rate, seconds=given.seconds, rounds=given.rounds)


async def _throughput(running: Queue, alive: list[str], events: int) -> None:
    queued = await running.fill(events // DESTINATIONS, DESTINATIONS, alive, state="paused")
    before, stolen = running.processor_s(), Stolen()
    await running.release()
    await drained(running, len(queued), _LIMIT_S)
    used = running.processor_s() - before
    arrivals = running.receiver.report()
    times = sorted(arrival[3] for arrival in arrivals)
    seconds = times[-1] - times[0]
    print(f"{len(queued)} events of 1 kB to {DESTINATIONS} destinations: {len(arrivals) / seconds:.0f} a second")
    for who, spent in sorted(used.items()):
        print(f"  {who}: {spent / len(queued) * 1e3:.2f} ms of processor for each")
    print(f"  the host took {stolen.share():.0%} of the processor time meanwhile")
    print(f"  came twice: {len(arrivals) - len({arrival[0] for arrival in arrivals})}")


async def _dead(running: Queue, alive: list[str], dead: list[str], *, rate: int, seconds: float, rounds: int) -> None:
    without, beside = [], []
    for _ in range(rounds):
        without.append(await _p95(running, alive, (), rate=rate, seconds=seconds))
        beside.append(await _p95(running, alive, dead, rate=rate, seconds=seconds))
    print(f"p95 from queueing to arrival at {rate} events a second, medians of {rounds} rounds in turn:")
    plain, burdened = statistics.median(without), statistics.median(beside)
    print(f"  {plain * 1e3:.0f} ms alone, {burdened * 1e3:.0f} ms beside two dead: {burdened / plain - 1:+.0%}")
    print(f"  alone {[round(value * 1e3) for value in without]}, beside {[round(value * 1e3) for value in beside]} ms")


async def _p95(
    running: Queue, alive: list[str], dead: tuple[str, ...] | list[str], *, rate: int, seconds: float
) -> float:
    queued: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    began = loop.time()
    for turn in range(round(seconds * _PER_SECOND)):
        await asyncio.sleep(max(0.0, began + turn / _PER_SECOND - loop.time()))
        if dead:
            await running.fill(rate // _PER_SECOND, 1, dead)
        queued |= await running.fill(rate // _PER_SECOND, 1, alive)
    await drained(running, len(queued), _LIMIT_S)
    arrivals = running.receiver.report()
    return percentile([at - queued[event_id] for event_id, _, _, at in arrivals if event_id in queued], 0.95)


if __name__ == "__main__":
    asyncio.run(main())
