"""Error rates of the colour challenge (``FLASHING``) on simulated captures.

    python bench/challenge_response.py                  # 200 captures of each class, some twenty minutes on one core
    python bench/challenge_response.py --captures 20

Everything is drawn: sample portraits on a simple head, prints and displays of them (``ipse.samples``). The detector is
the real one. What that proves and what not: docs/biometrics/screen_response.md.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import platformdirs

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import Pixels, decode
from ipse.biometrics.screen_colours import ColourShown, draw_colours, entropy_bits
from ipse.biometrics.screen_response import ResponseEvidence, judge_response
from ipse.biometrics.timed import TimedScan
from ipse.samples.flashing import Recorder, Render, recording, shown, tinted_recording
from ipse.samples.head import PEOPLE, Head, Light, Pose
from ipse.samples.photo import Photo
from ipse.samples.portraits import portraits
from machine import description

Frames = list[tuple[float, bytes]]
SIZE = {"width": 480, "height": 360}


@dataclass(frozen=True)
class Subject:
    """One portrait as a person, as a print and on a display."""

    name: str
    portrait: bytes

    @cached_property
    def head(self) -> Head:
        """The person."""
        return Head.of(self.name, self.portrait, **SIZE)

    @cached_property
    def paper(self) -> Photo:
        """The print."""
        return Photo.of(self.name, self.portrait, **SIZE)

    @cached_property
    def display(self) -> Photo:
        """The display."""
        return Photo.of(self.name, self.portrait, screen=True, **SIZE)


@dataclass(frozen=True)
class Attempt:
    """One capture to be made: who, what was asked for, something else that was drawn, and how it is recorded."""

    subject: Subject
    colours: tuple[ColourShown, ...]
    others: tuple[ColourShown, ...]
    recorder: Recorder
    bend: float
    seed: int


def person(attempt: Attempt) -> Frames:
    """Somebody who sits there."""
    return recording(_person(attempt), attempt.colours, attempt.recorder, seed=attempt.seed)


def person_in_weak_light(attempt: Attempt) -> Frames:
    """The screen gives 3 to 5 % of the light."""
    weak = replace(attempt.recorder, strength=0.03 + 0.25 * (attempt.recorder.strength - 0.05))
    return recording(_person(attempt), attempt.colours, weak, seed=attempt.seed)


def video_of_other_colours(attempt: Attempt) -> Frames:
    """An earlier recording of the very person, with other colours."""
    return recording(_person(attempt), attempt.others, attempt.recorder, seed=attempt.seed)


def video_without_colours(attempt: Attempt) -> Frames:
    """An injected video of the person in plain light."""
    dark = replace(attempt.recorder, strength=0.0)
    return recording(_person(attempt), attempt.colours, dark, seed=attempt.seed)


def still(attempt: Attempt) -> Frames:
    """An injected photo with fresh noise."""

    def render(pose: Pose, light: Light, seed: int | None) -> Pixels:
        return attempt.subject.head.frame(Pose(), Light(), seed=seed)

    return recording(render, attempt.colours, attempt.recorder, seed=attempt.seed)


def display(attempt: Attempt) -> Frames:
    """A display held before the camera, moved slowly."""

    def render(pose: Pose, light: Light, seed: int | None) -> Pixels:
        return attempt.subject.display.frame(pose, light, seed=seed)

    return recording(render, attempt.colours, attempt.recorder, seed=attempt.seed)


def flat_print(attempt: Attempt) -> Frames:
    """A sheet of paper held before the camera, moved slowly."""
    return recording(_print(attempt, 0.0), attempt.colours, attempt.recorder, seed=attempt.seed)


def bent_print(attempt: Attempt) -> Frames:
    """A sheet bent towards the camera by 20 to 60 degrees."""
    return recording(_print(attempt, attempt.bend), attempt.colours, attempt.recorder, seed=attempt.seed)


def tinted_video(attempt: Attempt) -> Frames:
    """An injected video, coloured by a program that knows the colours, everywhere alike."""
    return tinted_recording(_person(attempt), attempt.colours, attempt.recorder, seed=attempt.seed)


def tinted_face(attempt: Attempt) -> Frames:
    """As before, the face only."""
    return tinted_recording(_person(attempt), attempt.colours, attempt.recorder, only_face=True, seed=attempt.seed)


GENUINE: Sequence[Callable[[Attempt], Frames]] = (person, person_in_weak_light)
ATTACKS: Sequence[Callable[[Attempt], Frames]] = (
    video_of_other_colours,
    video_without_colours,
    still,
    display,
    flat_print,
    bent_print,
    tinted_video,
    tinted_face,
)


def main() -> None:
    """Print a table row per class."""
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(platformdirs.user_cache_dir("ipse"))
    parser.add_argument("--models", type=Path, default=cache / "models")
    parser.add_argument("--samples", type=Path, default=cache / "samples")
    parser.add_argument("--captures", type=int, default=200)
    parser.add_argument("--only", help="the name of one class")
    options = parser.parse_args()
    engine = FaceEngine.load(options.models)
    files = portraits(options.samples)
    subjects = [Subject(name, files[name]) for name in PEOPLE]
    print(f"machine: {description()}")
    print(f"a sequence of 7 colours has {entropy_bits():.1f} bits; {options.captures} captures of each class")
    seconds: list[float] = []
    for kind in (*GENUINE, *ATTACKS):
        if options.only not in (None, kind.__name__):
            continue
        found = [_judged(engine, kind(a), a.colours, seconds) for a in _attempts(subjects, options.captures)]
        print(_row(kind.__name__, found, genuine=kind in GENUINE), flush=True)
    median, slow = np.quantile(seconds, [0.5, 0.99])
    print(f"judging one capture, detection excluded: median {median * 1000:.0f} ms, p99 {slow * 1000:.0f} ms")


def _attempts(subjects: Sequence[Subject], captures: int) -> Iterator[Attempt]:
    for seed in range(captures):
        source = random.Random(seed)
        yield Attempt(
            subject=subjects[seed % len(subjects)],
            colours=shown(draw_colours(source)),
            others=shown(draw_colours(source)),
            recorder=Recorder(
                strength=source.uniform(0.05, 0.13),
                lag_ms=source.uniform(30, 220),
                frames_per_second=source.uniform(7.0, 10.0),
                drift=source.uniform(0.0, 0.05),
                sway=source.uniform(0.2, 1.5),
                quality=source.choice([70, 80, 90]),
            ),
            bend=source.uniform(20, 60),
            seed=seed,
        )


def _person(attempt: Attempt) -> Render:
    def render(pose: Pose, light: Light, seed: int | None) -> Pixels:
        return attempt.subject.head.frame(pose, light, seed=seed)

    return render


def _print(attempt: Attempt, bend: float) -> Render:
    def render(pose: Pose, light: Light, seed: int | None) -> Pixels:
        return attempt.subject.paper.frame(pose, light, bend=bend, seed=seed)

    return render


def _judged(
    engine: FaceEngine, frames: Frames, colours: Sequence[ColourShown], seconds: list[float]
) -> ResponseEvidence:
    scans = [TimedScan(at_ms, engine.scan(decode(data))) for at_ms, data in frames]
    start = time.perf_counter()
    evidence = judge_response(scans, colours)
    seconds.append(time.perf_counter() - start)
    return evidence


def _row(name: str, found: Sequence[ResponseEvidence], *, genuine: bool) -> str:
    wrong = sum(evidence.passed != genuine for evidence in found)
    low, high = _interval(wrong, len(found))
    reasons = Counter(reason for evidence in found for reason in evidence.reasons[:1])
    why = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    correlation = np.quantile([evidence.correlation for evidence in found], [0.05, 0.5])
    relief = np.quantile([evidence.relief or 0.0 for evidence in found], [0.05, 0.5, 0.95])
    return (
        f"{name}: {'rejected' if genuine else 'accepted'} {wrong} of {len(found)} "
        f"({low:.1%} to {high:.1%} with 95 % confidence); {why or 'no reasons'}; "
        f"correlation p5 {correlation[0]:.2f} p50 {correlation[1]:.2f}; "
        f"relief p5 {relief[0]:.2f} p50 {relief[1]:.2f} p95 {relief[2]:.2f}"
    )


def _interval(count: int, of: int) -> tuple[float, float]:
    """Wilson's score interval, 95 %."""
    z = 1.96
    share = count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * float(np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


if __name__ == "__main__":
    main()
