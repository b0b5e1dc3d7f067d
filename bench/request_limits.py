"""What counting a request costs: ``python bench/request_limits.py [--database URL] [--hits 5000]``.

One key, one process, one count after another, as a request waits for it. Without ``--database`` the file of SQLite in
a temporary folder; with a PostgreSQL URL the table of a migrated database. Goal on SQLite: below 1 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

from ipse.edge.limits import Bucket, RequestLimits
from ipse.security.lookup import LookupKey
from ipse.storage.counters import Counters, open_counters
from machine import description

_ONE_BY_ONE: Final = Bucket("bench", "100000000/minute", "")
_IN_BLOCKS: Final = Bucket("bench-blocks", "100000000/minute", "", block=60)


async def measure(counters: Counters, bucket: Bucket, hits: int) -> tuple[float, float]:
    """Median and 99th percentile of one count, in microseconds."""
    limits, taken = RequestLimits(counters, LookupKey.create()), []
    await limits.hit(bucket, "key")
    for _ in range(hits):
        began = time.perf_counter()
        await limits.hit(bucket, "key")
        taken.append((time.perf_counter() - began) * 1e6)
    taken.sort()
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100]


async def run(database: str, hits: int) -> None:
    """Measure each way of counting."""
    with tempfile.TemporaryDirectory() as folder:
        shared = open_counters(database, Path(folder))
        for name, counters in (("shared", shared), ("this process alone", Counters())):
            for bucket in (_ONE_BY_ONE, _IN_BLOCKS):
                median, high = await measure(counters, bucket, hits)
                blocks = "blocks of 60" if bucket.block > 1 else "one by one"
                print(f"{name:20} {blocks:14} median {median:8.1f} us   p99 {high:8.1f} us")
        await shared.close()


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite://")
    parser.add_argument("--hits", type=int, default=5000)
    given = parser.parse_args()
    print(description())
    asyncio.run(run(given.database, given.hits))


if __name__ == "__main__":
    main()
