"""A long queue is drained, one worker is killed on the way, and nothing is lost or out of order.

Run: ``.venv/bin/python bench/webhook_backlog.py [--engine postgresql|sqlite] [--events 100000] [--workers 2]``.

Sessions of four statuses each go to four destinations. After a third of the events one worker is killed (``kill -9``)
and another started. At the end every event must have come, each status after the one before it, and twice at most
those that the killed worker had in hand.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from _webhooks import drained, queue
from machine import description

DESTINATIONS = STATUSES = 4
_LIMIT_S = 3_600.0


async def main() -> None:
    """Print throughput, repetitions and what was lost; end with status 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"{description()}; {given.engine}, {given.workers} workers, one killed and replaced")
    with tempfile.TemporaryDirectory() as folder:
        async with queue(given.engine, Path(folder)) as running:
            url = f"http://127.0.0.1:{running.receiver.port}/"
            to = [await running.destination(f"{url}{number}") for number in range(DESTINATIONS)]
            began = time.monotonic()
            queued = await running.fill(given.events // STATUSES, STATUSES, to)
            print(f"queued {len(queued)} in {time.monotonic() - began:.0f} s")
            running.start(given.workers)
            await drained(running, len(queued) // 3, _LIMIT_S)
            running.kill()
            running.start(1)
            # Repetitions count as arrivals, too: the queue itself says when all is done.
            end = time.monotonic() + _LIMIT_S
            while (states := await running.states()).get("pending", 0):
                if time.monotonic() > end:
                    raise SystemExit(f"not drained: {states}")
                await asyncio.sleep(1)
            _judge(running.receiver.report(), set(queued), states)


def _judge(arrivals: Sequence[tuple[str, str, int, float]], queued: set[str], states: dict[str, int]) -> None:
    times = sorted(arrival[3] for arrival in arrivals)
    came = {arrival[0] for arrival in arrivals}
    first: dict[str, int] = {}
    overtaken = 0
    for _, session_id, version, _ in arrivals:
        # A repetition may come late; a status that is new must be the next one.
        if version > first.get(session_id, 0):
            overtaken += version != first.get(session_id, 0) + 1
            first[session_id] = version
    print(f"{len(came)} of {len(queued)} came, {len(arrivals) - len(came)} of them twice, {overtaken} out of order")
    print(f"{len(arrivals) / (times[-1] - times[0]):.0f} a second from the first to the last; states {states}")
    if came != queued or overtaken or states != {"delivered": len(queued)}:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
