"""What the protection of templates costs, and what it keeps from whoever reads them (ISO/IEC 24745, decision 0018).

    python bench/template_protection.py [--lfw ../shared/data/lfw]

Accuracy and TAR of protected against plain templates on the benchmark pairs; linkability D_sys (Gomez-Barrero et al.,
"General framework to evaluate unlinkability in biometric template protection systems", 2018) by several attacks; how
often a template without its key matches anybody; times and sizes. Without LFW it says so and uses drawn vectors.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

import _one_core
from _lfw import Vector, pairs, photos
from ipse.biometrics.calibration import SIMILARITY
from ipse.biometrics.protection import (
    SALT_BYTES,
    AuxiliaryData,
    Protected,
    Reference,
    Transformation,
    protect,
)
from ipse.biometrics.templates import TEMPLATE_LENGTH, Template
from ipse.faces import rotation
from ipse.faces.search_vectors import SearchVector
from machine import description

MODEL = "sface-2021dec"
MINE, THEIRS = hashlib.sha256(b"mine").digest(), hashlib.sha256(b"theirs").digest()
GOAL_LOSS, GOAL_LINKABILITY = 0.3, 0.05
SAME_PERSON = SIMILARITY.inverse(60.0)
BINS = 40
NON_MATED = 4
"""Strangers that every face is held against."""

Scores = NDArray[np.float64]
Attack = Callable[[Vector, Vector], Scores]


@dataclass(frozen=True)
class Data:
    """``vectors`` (n, 128); ``people`` n numbers; ``left``, ``right``, ``same`` the benchmark's pairs."""

    vectors: Vector
    people: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    same: NDArray[np.bool_]


def main() -> int:
    """Print every measurement; return 0 when both goals are met."""
    _one_core.ensure()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lfw", type=Path, default=Path("../shared/data/lfw"))
    options = parser.parse_args()
    print(f"machine: {description()}; one BLAS thread")
    data = _of_lfw(options.lfw)
    if data is None:
        print("LFW is not here: drawn vectors stand in for it, and accuracy says nothing about faces")
        data = _drawn()
    print(f"{len(data.vectors)} templates of {len(set(data.people.tolist()))} people, {len(data.same)} pairs")
    mine = [_store(vector, number, MINE, "mine") for number, vector in enumerate(data.vectors)]
    theirs = [_store(vector, number, THEIRS, "theirs") for number, vector in enumerate(data.vectors)]
    loss = _accuracy(data, mine)
    worst = _linkability(data, _codes(mine), _codes(theirs))
    _irreversibility(data, mine)
    _times(data)
    print(
        f"\nloss of accuracy {loss:.2f} points (goal <= {GOAL_LOSS}), "
        f"worst D_sys {worst:.3f} (goal <= {GOAL_LINKABILITY})"
    )
    return 0 if loss <= GOAL_LOSS and worst <= GOAL_LINKABILITY else 1


@dataclass(frozen=True)
class Stored:
    """A protected template with its transformation."""

    protected: Protected
    transformation: Transformation

    @property
    def reference(self) -> Reference:
        """As it is compared."""
        return Reference.of(self.protected, self.transformation)


def _store(vector: Vector, number: int, secret: bytes, application: str) -> Stored:
    salt = hashlib.sha256(application.encode() + number.to_bytes(4, "big")).digest()[:SALT_BYTES]  # so that runs agree
    auxiliary = AuxiliaryData(MODEL, 1, salt)
    key = Transformation.of(secret, auxiliary, application_id=application, face_id=str(number))
    return Stored(protect(Template(vector, MODEL), auxiliary, key), key)


def _codes(stored: Sequence[Stored]) -> Vector:
    return np.stack([one.protected.codes for one in stored]).astype(np.float32)


