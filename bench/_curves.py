"""A small figure with logarithmic axes, written as SVG by hand: no plotting library for three lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 60


@dataclass(frozen=True)
class Series:
    """One line: its name in the legend, its positive points, its colour."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str


def draw(file: Path, *, title: str, x_name: str, series: Sequence[Series]) -> None:
    """Write the figure; both axes are logarithmic, in decades."""
    across, up = ([point[axis] for one in series for point in one.points] for axis in (0, 1))
    horizontal = _Axis(across, LEFT, WIDTH - RIGHT)
    vertical = _Axis(up, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_name)}</text>',
    ]
    for value, place in horizontal.decades():
        parts.append(f'<path d="M{place:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:,.10g}</text>')
    for value, place in vertical.decades():
        parts.append(f'<path d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">{value:,.10g}</text>')
    for number, one in enumerate(series):
        places = [(horizontal.at(x), vertical.at(y)) for x, y in one.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{one.colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{one.colour}"/>' for x, y in places]
        parts.append(
            f'<text x="{LEFT + 12}" y="{TOP + 18 + 16 * number}" fill="{one.colour}">{escape(one.name)}</text>'
        )
    file.write_text("\n".join([*parts, "</svg>", ""]), "utf-8")


class _Axis:
    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low, self._high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def decades(self) -> Iterator[tuple[float, float]]:
        for power in range(self._low, self._high + 1):
            yield 10.0**power, self.at(10.0**power)
