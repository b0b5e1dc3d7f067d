"""Simulated recordings of ``FLASHING``: what a camera delivers while a screen shows colours, to people and attacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels
from ipse.biometrics.screen_colours import ColourShown, Rgb, linear_light

from .head import Light, Pose
from .scenes import jpeg

Render = Callable[[Pose, Light, int | None], Pixels]
"""What stands in front of the camera: ``Head.frame`` or ``Photo.frame``."""

_EXPOSURE_MS: Final = 33.0
# The page scales the frames of a challenge down to this width before it compresses them.
_WIDTH: Final = 480
_JPEG_QUALITY: Final = 70
_GAMMA: Final = 2.2


@dataclass(frozen=True)
class Recorder:
    """How it is recorded. ``strength`` as in ``Light``; ``lag_ms`` from the screen to the time stamp of a frame.

    ``drift`` is how far automatic white balance and exposure wander, as a share; ``sway`` how far the head does, as a
    multiple of what a person who tries to hold still does (about 3 degrees and 1 % of the frame).
    """

    strength: float = 0.08
    lag_ms: float = 90.0
    frames_per_second: float = 8.0
    drift: float = 0.03
    sway: float = 1.0
    quality: int = _JPEG_QUALITY


def shown(colours: Sequence[Rgb], ms: int = 400, start_ms: float = 1000.0) -> tuple[ColourShown, ...]:
    """The colours one after the other, from ``start_ms`` on."""
    return tuple(ColourShown(rgb, start_ms + i * ms, start_ms + (i + 1) * ms) for i, rgb in enumerate(colours))


def recording(
    render: Render, colours: Sequence[ColourShown], recorder: Recorder = Recorder(), *, seed: int = 0
) -> list[tuple[float, bytes]]:
    """(time in ms, JPEG) of the frames recorded while ``colours`` lit what ``render`` shows."""

    def lit(pose: Pose, light: NDArray[np.float64], noise: int) -> Pixels:
        red, green, blue = (float(part) for part in light)
        return render(pose, Light(screen=(red, green, blue), strength=recorder.strength), noise)

    return _recorded(lit, colours, recorder, seed)


def tinted_recording(
    render: Render,
    colours: Sequence[ColourShown],
    recorder: Recorder = Recorder(),
    *,
    only_face: bool = False,
    seed: int = 0,
) -> list[tuple[float, bytes]]:
    """An injected video without any light on it, coloured by a program: everywhere alike, or inside an oval only."""

    def tinted(pose: Pose, light: NDArray[np.float64], noise: int) -> Pixels:
        frame = render(pose, Light(), noise)
        height, width = frame.shape[:2]
        share = np.ones((height, width), np.float32)
        if only_face:
            share = np.zeros((height, width), np.float32)
            cv2.ellipse(share, (width // 2, height // 2), (height // 4, height // 3), 0, 0, 360, 1.0, -1)
            share = np.asarray(cv2.GaussianBlur(share, (0, 0), height / 40), np.float32)
        gain = (1 + share[:, :, None] * recorder.strength * light.astype(np.float32)) ** (1 / _GAMMA)
        return np.clip(frame * gain, 0, 255).astype(np.uint8)

    return _recorded(tinted, colours, recorder, seed)


def _recorded(
    frame_of: Callable[[Pose, NDArray[np.float64], int], Pixels],
    colours: Sequence[ColourShown],
    recorder: Recorder,
    seed: int,
) -> list[tuple[float, bytes]]:
    random = np.random.default_rng([seed, 3])
    period = 1000 / recorder.frames_per_second
    at = colours[0].start_ms - 2 * period + random.uniform(0, period)
    phases = random.uniform(0, 2 * np.pi, 9)
    frames = []
    while at < colours[-1].end_ms + 150:
        pose = _swaying(at, phases, recorder.sway)
        pixels = frame_of(pose, _light(colours, at - recorder.lag_ms), int(random.integers(1 << 30)))
        frames.append((at, jpeg(_small(_drifted(pixels, at, phases, recorder.drift)), recorder.quality)))
        at += period + random.normal(0, 6)
    return frames


def _light(colours: Sequence[ColourShown], at_ms: float) -> NDArray[np.float64]:
    """(3,) mean light of the screen over the exposure that ends at ``at_ms``; white before and after the run."""
    white, sums = _EXPOSURE_MS, np.zeros(3)
    for colour in colours:
        share = min(at_ms, colour.end_ms) - max(at_ms - _EXPOSURE_MS, colour.start_ms)
        if share > 0:
            sums += share * linear_light(colour.rgb)
            white -= share
    light: NDArray[np.float64] = (sums + max(white, 0.0)) / _EXPOSURE_MS
    return light


def _swaying(at_ms: float, phases: NDArray[np.float64], sway: float) -> Pose:
    slow = np.sin(2 * np.pi * at_ms / 1000 * np.array([0.31, 0.23, 0.17, 0.27, 0.37]) + phases[:5]) * sway
    return Pose(yaw=3 * slow[0], pitch=2 * slow[1], roll=1.5 * slow[2], x=0.01 * slow[3], scale=1 + 0.015 * slow[4])


def _drifted(pixels: Pixels, at_ms: float, phases: NDArray[np.float64], drift: float) -> Pixels:
    """Automatic exposure and white balance: slow gains of the light, per channel."""
    slow = np.sin(2 * np.pi * at_ms / 1000 * np.array([0.12, 0.09, 0.14, 0.16]) + phases[5:])
    gains = (1 + drift * slow[:3]) * (1 + 2 * drift * slow[3])
    coded = np.arange(256)[:, None] / 255 * gains[None, :] ** (1 / _GAMMA)
    table = np.clip(np.rint(coded * 255), 0, 255).astype(np.uint8)
    return np.stack([table[pixels[:, :, channel], channel] for channel in range(3)], axis=2)


def _small(pixels: Pixels) -> Pixels:
    if pixels.shape[1] <= _WIDTH:
        return pixels
    size = (_WIDTH, round(pixels.shape[0] * _WIDTH / pixels.shape[1]))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