def _accuracy(data: Data, stored: Sequence[Stored]) -> float:
    """Print plain and protected side by side; points of accuracy that protection costs, at its worst direction."""
    plain = np.sum(data.vectors[data.left] * data.vectors[data.right], axis=1).astype(np.float64)
    guarded = np.array(
        [
            stored[a].reference.compare(Template(data.vectors[b], MODEL))
            for a, b in zip(data.left.tolist(), data.right.tolist(), strict=True)
        ]
    )
    print(f"\n{'':10} {'accuracy %':>10} {'TAR@1e-2 %':>10} {'TAR@1e-3 %':>10}")
    rows = {"plain": _rates(plain, data.same), "protected": _rates(guarded, data.same)}
    for name, rates in rows.items():
        print(f"{name:10} " + " ".join(f"{100 * rate:10.2f}" for rate in rates))
    moved = np.abs(guarded - plain)
    print(f"cosines move by {moved.mean():.5f} on average, {moved.max():.5f} at most")
    return 100 * max(before - after for before, after in zip(rows["plain"], rows["protected"], strict=True))


def _rates(cosines: Scores, same: NDArray[np.bool_]) -> tuple[float, float, float]:
    genuine, impostors = cosines[same], np.sort(cosines[~same])
    thresholds = np.sort(cosines)
    accuracy = max(float(((genuine >= one).sum() + (impostors < one).sum()) / cosines.size) for one in thresholds)
    at = [impostors[-1 - int(rate * impostors.size)] for rate in (1e-2, 1e-3)]
    return accuracy, *(float((genuine > one).mean()) for one in at)  # type: ignore[return-value]


