"""Fit and measure the basic replay screening on drawn attacks, one person left out at a time.

    python bench/faces_screening.py            # measure, leave-one-person-out, and the shipped weights
    python bench/faces_screening.py --write    # also refit on all people and write the data file

Nothing but the sample portraits of registry packages and attacks drawn from them is used.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import decode
from ipse.biometrics.replay_screening import FEATURES, SCREENING_MODEL, ScreeningModel, screening_features
from ipse.samples.attacks import print_attack, replay_attack
from ipse.samples.portraits import PORTRAITS, portraits
from ipse.samples.scenes import selfie
from machine import description

THRESHOLD = 0.5
RIDGE = 0.02
DATA_FILE = Path(__file__).parents[1] / "src/ipse/biometrics/data/replay_screening.json"


@dataclass(frozen=True)
class Sample:
    """One picture's features, who is on it, and whether it is an attack and of which kind (``live`` when none)."""

    person: str
    kind: str
    features: NDArray[np.float64]


def main() -> None:
    """Measure, and with --write refit."""
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(platformdirs.user_cache_dir("ipse"))
    parser.add_argument("--models", type=Path, default=cache / "models")
    parser.add_argument("--samples", type=Path, default=cache / "samples")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    engine = FaceEngine.load(options.models)
    samples = list(_samples(engine, options.samples, options.seeds))
    print(f"machine: {description()}")
    people = sorted({sample.person for sample in samples})
    left_out: list[tuple[str, bool]] = []
    for person in people:
        model = _fitted([sample for sample in samples if sample.person != person])
        left_out += [(s.kind, _suspected(model, s)) for s in samples if s.person == person]
    print(f"{len(samples)} pictures of {people}, each person judged by a model fitted on the others:")
    rates = _rates(left_out)
    for line in rates:
        print("  " + line)
    if options.write:
        model = _fitted(samples)
        weights = {name: round(value, 4) for name, value in zip(FEATURES, model.weights, strict=True)}
        entry = {
            "version": "2026.1",
            "weights": weights,
            "bias": round(model.bias, 4),
            "threshold": model.threshold,
            "fitted_on": f"{len(samples)} drawn pictures of {len(people)} people (bench/faces_screening.py)",
            "left_out_rates": rates,
        }
        DATA_FILE.write_text(json.dumps(entry, indent=2) + "\n", "utf-8")
    else:
        shipped = [(sample.kind, _suspected(SCREENING_MODEL, sample)) for sample in samples]
        print("with the shipped weights (fitted on these very people):")
        for line in _rates(shipped):
            print("  " + line)


def _samples(engine: FaceEngine, cache: Path, seeds: int) -> Iterator[Sample]:
    files = portraits(cache)
    for portrait in PORTRAITS:
        if "partial" in portrait.name:
            continue
        data = files[portrait.name]
        yield _sample(engine, portrait.person, "live", data)
        for seed in range(seeds):
            capture = selfie(portrait.name, data, seed=seed)
            yield _sample(engine, portrait.person, "live", capture)
            for photo in (capture, data):
                yield _sample(engine, portrait.person, "print", print_attack(photo, seed=seed))
                yield _sample(engine, portrait.person, "replay", replay_attack(photo, seed=seed))


def _sample(engine: FaceEngine, person: str, kind: str, data: bytes) -> Sample:
    scan = engine.scan(decode(data))
    if scan.primary is None:
        raise SystemExit(f"no face in a {kind} picture of {person}")
    return Sample(person, kind, screening_features(scan, scan.primary))


def _fitted(samples: list[Sample]) -> ScreeningModel:
    """Ridge-regularised logistic regression by Newton's method, both classes given equal weight."""
    x = np.array([[*sample.features, 1.0] for sample in samples])
    y = np.array([sample.kind != "live" for sample in samples], dtype=np.float64)
    balance = np.where(y == 1, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    penalty = RIDGE * np.diag([1.0] * len(FEATURES) + [0.0]) / 2
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (balance * (p - y)) + penalty @ weights
        curvature = (x * (balance * p * (1 - p))[:, None]).T @ x + penalty + 1e-9 * np.eye(len(weights))
        weights = weights - np.linalg.solve(curvature, gradient)
    return ScreeningModel(weights=tuple(float(w) for w in weights[:-1]), bias=float(weights[-1]), threshold=THRESHOLD)


def _suspected(model: ScreeningModel, sample: Sample) -> bool:
    return model.probability(sample.features) >= model.threshold


def _rates(outcomes: list[tuple[str, bool]]) -> list[str]:
    lines = []
    for kind in ("live", "print", "replay"):
        flags = [suspected for found, suspected in outcomes if found == kind]
        wrong = sum(flags) if kind == "live" else len(flags) - sum(flags)
        name = "BPCER" if kind == "live" else f"APCER {kind}"
        lines.append(f"{name}: {wrong} of {len(flags)} ({wrong / len(flags):.1%})")
    return lines


if __name__ == "__main__":
    main()
