"""Does this face answer the colours that this screen showed, as a head in front of it does?

Light adds: skin lit by the room sends back ``albedo * (room + strength * screen)``, so the logarithm of red over green
follows ``strength / room * (screen red - screen green)``, and blue over green alike. The strength is fitted by least
squares with the delay of screen and camera, slow drift taken away, and the same is asked of other sequences that could
have been drawn: the one that was shown must explain the skin better. Then place matters: the wall behind must answer
less than the face, and the middle of the face more than its sides. docs/biometrics/screen_response.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .light_relief import Relief, light_relief
from .screen_colours import ColourShown, draw_colours, opponents
from .screen_fit import FEWEST_FRAMES, LAGS_MS, Fit, Screen, correlation_of_others, fit, screens
from .skin_light import SkinLight, background_light, brightness, head_sway, skin_light
from .timed import TimedScan

__all__ = ["ColourShown", "ResponseEvidence", "draw_colours", "judge_response"]

# The limits lie between the simulated people and attacks of bench/challenge_response.py; see the table in
# docs/biometrics/screen_response.md.
LEAST_CORRELATION: Final = 0.6
LEAST_MARGIN: Final = 0.03
LEAST_STRENGTH: Final = 0.012
"""As a share of the light of the room."""
MOST_BACKGROUND_SHARE: Final = 0.6
LEAST_RELIEF: Final = 0.15
LEAST_RELIEF_CERTAINTY: Final = 2.2
"""In standard errors: a face is no sheet only when its relief stands out of the noise."""
_FLAT_WITHIN: Final = 0.1
"""The standard error up to which a relief that is too small means a sheet, and not a light too weak to see it by."""
MOST_VEIL: Final = 0.5
"""Of the response may come from glass in front of the face: people reach 0.4 when it is hard to tell, displays 1."""
_VEIL_CERTAINTY: Final = 3.0
# Colour that moves this much (root mean square of the logarithm) without following the screen is somebody else's.
_FOREIGN: Final = 0.02
# Of 255. So bright, the face has most of its light from elsewhere, or the camera is at its limit.
_BRIGHT_FACE: Final = 175.0


@dataclass(frozen=True)
class ResponseEvidence:
    """What the light on the face says.

    ``correlation`` (-1 to 1) is that of the skin's colour with the colours shown, at the best ``lag_ms`` (0-350);
    ``margin`` is by how much it exceeds what 99 of 100 other drawn sequences reach, at their best lag.
    ``face_to_background`` is the face's response as a multiple of the background's, at most 99; ``None`` where no
    background can be seen. ``relief`` is by how much less the face answers at its sides than in its middle
    (``light_relief.Relief``): about 0 for a flat sheet. ``parts`` are the numbers behind it.

    ``reasons`` are empty when ``passed``. ``other_colours``, ``uniform_response``, ``flat`` and ``no_response`` speak
    of an attack; ``too_few_frames`` and ``too_bright_surroundings`` of circumstances in which nothing can be told.
    """

    passed: bool
    correlation: float
    margin: float
    lag_ms: float
    face_to_background: float | None
    relief: float | None
    parts: Mapping[str, float]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Measured:
    """Everything that the reasons are drawn from."""

    skin: Fit
    margin: float
    variation: float
    bright: bool
    background: Fit | None
    relief: Relief


def judge_response(scans: Sequence[TimedScan], shown: Sequence[ColourShown]) -> ResponseEvidence:
    """Judge the frames of one run of colours.

    ``scans`` may hold more than the run: only frames that saw nothing but the colours count, and of them only those
    with a face. ``shown`` is in order and without gaps worth mentioning. Raises ``ValueError`` without any colour.
    """
    if not shown:
        raise ValueError("no colour was shown")
    first, last = shown[0].start_ms, shown[-1].end_ms + LAGS_MS[-1]
    within = sorted((timed for timed in scans if first <= timed.at_ms <= last), key=lambda timed: timed.at_ms)
    pairs = [(timed, face) for timed in within if (face := timed.scan.primary) is not None]
    if len(pairs) < FEWEST_FRAMES:
        return _undecided("too_few_frames", len(pairs))
    frames, faces = [timed.scan for timed, _ in pairs], [face for _, face in pairs]
    lit = float(np.median([brightness(scan, face) for scan, face in zip(frames, faces, strict=True)]))
    skin = skin_light(frames, faces)
    if skin is None:
        return _undecided("too_bright_surroundings" if lit >= _BRIGHT_FACE else "too_few_frames", len(pairs))
    delayed = screens(np.array([timed.at_ms for timed, _ in pairs]), shown, head_sway(faces))
    if not delayed:
        return _undecided("too_few_frames", len(pairs))
    colours = opponents([colour.rgb for colour in shown])
    series = _whole_face(skin, delayed[0])
    screen, response = max(
        ((one, fit(series, one, colours)) for one in delayed), key=lambda candidate: candidate[1].correlation
    )
    behind = background_light(frames, faces)
    measured = _Measured(
        skin=response,
        margin=response.correlation - correlation_of_others(series, delayed, len(shown)),
        variation=float(np.sqrt((screen.measured(series) ** 2).mean())),
        bright=lit >= _BRIGHT_FACE,
        background=None if behind is None else fit(behind, screen, colours),
        relief=light_relief(skin, screen, colours),
    )
    return _evidence(measured, screen, {"frames": float(screen.kept.sum()), "face_brightness": lit})


def _whole_face(skin: SkinLight, screen: Screen) -> NDArray[np.float64]:
    """(frames, 2): the mean over the face, each cell weighted by how little it does of its own.

    The weights do not know which colours were shown, or chance would be given a hand.
    """
    kept = skin.colours[screen.kept]
    own = np.einsum("ab,bnc->anc", screen.detrend, kept - kept.mean(axis=1, keepdims=True))
    variance = (own**2).mean(axis=(0, 2))
    mean: NDArray[np.float64] = np.average(skin.colours, axis=1, weights=1 / (variance + np.median(variance) + 1e-12))
    return mean


def _evidence(measured: _Measured, screen: Screen, parts: dict[str, float]) -> ResponseEvidence:
    skin, background, relief = measured.skin, measured.background, measured.relief
    parts |= {"strength": skin.strength, "strength_error": skin.error, "variation": measured.variation}
    parts |= {"relief_error": relief.error, "veil": relief.veil, "veil_error": relief.veil_error}
    if background is not None:
        parts |= {"background_strength": background.strength, "background_error": background.error}
    reasons = _reasons(measured)
    return ResponseEvidence(
        passed=not reasons,
        correlation=round(skin.correlation, 4),
        margin=round(measured.margin, 4),
        lag_ms=screen.lag_ms,
        face_to_background=None if background is None else round(_times(skin, background), 2),
        relief=round(relief.share, 4),
        parts={name: round(value, 4) for name, value in parts.items()},
        reasons=reasons,
    )


def _reasons(measured: _Measured) -> tuple[str, ...]:
    skin, background, relief = measured.skin, measured.background, measured.relief
    followed = skin.correlation >= LEAST_CORRELATION and measured.margin >= LEAST_MARGIN
    if not followed and measured.variation >= _FOREIGN:
        return ("other_colours",)
    if not followed or skin.strength < LEAST_STRENGTH:
        # A face so bright that little of its light can be the screen's proves nothing against the person.
        return ("no_response", "too_bright_surroundings") if measured.bright else ("no_response",)
    # Its noise must not make a background look as if it answered: two standard errors.
    if background is not None and background.strength - 2 * background.error > MOST_BACKGROUND_SHARE * skin.strength:
        return ("uniform_response",)
    if relief.veil > MOST_VEIL:
        return ("no_response",) if relief.veil > _VEIL_CERTAINTY * relief.veil_error else ("too_bright_surroundings",)
    if relief.share >= LEAST_RELIEF and relief.share >= LEAST_RELIEF_CERTAINTY * relief.error:
        return ()
    flat = relief.share < LEAST_RELIEF and relief.error <= _FLAT_WITHIN
    return ("flat",) if flat else ("too_bright_surroundings",)


def _times(skin: Fit, background: Fit) -> float:
    least = max(background.strength, background.error, abs(skin.strength) / 99, 1e-6)
    return min(99.0, skin.strength / least)


def _undecided(reason: str, frames: int) -> ResponseEvidence:
    return ResponseEvidence(False, 0.0, 0.0, 0.0, None, None, {"frames": float(frames)}, (reason,))