def _linkability(data: Data, mine: Vector, theirs: Vector) -> float:
    """Print D_sys of each attack for the same photo in two applications; the worst."""
    random = np.random.default_rng(1)
    count = len(mine)
    strangers = []
    for _ in range(NON_MATED):
        order = random.permutation(count)
        strangers.append((np.arange(count), order))
    first = np.concatenate([one for one, _ in strangers])
    second = np.concatenate([other for _, other in strangers])
    kept = data.people[first] != data.people[second]
    first, second = first[kept], second[kept]
    print(f"\nlinkability of the same photo in two applications: {count} mated, {first.size} non-mated scores")
    print(f"{'attack':34} {'D_sys':>7} {'chance':>7}")
    worst = 0.0
    for name, attack in {**_attacks(), "learned from half of the people": _learned(mine, theirs)}.items():
        half = name.startswith("learned")
        a = np.arange(count // 2 if half else 0, count)
        b = first >= (count // 2 if half else 0)
        mated, other = attack(mine[a], theirs[a]), attack(mine[first[b]], theirs[second[b]])
        score = _d_sys(mated, other)
        # The estimate is never below 0, so noise alone gives something: that of scores shuffled among both kinds.
        pooled = np.concatenate([mated, other])
        chance = statistics.mean(
            _d_sys(shuffled[: mated.size], shuffled[mated.size :])
            for shuffled in (random.permutation(pooled) for _ in range(20))
        )
        print(f"{name:34} {score:7.3f} {chance:7.3f}")
        worst = max(worst, score)
    plain = _d_sys(
        np.sum(data.vectors[data.left][data.same] * data.vectors[data.right][data.same], axis=1),
        np.sum(data.vectors[data.left][~data.same] * data.vectors[data.right][~data.same], axis=1),
    )
    print(f"{'(control) plain, two photos':34} {plain:7.3f}")
    weak_mine, weak_theirs = _one_round(data.vectors, 1), _one_round(data.vectors, 2)
    attack = _attacks()["sorted magnitudes, last round undone"]
    broken = _d_sys(attack(weak_mine, weak_theirs), attack(weak_mine[first], weak_theirs[second]))
    print(f"{'(control) one round, last undone':34} {broken:7.3f}")
    return worst


def _attacks() -> Mapping[str, Attack]:
    def magnitudes(a: Vector, b: Vector) -> Scores:
        return -np.linalg.norm(np.sort(np.abs(_unit(a))) - np.sort(np.abs(_unit(b))), axis=1).astype(np.float64)

    return {
        "cosine": lambda a, b: np.sum(_unit(a) * _unit(b), axis=1).astype(np.float64),
        "best of cosine and its opposite": lambda a, b: np.abs(np.sum(_unit(a) * _unit(b), axis=1)).astype(np.float64),
        "sorted magnitudes": magnitudes,
        "sorted magnitudes, last round undone": lambda a, b: magnitudes(_undone(a), _undone(b)),
        "length": lambda a, b: -np.abs(np.linalg.norm(a, axis=1) - np.linalg.norm(b, axis=1)).astype(np.float64),
        "largest number": lambda a, b: -np.abs(np.abs(a).max(axis=1) - np.abs(b).max(axis=1)).astype(np.float64),
        "fourth moment, last round undone": lambda a, b: (
            -np.abs((_unit(_undone(a)) ** 4).sum(axis=1) - (_unit(_undone(b)) ** 4).sum(axis=1)).astype(np.float64)
        ),
    }


def _learned(mine: Vector, theirs: Vector) -> Attack:
    """Fisher's linear discriminant on the differences of all sorted magnitudes, trained on the first half."""

    def features(a: Vector, b: Vector) -> Scores:
        parts = [np.sort(np.abs(_unit(x))) - np.sort(np.abs(_unit(y))) for x, y in ((a, b), (_undone(a), _undone(b)))]
        return np.hstack([*(np.abs(part) for part in parts), _unit(a) * _unit(b)]).astype(np.float64)

    half = len(mine) // 2
    mated, other = features(mine[:half], theirs[:half]), features(mine[:half], np.roll(theirs[:half], 7, axis=0))
    spread = np.cov(mated.T) + np.cov(other.T)
    direction = np.linalg.solve(spread + 1e-6 * np.trace(spread) * np.eye(len(spread)), mated.mean(0) - other.mean(0))
    return lambda a, b: features(a, b) @ direction


def _one_round(vectors: Vector, seed: int) -> Vector:
    """A transformation that is too weak, with a key for each face: the attacks must find it out."""
    random = np.random.default_rng(seed)
    signed = vectors * random.choice(np.array([-1, 1], dtype=np.float32), size=vectors.shape)
    return _undone(random.permuted(signed, axis=1))


def _undone(codes: Vector) -> Vector:
    """The last Hadamard transform is public: behind it only keyed signs and a keyed order are left of a round."""
    hadamard = np.ones((1, 1), dtype=np.float32)
    while hadamard.shape[0] < TEMPLATE_LENGTH:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    return np.asarray(codes @ hadamard, dtype=np.float32)


def _d_sys(mated: NDArray[np.floating], non_mated: NDArray[np.floating]) -> float:
    """Equal priors; densities over bins that hold equal shares of both kinds of scores together."""
    weights = np.concatenate([np.full(mated.size, 1 / mated.size), np.full(non_mated.size, 1 / non_mated.size)])
    scores = np.concatenate([mated, non_mated])
    order = np.argsort(scores, kind="stable")
    share = np.cumsum(weights[order]) / 2
    edges = scores[order][np.searchsorted(share, np.linspace(0, 1, BINS + 1)[1:-1])]
    same = np.bincount(np.searchsorted(edges, mated), minlength=BINS) / mated.size
    other = np.bincount(np.searchsorted(edges, non_mated), minlength=BINS) / non_mated.size
    with np.errstate(invalid="ignore"):
        local = np.where(same > other, (same - other) / (same + other), 0.0)
    return float(np.sum(local * same))


def _irreversibility(data: Data, stored: Sequence[Stored]) -> None:
    """How often what can be had without the key passes for the person, beside what a stranger's face does."""
    codes = _unit(_codes(stored))
    keys = [one.transformation for one in [_store(v, n, THEIRS, "mine") for n, v in enumerate(data.vectors)]]
    mean = _unit(data.vectors.mean(axis=0, keepdims=True))[0]
    a, b = data.left[data.same], data.right[data.same]
    guesses = {
        "the stored numbers as they are": codes,
        "turned back with a wrong secret": np.stack([key.undo(one) for key, one in zip(keys, codes, strict=True)]),
        "turned back with a neighbour's key": np.stack(
            [one.transformation.undo(code) for one, code in zip([*stored[1:], stored[0]], codes, strict=True)]
        ),
        "the mean face": np.tile(mean, (len(codes), 1)),
    }
    print(
        f"\nwithout the key, against another photo of the person ({a.size} pairs), cosine from {SAME_PERSON:.3f} passes"
    )
    print(f"{'guess':36} {'passes':>7} {'mean':>7} {'highest':>8}")
    for name, guess in guesses.items():
        reached = np.sum(guess[a] * data.vectors[b], axis=1)
        print(f"{name:36} {int((reached >= SAME_PERSON).sum()):7} {reached.mean():7.3f} {reached.max():8.3f}")
    stranger = np.sum(data.vectors[data.left][~data.same] * data.vectors[data.right][~data.same], axis=1)
    print(
        f"{'(a stranger: ' + str(stranger.size) + ' pairs)':36} {int((stranger >= SAME_PERSON).sum()):7} "
        f"{stranger.mean():7.3f} {stranger.max():8.3f}"
    )
    every = sum(
        int((codes[start : start + 500] @ data.vectors.T >= SAME_PERSON).sum()) for start in range(0, len(codes), 500)
    )
    print(f"stored numbers against every photo of everybody: {every} of {len(codes) ** 2} pass")


def _times(data: Data) -> None:
    """Milliseconds of each operation, and bytes of each form."""
    face, probe = Template(data.vectors[0], MODEL), Template(data.vectors[1], MODEL)
    auxiliary = AuxiliaryData.fresh(MODEL, 1)

    def transformation() -> Transformation:
        return Transformation.of(MINE, auxiliary, application_id="mine", face_id="face")

    key = transformation()
    stored = protect(face, auxiliary, key)
    reference = Reference.of(stored, key)
    space = rotation.SearchSpace(bytes(8), rotation.matrix(MINE))
    vector = SearchVector.of(face, space)
    print(f"\n{'operation':36} {'median ms':>9}")
    for name, operation in {
        "make a transformation": transformation,
        "protect": lambda: protect(face, auxiliary, key),
        "compare": lambda: reference.compare(probe),
        "make a transformation and compare": lambda: Reference.of(stored, transformation()).compare(probe),
        "compare plain templates": lambda: float(face.vector @ probe.vector),
        "turn a probe into the search space": lambda: SearchVector.of(probe, space),
        "make a search space": lambda: rotation.matrix.__wrapped__(MINE),
    }.items():
        print(f"{name:36} {_median(operation):9.4f}")
    print(
        f"bytes before sealing: plain {len(face.to_bytes())}, protected {len(stored.to_bytes())}, "
        f"search vector {len(vector.to_bytes())}"
    )


def _median(operation: Callable[[], object]) -> float:
    taken = []
    for _ in range(300):
        started = time.perf_counter()
        operation()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _of_lfw(lfw: Path) -> Data | None:
    real = photos(lfw, Path(platformdirs.user_cache_dir("ipse")) / "models")
    if real is None or not (lfw / "pairs.csv").is_file():
        return None
    place = {name: number for number, name in enumerate(real.names.tolist())}
    known = [(same, place[a], place[b]) for same, a, b in pairs(lfw) if a in place and b in place]
    people = np.unique(real.people, return_inverse=True)[1]
    return Data(
        real.vectors,
        people,
        np.array([one[1] for one in known]),
        np.array([one[2] for one in known]),
        np.array([one[0] for one in known]),
    )


def _drawn(count: int = 1_500) -> Data:
    """Two photos of each of ``count`` people, as far apart as those of LFW on average."""
    random = np.random.default_rng(24745)
    people = random.standard_normal((count, TEMPLATE_LENGTH)) + 0.33 * random.standard_normal(TEMPLATE_LENGTH)
    spread = random.uniform(0.4, 0.95, size=(count, 1))
    shots = np.concatenate([people + spread * random.standard_normal(people.shape) for _ in range(2)])
    numbers = np.arange(count)
    return Data(
        _unit(shots.astype(np.float32)),
        np.tile(numbers, 2),
        np.tile(numbers, 2),
        np.concatenate([numbers + count, np.roll(numbers, 1) + count]),
        np.repeat([True, False], count),
    )


def _unit(vectors: Vector) -> Vector:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    raise SystemExit(main())
