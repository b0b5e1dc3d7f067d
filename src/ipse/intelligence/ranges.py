"""Ranges of addresses with a label each: built from any list, searched by bisection, kept on disk as plain columns.

On disk a table is a JSON header and native-endian columns, mapped into memory and never parsed: opening it takes the
same time for ten rows and for a million.
"""

from __future__ import annotations

import json
import mmap
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ipse.intelligence.addresses import Address

Row = tuple[int, int, int]
"""First address, last address and label; addresses as numbers of one family, the label from 0 to 2^32-1."""

_MAGIC: Final = b"IPSERNG1"
_HALF: Final = 64
_LOW: Final = 2**64 - 1
_TYPES: Final[Mapping[str, Literal["I", "Q", "B"]]] = {
    "v4_starts": "I",
    "v4_ends": "I",
    "v4_labels": "I",
    "v6_starts_high": "Q",
    "v6_starts_low": "Q",
    "v6_ends_high": "Q",
    "v6_ends_low": "Q",
    "v6_labels": "I",
    "texts": "B",
    "text_ends": "I",
    "numbers": "I",
}


class RangesUnreadable(ValueError):
    """A file that is no table of ranges of this machine."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Disjoint ranges in rising order. ``numbers`` and ``texts`` are what labels stand for, where a table has them."""

    columns: Mapping[str, Sequence[int]]

    @classmethod
    def build(cls, v4: Iterable[Row], v6: Iterable[Row], labels: Sequence[tuple[int, str]] = ()) -> Ranges:
        """Make a table of rows in any order; where rows overlap the narrower one counts."""
        columns: dict[str, array[int]] = {name: array(type_) for name, type_ in _TYPES.items()}
        for start, end, label in disjoint(v4):
            columns["v4_starts"].append(start)
            columns["v4_ends"].append(end)
            columns["v4_labels"].append(label)
        for start, end, label in disjoint(v6):
            columns["v6_starts_high"].append(start >> _HALF)
            columns["v6_starts_low"].append(start & _LOW)
            columns["v6_ends_high"].append(end >> _HALF)
            columns["v6_ends_low"].append(end & _LOW)
            columns["v6_labels"].append(label)
        for number, text in labels:
            columns["texts"].frombytes(text.encode())
            columns["text_ends"].append(len(columns["texts"]))
            columns["numbers"].append(number)
        return cls(columns)

    def __len__(self) -> int:
        return len(self.columns["v4_starts"]) + len(self.columns["v6_starts_high"])

    def find(self, address: Address) -> int | None:
        """Return the label of the range that holds ``address``, or None."""
        columns, value = self.columns, int(address)
        if address.version == 4:
            index = bisect_right(columns["v4_starts"], value) - 1
            return columns["v4_labels"][index] if index >= 0 and value <= columns["v4_ends"][index] else None
        high, low = value >> _HALF, value & _LOW
        right = bisect_right(columns["v6_starts_high"], high)
        left = bisect_left(columns["v6_starts_high"], high, 0, right)
        index = bisect_right(columns["v6_starts_low"], low, left, right) - 1
        if index < 0 or (high, low) > (columns["v6_ends_high"][index], columns["v6_ends_low"][index]):
            return None
        return columns["v6_labels"][index]

    def meaning(self, label: int) -> tuple[int, str]:
        """Return the number and the text that ``label`` stands for."""
        ends = self.columns["text_ends"]
        text = bytes(self.columns["texts"][ends[label - 1] if label else 0 : ends[label]])
        return self.columns["numbers"][label], text.decode()

    def to_bytes(self) -> bytes:
        """Return the file that :func:`open_ranges` maps."""
        header = {"order": sys.byteorder, "lengths": {name: len(self.columns[name]) for name in _TYPES}}
        parts = [_aligned(_MAGIC + json.dumps(header).encode() + b"\n")]
        parts += [_aligned(array(type_, self.columns[name]).tobytes()) for name, type_ in _TYPES.items()]
        return b"".join(parts)


def open_ranges(path: Path) -> Ranges:
    """Map a table that :meth:`Ranges.to_bytes` wrote. Raises OSError or :class:`RangesUnreadable`."""
    with path.open("rb") as file:
        try:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as error:
            raise RangesUnreadable(f"{path.name} is empty.") from error
    start = bytes(view[: 2**12])
    line, newline, _ = start.removeprefix(_MAGIC).partition(b"\n")
    try:
        header = json.loads(line) if start.startswith(_MAGIC) and newline else {}
        lengths = {name: int(header["lengths"][name]) for name in _TYPES}
    except (ValueError, KeyError, TypeError) as error:
        raise RangesUnreadable(f"{path.name} is no table of address ranges.") from error
    if header.get("order") != sys.byteorder:
        raise RangesUnreadable(f"{path.name} was written on a machine with another byte order.")
    columns: dict[str, Sequence[int]] = {}
    position = _up(len(_MAGIC) + len(line) + 1)
    for name, type_ in _TYPES.items():
        size = lengths[name] * array(type_).itemsize
        if position + size > len(view):
            raise RangesUnreadable(f"{path.name} is cut off.")
        columns[name] = view[position : position + size].cast(type_)
        position = _up(position + size)
    return Ranges(columns)


def disjoint(rows: Iterable[Row]) -> Iterator[Row]:
    """Cut overlapping rows into disjoint ones in rising order: the one that starts later (the narrower one) counts."""
    last: Row | None = None
    for start, end, label in _pieces(rows):
        if last is not None and last[2] == label and last[1] + 1 == start:
            last = (last[0], end, label)
            continue
        if last is not None:
            yield last
        last = (start, end, label)
    if last is not None:
        yield last


def _pieces(rows: Iterable[Row]) -> Iterator[Row]:
    position = 0
    open_rows: list[tuple[int, int]] = []
    for start, end, label in sorted(rows, key=lambda row: (row[0], -row[1])):
        while open_rows and open_rows[-1][0] < start:
            outer_end, outer_label = open_rows.pop()
            if position <= outer_end:
                yield position, outer_end, outer_label
                position = outer_end + 1
        if open_rows and position < start:
            yield position, start - 1, open_rows[-1][1]
        position = start
        open_rows.append((end, label))
    while open_rows:
        end, label = open_rows.pop()
        if position <= end:
            yield position, end, label
            position = end + 1


def _up(length: int) -> int:
    return -(-length // 8) * 8


def _aligned(data: bytes) -> bytes:
    return data.ljust(_up(len(data)), b"\0")
