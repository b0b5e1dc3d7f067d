"""``ipse bench``: how fast this machine is. The quick benchmark needs only the installed package."""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import decode
from ipse.cli import output
from ipse.cli.failure import EXIT_USAGE, CommandError
from ipse.samples.portraits import portraits
from ipse.settings import Settings

_ROUNDS = 15
_WARM_UP = 2
_SCRIPTS = Path(__file__).resolve().parents[3] / "bench"
_NOT_BENCHMARKS = frozenset({"machine", "__init__"})


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of one stage over all rounds."""

    stage: str
    median_ms: float
    worst_ms: float


def bench(names: Sequence[str], *, as_json: bool) -> None:
    """Run the quick benchmark, or the named scripts of a source checkout."""
    if not names:
        _quick(as_json=as_json)
        return
    available = {
        path.stem: path
        for path in sorted(_SCRIPTS.glob("*.py"))
        if path.stem not in _NOT_BENCHMARKS and not path.stem.startswith("_")
    }
    unknown = [name for name in names if name not in available]
    if unknown:
        known = ", ".join(available) or "none: scripts come with the source checkout"
        raise CommandError(f"No benchmark named {', '.join(unknown)}. There are: {known}.", EXIT_USAGE)
    for name in names:
        # The scripts are this project's own files; the name was looked up, not passed on.
        code = subprocess.run([sys.executable, str(available[name])], check=False).returncode  # noqa: S603
        if code != 0:
            raise CommandError(f"The benchmark {name} ended with code {code}.", code)


def _quick(*, as_json: bool) -> None:
    engine = FaceEngine.load(Settings().models_dir)
    samples = list(portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples").values())
    first, second = samples[0], samples[1]
    image = decode(first)
    scan = engine.scan(image)
    stored = engine.template(engine.scan(decode(second)))

    def pair() -> float:
        return engine.score(*(engine.template(engine.scan(decode(data))) for data in (first, second)))

    def against_stored() -> float:
        return engine.score(engine.template(engine.scan(decode(first))), stored)

    measured = [
        _measure("decode", lambda: decode(first)),
        _measure("detect", lambda: engine.scan(image)),
        _measure("template", lambda: engine.template(scan)),
        _measure("liveness", lambda: engine.liveness([scan])),
        _measure("match a pair of files", pair),
        _measure("match a file with a stored template", against_stored),
    ]
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, one thread"
    size = f"{image.width}x{image.height}"
    if as_json:
        facts = [{"stage": one.stage, "median_ms": one.median_ms, "worst_ms": one.worst_ms} for one in measured]
        output.print_json({"machine": machine, "image": size, "rounds": _ROUNDS, "stages": facts})
        return
    output.print_table(
        ("stage", "median ms", "worst ms"),
        [(one.stage, f"{one.median_ms:.1f}", f"{one.worst_ms:.1f}") for one in measured],
    )
    output.say(f"{machine}; image {size}; {_ROUNDS} rounds; liveness by {engine.liveness_engine.replace('_', ' ')}")


def _measure(stage: str, work: Callable[[], object]) -> Measured:
    for _ in range(_WARM_UP):
        work()
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return Measured(stage, round(statistics.median(times), 2), round(max(times), 2))
