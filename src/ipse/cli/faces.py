"""``ipse match`` and ``ipse liveness``: the engine on files, without a server."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.faces import FaceScan
from ipse.biometrics.images import decode
from ipse.cli import output
from ipse.cli.failure import EXIT_NO, CommandError
from ipse.settings import Settings

MOST_FRAMES = 10


def match(first: Path, second: Path, threshold: float, *, as_json: bool) -> None:
    """Compare the largest faces of two images."""
    engine = FaceEngine.load(Settings().models_dir)
    started = time.perf_counter()
    scans = [_scan(engine, path) for path in (first, second)]
    templates = [engine.template(scan) for scan in scans]
    score = engine.score(*templates)
    milliseconds = (time.perf_counter() - started) * 1000
    same = score >= threshold
    facts = {
        "same_person": same,
        "score": score,
        "threshold": threshold,
        "cosine": round(engine.similarity(*templates), 4),
        "quality": [round(engine.quality(scan).overall, 1) for scan in scans],
        "faces": [len(scan.faces) for scan in scans],
        "milliseconds": round(milliseconds, 1),
    }
    if as_json:
        output.print_json(facts)
    else:
        output.print_facts(
            [
                ("same person", "yes" if same else "no"),
                ("score", f"{score:.2f} of 100 (threshold {threshold:g})"),
                ("cosine", f"{facts['cosine']}"),
                *(
                    (path.name, f"quality {engine.quality(scan).overall:.0f}{_several(scan)}")
                    for path, scan in zip((first, second), scans, strict=True)
                ),
                ("took", f"{milliseconds:.0f} ms"),
            ]
        )
    sys.exit(0 if same else EXIT_NO)


def liveness(images: Sequence[Path], threshold: float, *, as_json: bool) -> None:
    """Judge one frame or a burst."""
    if len(images) > MOST_FRAMES:
        raise CommandError(f"A burst has at most {MOST_FRAMES} frames.", exit_code=2)
    engine = FaceEngine.load(Settings().models_dir)
    scans = [_scan(engine, path) for path in images]
    judged = engine.liveness(scans)
    live = judged.score is not None and judged.score >= threshold and not judged.attack_suspected
    if as_json:
        output.print_json(
            {
                "live": live,
                "score": judged.score,
                "threshold": threshold,
                "engine": judged.engine,
                "attack_suspected": judged.attack_suspected,
                "attack_type": judged.attack_type,
                "frames": judged.frames,
                "parts": dict(judged.parts),
            }
        )
    else:
        output.print_facts(
            [
                ("live", "yes" if live else "no"),
                ("score", "none" if judged.score is None else f"{judged.score:.2f} of 100 (threshold {threshold:g})"),
                ("engine", judged.engine.replace("_", " ")),
                ("attack", judged.attack_type or ("suspected" if judged.attack_suspected else "not noticed")),
                *((name.replace("_", " "), f"{value:.3f}") for name, value in judged.parts.items()),
            ]
        )
        if judged.engine == "basic_replay_screening":
            output.note("Basic replay screening is weak evidence; `ipse doctor` says how to get the liveness networks.")
    sys.exit(0 if live else EXIT_NO)


def _scan(engine: FaceEngine, path: Path) -> FaceScan:
    scan = engine.scan(decode(path.read_bytes()), rotate=True)
    if scan.primary is None:
        raise CommandError(f"{path}: no face was found.")
    return scan


def _several(scan: FaceScan) -> str:
    return f", {len(scan.faces)} faces, the largest was used" if len(scan.faces) > 1 else ""
