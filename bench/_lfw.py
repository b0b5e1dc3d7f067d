"""Templates of LFW photos, made once and kept outside the repository, and synthetic vectors drawn like them.

``FaceLike`` draws unit vectors with the mean and the covariance of real templates: like strangers' faces they crowd in
some directions, which independent random vectors do not. They have no twins and no siblings: they stand in for the
*size* of a gallery, never for a person.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import decode

Vector = NDArray[np.float32]
CACHE = Path(platformdirs.user_cache_dir("ipse")) / "bench" / "lfw_templates.npz"


@dataclass(frozen=True)
class Photos:
    """``vectors`` is (n, 128); ``names`` and ``people`` (the folder of the photo) have n entries."""

    names: NDArray[np.str_]
    people: NDArray[np.str_]
    vectors: Vector


def photos(lfw: Path, models: Path, *, cache: Path = CACHE) -> Photos | None:
    """Templates of every photo with a face; from the cache, else computed (minutes). None where LFW is absent."""
    if not cache.is_file():
        if not (lfw / "images").is_dir():
            return None
        _extract(lfw / "images", models, cache)
    with np.load(cache) as stored:
        names, vectors = stored["names"], stored["vectors"]
    return Photos(names, np.array([name.rsplit("/", 1)[0] for name in names.tolist()]), vectors)


def pairs(lfw: Path) -> list[tuple[bool, str, str]]:
    """The protocol's pairs: same person or not, and the two photos."""
    with (lfw / "pairs.csv").open(newline="", encoding="utf-8") as file:
        return [(row[1] == "1", row[2], row[3]) for row in csv.reader(file) if row and row[0].isdigit()]


class FaceLike:
    """Draws unit vectors distributed like one photo of each person in ``real``."""

    def __init__(self, real: Photos, seed: int) -> None:
        strangers = real.vectors[np.unique(real.people, return_index=True)[1]].astype(np.float64)
        self._mean = strangers.mean(axis=0)
        values, directions = np.linalg.eigh(np.cov(strangers.T))
        self._spread = directions * np.sqrt(np.maximum(values, 0.0))
        self._random = np.random.default_rng(seed)

    def draw(self, count: int) -> Vector:
        """(count, 128) unit vectors."""
        drawn = np.empty((count, self._mean.size), dtype=np.float32)
        for start in range(0, count, 50_000):
            size = min(50_000, count - start)
            some = self._mean + self._random.standard_normal((size, self._mean.size)) @ self._spread.T
            drawn[start : start + size] = some / np.linalg.norm(some, axis=1, keepdims=True)
        return drawn


def _extract(images: Path, models: Path, cache: Path) -> None:
    engine = FaceEngine.load(models)
    names, vectors = [], []
    for path in sorted(images.rglob("*.jpg")):
        scan = engine.scan(decode(path.read_bytes()))
        if scan.primary is not None:
            names.append(path.relative_to(images).as_posix())
            vectors.append(engine.template(scan).vector)
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, names=np.array(names), vectors=np.stack(vectors))
