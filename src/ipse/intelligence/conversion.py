"""Turning the published lists of operators into the mapped table: once, when they are obtained."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ipse.intelligence.ranges import Ranges, Row


def operators_table(v4: Path, v6: Path) -> Ranges:
    """Read two CSV files of ``first,last,asn,operator`` (addresses as numbers). Raises OSError or ValueError."""
    labels: dict[tuple[int, str], int] = {}
    rows = [list(_rows(path, labels)) for path in (v4, v6)]
    return Ranges.build(rows[0], rows[1], list(labels))


def _rows(path: Path, labels: dict[tuple[int, str], int]) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if len(row) < 4:
                raise ValueError(f"{path.name} has a line with {len(row)} columns instead of 4.")
            start, end, asn = int(row[0]), int(row[1]), int(row[2])
            if not 0 <= start <= end < 2**128 or not 0 <= asn < 2**32:
                raise ValueError(f"{path.name} has an impossible line: {','.join(row)[:80]}")
            yield start, end, labels.setdefault((asn, row[3].strip()), len(labels))
