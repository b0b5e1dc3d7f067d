"""How long exact 1:N search takes in one process, and how much memory its copy of the templates needs.

Run: ``.venv/bin/python bench/faces_search.py [--faces 100000]``. Random unit vectors stand in for templates: the time
of a matrix product does not depend on whose faces they are. The database look-up of the hits is not part of this.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from ipse.biometrics.calibration import SIMILARITY
from ipse.decision.settings import DUPLICATE_POSSIBLE
from ipse.storage.vector_index import VectorIndex
from machine import description

SEARCHES = 200


def main() -> None:
    """Print one line per gallery size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100_000, help="largest gallery to measure")
    largest = parser.parse_args().faces
    print(description())
    random = np.random.default_rng(1)
    partition = VectorIndex().partition("bench", "bench")
    minimum = SIMILARITY.inverse(DUPLICATE_POSSIBLE)
    print(f"{'faces':>9}  {'add us':>7}  {'search p50 ms':>13}  {'p99 ms':>7}  {'MB':>6}")
    for size in (1_000, 10_000, 100_000, 1_000_000):
        if size > largest:
            break
        fresh = size - len(partition.ids)
        vectors = random.normal(size=(fresh, 128)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        started = time.perf_counter()
        for number, vector in enumerate(vectors):
            partition.add(f"{size}-{number}", vector)
        adding = (time.perf_counter() - started) / fresh * 1e6
        times = []
        for number in range(SEARCHES):
            began = time.perf_counter()
            partition.search(vectors[number % fresh], limit=40, minimum=minimum)
            times.append((time.perf_counter() - began) * 1000)
        cuts = statistics.quantiles(times, n=100)
        megabytes = partition.matrix.nbytes / 1e6
        print(f"{size:>9}  {adding:>7.1f}  {statistics.median(times):>13.2f}  {cuts[98]:>7.2f}  {megabytes:>6.1f}")


if __name__ == "__main__":
    main()
