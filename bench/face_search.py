"""Exact 1:N search in one process on one core: time, memory and recall against the size of the gallery.

    python bench/face_search.py [--faces 1000000] [--figure docs/biometrics/search.svg]

Each search is timed beside a plain ``X @ q`` over the same vectors, in turns, so that a neighbour on the machine slows
both; the ratio is what travels to other machines. Vectors are independent random ones and, where LFW templates are at
hand (``bench/duplicates_lfw.py``), ones drawn with the covariance of real templates. Recall compares with brute force.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

import _one_core
from _curves import Series, draw
from _lfw import FaceLike, Vector, photos
from ipse.biometrics.calibration import SIMILARITY
from ipse.biometrics.templates import Template
from ipse.decision.settings import DUPLICATE_POSSIBLE
from ipse.faces.rotation import SearchSpace, matrix
from ipse.faces.search_vectors import SearchVector
from ipse.security.keyring import KeyRing, Ring
from ipse.storage.vector_index import Partition
from machine import description, resident_mib

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
GOALS_MS = {100_000: 10.0, 1_000_000: 60.0}
LIMIT = 40
MINIMUM = SIMILARITY.inverse(DUPLICATE_POSSIBLE)


@dataclass(frozen=True)
class Measured:
    """Milliseconds; ``bytes_per_face`` counts both copies of the vectors, ids and dictionaries come on top."""

    faces: int
    median: float
    p95: float
    plain: float
    recall: float
    add_us: float
    bytes_per_face: float


def main() -> None:
    """Print a table for each kind of vectors, draw the figure, and say whether the goals are met."""
    _one_core.ensure()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=1_000_000, help="largest gallery to measure")
    parser.add_argument("--searches", type=int, default=60, help="searches of each size, 2,000 at most")
    parser.add_argument("--figure", type=Path, help="write the curve of time and memory to this SVG file")
    parser.add_argument("--lfw", type=Path, default=Path("../shared/data/lfw"))
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.faces]
    print(f"machine: {description()}; one BLAS thread")
    _print_unsealing()
    kinds: dict[str, Callable[[int], Vector]] = {"independent": _independent}
    real = photos(options.lfw, Path(platformdirs.user_cache_dir("ipse")) / "models")
    if real is not None:
        kinds["face-like"] = FaceLike(real, 1).draw
    tables = {name: _measure(name, drawing(sizes[-1] + 2_000), sizes, options) for name, drawing in kinds.items()}
    if options.figure is not None:
        _draw(options.figure, tables)


def _measure(name: str, vectors: Vector, sizes: Sequence[int], options: argparse.Namespace) -> list[Measured]:
    print(f"\n{name} vectors, the {LIMIT} nearest from cosine {MINIMUM:.3f}; milliseconds")
    print(
        f"{'faces':>9} {'p50':>7} {'p95':>7} {'X @ q':>7} {'ratio':>6} {'recall':>7} {'add us':>7} {'bytes/face':>10}"
    )
    probes, gallery = vectors[:2_000], vectors[2_000:]
    partition, before, rows = Partition(), resident_mib(), []
    for size in sizes:
        rows.append(_one_size(partition, gallery[:size], probes, options.searches))
        one = rows[-1]
        print(
            f"{one.faces:>9} {one.median:>7.2f} {one.p95:>7.2f} {one.plain:>7.2f} {one.median / one.plain:>6.2f} "
            f"{one.recall:>7.4f} {one.add_us:>7.1f} {one.bytes_per_face:>10.0f}",
            flush=True,
        )
    grown = (resident_mib() - before) * 2**20 / sizes[-1]
    print(f"resident memory grew by {grown:.0f} bytes a face: vectors, packed copy, ids and the table of rows")
    for one in rows:
        if one.faces in GOALS_MS:
            verdict = "met" if one.p95 <= GOALS_MS[one.faces] else "MISSED"
            print(f"goal {one.faces} faces <= {GOALS_MS[one.faces]:g} ms: {verdict} (p95 {one.p95:.1f} ms)")
    return rows


def _one_size(partition: Partition, gallery: Vector, probes: Vector, searches: int) -> Measured:
    known = len(partition)
    names = [str(uuid.UUID(int=number)) for number in range(known, len(gallery))]
    started = time.perf_counter()
    for start in range(0, len(names), 4_096):
        partition.add_many(names[start : start + 4_096], gallery[known + start : known + start + 4_096])
    adding = (time.perf_counter() - started) / max(1, len(names)) * 1e6
    ours, plain, wanted, found = [], [], 0, 0
    for number in range(searches):
        # Every other search is of a person who is there, photographed again: cosine about .6.
        probe = probes[number]
        if number % 2:
            probe = 0.6 * gallery[number * 7 % len(gallery)] + 0.8 * probe
            probe = probe / np.linalg.norm(probe)
        began = time.perf_counter()
        near = partition.search(probe, limit=LIMIT, minimum=MINIMUM)
        middle = time.perf_counter()
        cosines = gallery @ probe
        plain.append((time.perf_counter() - middle) * 1e3)
        ours.append((middle - began) * 1e3)
        reached = np.flatnonzero(cosines >= MINIMUM)
        truth = {str(uuid.UUID(int=int(row))) for row in reached[np.argsort(-cosines[reached])][:LIMIT]}
        wanted += len(truth)
        found += len(truth & {one.id for one in near})
    return Measured(
        faces=len(gallery),
        median=statistics.median(ours),
        p95=statistics.quantiles(ours, n=20)[18],
        plain=statistics.median(plain),
        recall=found / max(1, wanted),
        add_us=adding,
        bytes_per_face=partition.nbytes / len(gallery),
    )


def _independent(count: int) -> Vector:
    vectors = np.random.default_rng(1).standard_normal((count, 128), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _print_unsealing() -> None:
    """What reading a gallery costs at the start of a process, per face."""
    ring, face = KeyRing.create(Ring.BIOMETRIC), Template(_independent(1)[0], "sface-2021dec-66309e3819c1")
    vector = SearchVector.of(face, SearchSpace(bytes(8), matrix(bytes(32))))
    context = b"face-search|" + secrets.token_bytes(36)
    sealed = ring.seal(vector.to_bytes(), context=context)
    started = time.perf_counter()
    for _ in range(20_000):
        SearchVector.from_bytes(ring.open(sealed, context=context))
    each = (time.perf_counter() - started) / 20_000
    print(f"unsealing a search vector: {each * 1e6:.1f} us, {len(sealed)} bytes sealed; a million: {each * 1e6:.0f} s")


def _draw(figure: Path, tables: dict[str, list[Measured]]) -> None:
    rows = tables.get("face-like") or tables["independent"]
    draw(
        figure,
        title="Exact search on one core: median time and memory against the size of the gallery",
        x_name="faces",
        series=(
            Series("exact search, ms", [(row.faces, row.median) for row in rows], "#1d4ed8"),
            Series("plain X @ q, ms", [(row.faces, row.plain) for row in rows], "#9ca3af"),
            Series(
                "vectors in memory, MB", [(row.faces, row.faces * row.bytes_per_face / 1e6) for row in rows], "#b45309"
            ),
        ),
    )


if __name__ == "__main__":
    main()
