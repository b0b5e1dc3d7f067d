"""The colours a screen shows during ``FLASHING``: drawn at random from a palette that is safe to look at.

Safe means WCAG 2.2, success criterion 2.3.1 and its definition of a flash: at most three changes a second, no change of
relative luminance that counts (10 % of the maximum; here under 1 %), and no saturated red. What differs between the
colours is chromaticity, which is also what is measured on the skin.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log2
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]

# sRGB. Found in linear light: (1.00 .26 .12) (.60 .38 .02) (.08 .53 .05) (.05 .44 1.0) (.42 .33 1.0) (.95 .18 1.0),
# each with a relative luminance of 0.40: as bright as a blue can be that also has red or green to differ by.
PALETTE: Final[tuple[Rgb, ...]] = (
    (255, 139, 97),  # salmon
    (203, 166, 39),  # amber
    (80, 192, 63),  # green
    (63, 177, 255),  # sky
    (173, 156, 255),  # lavender
    (249, 116, 255),  # orchid
)
# CIE 1976 u'v' between colours that follow one another. 0.004 is just visible; the palette's nearest pair has 0.046.
NEIGHBOUR_DISTANCE: Final = 0.04
SHORTEST_MS: Final = 334
"""Three changes a second."""


@dataclass(frozen=True)
class ColourShown:
    """An sRGB colour and when the screen showed it, in milliseconds on the clock of the frames."""

    rgb: Rgb
    start_ms: float
    end_ms: float


def draw_colours(source: random.Random, count: int = 7, ms: int = 400) -> tuple[Rgb, ...]:
    """``count`` colours to be shown for ``ms`` milliseconds each, no colour twice in a row.

    With the defaults every one of 93,750 sequences is equally likely (``entropy_bits``: 16.5). Give a cryptographic
    source such as ``random.SystemRandom``. Raises ``ValueError`` for more than three changes a second, and for fewer
    than five colours, which too many other sequences resemble.
    """
    if ms < SHORTEST_MS:
        raise ValueError(f"{ms} ms a colour are more than three changes a second")
    if count < 5:
        raise ValueError(f"{count} colours are too few to tell a sequence from others")
    drawn: list[Rgb] = []
    for _ in range(count):
        drawn.append(source.choice(_FOLLOWERS[drawn[-1]] if drawn else PALETTE))
    return tuple(drawn)


def entropy_bits(count: int = 7) -> float:
    """Base-2 logarithm of how many sequences ``draw_colours`` can give; exact, as all are equally likely."""
    return log2(len(PALETTE)) + (count - 1) * log2(len(PALETTE) - 1)


def differ(a: Rgb, b: Rgb) -> bool:
    """Whether two colours are far enough apart in chromaticity to follow one another."""
    return float(np.hypot(*(np.array(_chromaticity(a)) - np.array(_chromaticity(b))))) >= NEIGHBOUR_DISTANCE


def relative_luminance(rgb: Rgb) -> float:
    """WCAG relative luminance, 0-1."""
    return float(linear_light(rgb) @ np.array([0.2126, 0.7152, 0.0722]))


def linear_light(rgb: Rgb) -> NDArray[np.float64]:
    """(3,) light of an sRGB colour, 0-1 per channel (IEC 61966-2-1)."""
    light: NDArray[np.float64] = LINEAR[np.array(rgb)]
    return light


def _decoded() -> NDArray[np.float64]:
    coded = np.arange(256) / 255
    light: NDArray[np.float64] = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    return light


LINEAR: Final = _decoded()
"""(256,) light, 0-1, of each 8-bit sRGB value."""


def opponents(colours: Sequence[Rgb]) -> NDArray[np.float64]:
    """(n, 2) what a colour adds to log(red / green) and log(blue / green) of lit skin, per unit of screen light."""
    light = np.array([linear_light(colour) for colour in colours])
    return np.stack([light[:, 0] - light[:, 1], light[:, 2] - light[:, 1]], axis=1)


@cache
def other_sequences(count: int, how_many: int = 2000) -> NDArray[np.float64]:
    """(how_many, count, 2) ``opponents`` of sequences that could have been drawn instead. The same at every call."""
    source = random.Random(count)  # noqa: S311  # a fixed yardstick, not a secret
    return np.stack([opponents(draw_colours(source, count)) for _ in range(how_many)])


def _chromaticity(rgb: Rgb) -> tuple[float, float]:
    """CIE 1976 u', v' of an sRGB colour."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = to_xyz @ linear_light(rgb)
    whole = x + 15 * y + 3 * z
    return float(4 * x / whole), float(9 * y / whole)


_FOLLOWERS: Final = {colour: tuple(other for other in PALETTE if differ(colour, other)) for colour in PALETTE}
