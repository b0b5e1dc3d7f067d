"""Duplicates in galleries of growing size: enrolled people who are missed, and strangers who are taken for somebody.

    python bench/duplicates_lfw.py [--faces 1000000] [--lfw ../shared/data/lfw]

One photo of every person of LFW folds 1 to 5 is enrolled among vectors drawn with the mean and covariance of real
templates (``_lfw.FaceLike``: they stand for the size of a gallery; they are not faces). Every other photo is searched.

- *Missed*: the person's own enrolled face is not among the matches of the band. For comparison the false non-match
  1:1 comparisons of the same photos at the same threshold: the search may lose nothing beyond them.
- *False hit*: a search that shows anybody else from the band on. Strangers are searched: their own face is not there.
  The 95 % intervals are Wilson's; searches with photos of one person are not independent, so they are a little narrow.

The last part uses real photos only: each person in turn is a stranger to everybody else.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

import _one_core
from _lfw import CACHE, FaceLike, Photos, Vector, photos
from ipse.biometrics.calibration import CALIBRATION_VERSION, SIMILARITY
from ipse.decision.settings import DUPLICATE_CERTAIN, DUPLICATE_POSSIBLE
from ipse.storage.vector_index import Partition
from machine import description

BANDS = {
    "possible": SIMILARITY.inverse(DUPLICATE_POSSIBLE),
    "certain": SIMILARITY.inverse(DUPLICATE_CERTAIN),
}
"""Smallest cosine of each band."""
SIZES = (1_000, 10_000, 100_000, 1_000_000)
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Split:
    """``enrolled`` is one vector a person; ``second`` are further photos and ``owner`` whose row each of them is."""

    enrolled: Vector
    second: Vector
    owner: NDArray[np.intp]


@dataclass
class Counts:
    """What happened at one size and band. ``lost`` are searched people whom a 1:1 comparison does not match either."""

    searched: int = 0
    missed: int = 0
    lost: int = 0
    strangers: int = 0
    false: int = 0

    def take(self, matches: set[str], wanted: str | None, *, alike: bool) -> None:
        """Count one search; ``wanted`` is None for a stranger."""
        if wanted is None:
            self.strangers += 1
            self.false += bool(matches)
        else:
            self.searched += 1
            self.missed += wanted not in matches
            self.lost += not alike


def main() -> None:
    """Print the tables."""
    _one_core.ensure()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=1_000_000, help="largest gallery")
    parser.add_argument("--lfw", type=Path, default=Path("../shared/data/lfw"))
    options = parser.parse_args()
    real = photos(options.lfw, Path(platformdirs.user_cache_dir("ipse")) / "models")
    if real is None:
        parser.error(f"neither {CACHE} nor {options.lfw}: LFW is not part of this repository")
    split = _split(real)
    print(f"machine: {description()}; calibration {CALIBRATION_VERSION}")
    print(f"LFW: {len(real.names)} photos of {len(split.enrolled)} people; {len(split.second)} further photos")
    _print_drawn(split, FaceLike(real, 3).draw(20_000))
    own = (split.enrolled[split.owner] * split.second).sum(axis=1)
    for band, minimum in BANDS.items():
        lost = int((own < minimum).sum())
        print(f"{band} from cosine {minimum:.4f}: 1:1, {_share(lost, len(own))} of the further photos are not matched")
        _real_only(real, split, minimum)
    print(f"\n{'faces':>9} {'band':>8}  {'enrolled people missed':>34}  {'by 1:1':>6}  {'false hits of strangers':>34}")
    for size in (one for one in SIZES if one <= options.faces):
        for band, counts in _mixed(real, split, own, size).items():
            print(
                f"{size:>9} {band:>8}  {_share(counts.missed, counts.searched):>34}  {counts.lost:>6}  "
                f"{_share(counts.false, counts.strangers):>34}",
                flush=True,
            )


def _mixed(real: Photos, split: Split, own: Vector, size: int) -> dict[str, Counts]:
    """Half of the people are enrolled and searched for, the other half are the strangers; then the halves change."""
    counted = {band: Counts() for band in BANDS}
    for half in (0, 1):
        inside = np.flatnonzero(np.arange(len(split.enrolled)) % 2 == half)[:size]
        partition = Partition()
        partition.add_many([f"person-{person}" for person in inside.tolist()], split.enrolled[inside])
        drawn = FaceLike(real, 5 + half)
        while (first := len(partition)) < size:
            count = min(50_000, size - first)
            partition.add_many([f"drawn-{first + number}" for number in range(count)], drawn.draw(count))
        for vector, owner, cosine in zip(split.second, split.owner.tolist(), own.tolist(), strict=True):
            if owner % 2 == half and f"person-{owner}" not in partition:
                continue  # the gallery is too small for everybody
            near = partition.search(vector, limit=1_000, minimum=min(BANDS.values()))
            for band, minimum in BANDS.items():
                counted[band].take(
                    {one.id for one in near if one.cosine >= minimum},
                    f"person-{owner}" if owner % 2 == half else None,
                    alike=cosine >= minimum,
                )
    return counted


def _real_only(real: Photos, split: Split, minimum: float) -> None:
    cosines = real.vectors @ real.vectors.T
    strangers = real.people[:, None] != real.people[None, :]
    false = int(((cosines >= minimum) & strangers).any(axis=1).sum())
    pairs = int(((cosines >= minimum) & strangers).sum()) // 2
    print(
        f"  real photos only: {_share(false, len(real.names))} of the photos resemble a photo of somebody else; "
        f"{pairs} of {int(strangers.sum()) // 2} pairs of strangers"
    )


def _print_drawn(split: Split, drawn: Vector) -> None:
    """How far the drawn vectors resemble strangers: the same shares of pairs beyond some cosines, or not."""
    real = (split.enrolled @ split.enrolled.T)[np.triu_indices(len(split.enrolled), k=1)]
    synthetic = (split.enrolled @ drawn.T).ravel()
    print("pairs of strangers beyond a cosine, as counted among real enrolled faces and between real and drawn ones:")
    for cosine in (0.2, 0.3, 0.363, 0.4, 0.478, 0.51):
        print(f"  {cosine:.3f}: real {(real >= cosine).mean():.1e}, drawn {(synthetic >= cosine).mean():.1e}")


def _split(real: Photos) -> Split:
    order = np.argsort(real.people, kind="stable")
    people = np.unique(real.people[order], return_inverse=True)[1]
    first = np.r_[True, people[1:] != people[:-1]]
    return Split(real.vectors[order][first], real.vectors[order][~first], people[~first])


def _share(count: int, total: int) -> str:
    """Per cent with Wilson's 95 % interval (Wilson 1927)."""
    if total == 0:
        return "nobody was searched"
    share, z2 = count / total, NORMAL_95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    margin = NORMAL_95 / (1 + z2 / total) * float(np.sqrt(share * (1 - share) / total + z2 / (4 * total**2)))
    return f"{count}/{total} = {share:.2%} ({max(0.0, middle - margin):.2%}-{middle + margin:.2%})"


if __name__ == "__main__":
    main()
