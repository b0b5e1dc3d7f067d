"""Rows of unit vectors with a packed copy that rules out almost all of them before the exact product.

A search is bound by memory: one core reads a million vectors of 512 bytes in some 45 to 60 ms, whatever it computes.
The packed copy halves that, and provably loses nothing:

- every vector is scaled and rounded to whole numbers, ``coarse = rint(scale * x)``, with ``scale`` so small that the
  inner product of two of them stays within 12 bits: ``|a . b| <= |a| |b| <= 2047`` (Cauchy-Schwarz);
- two rows share one row of float32, ``4096 * upper + lower``. Every partial sum of a product with a rounded query is a
  whole number below 2**23, hence exact in float32 in whatever order BLAS adds, and splits into both products again;
- the true cosine differs from the rounded one by at most the *slack*, computed from the actual rounding errors (about
  .17 for templates). Rows whose rounded cosine is below ``minimum - slack`` cannot reach ``minimum``; the others, 7 in
  1,000 among photos of LFW, are compared exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Rows = NDArray[np.intp]

BLOCK_ROWS: Final = 65_536
"""Most rows of one block: growing copies at most half of this, not the gallery (32 MiB of 128-d vectors)."""
CHUNK_ROWS: Final = 1_024
"""Rows that are packed together when they are full: row ``i`` of a chunk shares with row ``i + CHUNK_ROWS / 2``."""
_HALF: Final = CHUNK_ROWS // 2
_FIRST_ROWS: Final = 64
_RADIX: Final = np.float32(4096.0)
_LARGEST_PRODUCT: Final = 2047.0
_LONGEST: Final = 1.001
"""Templates are unit vectors within this factor (``biometrics.templates`` refuses others)."""
_ARITHMETIC: Final = 1e-4
"""Allowance for float32 arithmetic on both sides; a product of 128 terms errs by less than 1e-5."""
_EXACT_SHARE: Final = 8
"""When more than one row in this many remains, reading all of them in order is faster than picking."""


@dataclass(frozen=True, slots=True)
class Query:
    """A vector to search for, exact and rounded. ``error`` is the length of what rounding lost."""

    exact: Vector
    coarse: Vector
    scale: float
    error: float

    @classmethod
    def of(cls, vector: Vector) -> Query:
        """Prepare a (d,) unit vector."""
        exact = np.ascontiguousarray(vector, dtype=np.float32)
        scale = _scale(exact.shape[0])
        coarse = _coarse(exact, scale)
        return cls(exact, coarse, scale, float(np.linalg.norm(exact - coarse / np.float32(scale))))


@dataclass(frozen=True, slots=True)
class BlockView:
    """What a search may read while others write: arrays that stay, and how far they were filled.

    Rows that change while a search reads them give numbers of neither the old nor the new vector, only for themselves;
    whoever searched has to check (``vector_index.Partition``).
    """

    matrix: Vector
    packed: Vector
    used: int
    packed_rows: int
    error: float

    def near(self, query: Query, minimum: float) -> tuple[Rows, Vector]:
        """Every row of at least ``minimum`` cosine, and the exact cosines."""
        ready = self._candidates(query, minimum)
        if ready is None:
            rows, cosines = np.arange(self.used), self.matrix[: self.used] @ query.exact
        else:
            tail = np.arange(self.packed_rows, self.used)
            rows = np.concatenate([ready, tail])
            cosines = np.concatenate(
                [self.matrix[ready] @ query.exact, self.matrix[self.packed_rows : self.used] @ query.exact]
            )
        reached = np.flatnonzero(cosines >= minimum)
        return rows[reached], cosines[reached]

    def _candidates(self, query: Query, minimum: float) -> Rows | None:
        """Packed rows that may reach ``minimum``; None when comparing all of them exactly is the quicker way."""
        slack = _LONGEST * self.error + query.error * (_LONGEST + self.error) + _ARITHMETIC
        if self.packed_rows == 0 or minimum <= slack:
            return None
        lowest = np.float32(np.floor((minimum - slack) * query.scale**2))
        products = self.packed[: self.packed_rows // 2] @ query.coarse
        upper = np.rint(products / _RADIX)
        lower = products - upper * _RADIX
        first, second = np.flatnonzero(upper >= lowest), np.flatnonzero(lower >= lowest)
        if (first.size + second.size) * _EXACT_SHARE > self.packed_rows:
            return None
        return np.concatenate([_unpacked(first), _unpacked(second) + _HALF])


class VectorBlock:
    """Up to :data:`BLOCK_ROWS` vectors. Not safe for writing from two threads: the partition holds a lock."""

    def __init__(self, dimensions: int) -> None:
        self.matrix: Vector = np.zeros((_FIRST_ROWS, dimensions), dtype=np.float32)
        self.packed: Vector = np.zeros((0, dimensions), dtype=np.float32)
        self.used = 0
        self._packed_rows = 0
        self._error = 0.0
        self._scale = _scale(dimensions)

    @property
    def free(self) -> int:
        """Rows that can still be appended."""
        return BLOCK_ROWS - self.used

    @property
    def nbytes(self) -> int:
        """Bytes of both arrays, unused rows included."""
        return self.matrix.nbytes + self.packed.nbytes

    def view(self) -> BlockView:
        """What a search that starts now may read."""
        return BlockView(self.matrix, self.packed, self.used, self._packed_rows, self._error)

    def append(self, vectors: Vector) -> int:
        """Add (n, d) vectors, at most :attr:`free`; return the row of the first."""
        first, self_end = self.used, self.used + vectors.shape[0]
        self._make_room(self_end)
        self.matrix[first:self_end] = vectors
        self.used = self_end
        while self.used - self._packed_rows >= CHUNK_ROWS:
            self._pack_chunk(self._packed_rows)
        return first

    def replace(self, row: int, vector: Vector | None) -> None:
        """Overwrite a row, with zeros when ``vector`` is None: the old numbers are in neither copy afterwards."""
        self.matrix[row] = 0.0 if vector is None else vector
        if row < self._packed_rows:
            chunk, place = divmod(row, CHUNK_ROWS)
            upper = chunk * CHUNK_ROWS + place % _HALF
            self.packed[chunk * _HALF + place % _HALF] = self._pack(
                self.matrix[upper : upper + 1], self.matrix[upper + _HALF : upper + _HALF + 1]
            )[0]

    def _make_room(self, rows: int) -> None:
        if rows <= self.matrix.shape[0]:
            return
        capacity = min(BLOCK_ROWS, max(rows, 2 * self.matrix.shape[0]))
        self.matrix = _grown(self.matrix, capacity)
        self.packed = _grown(self.packed, capacity // CHUNK_ROWS * _HALF)

    def _pack_chunk(self, first: int) -> None:
        upper, lower = self.matrix[first : first + _HALF], self.matrix[first + _HALF : first + CHUNK_ROWS]
        self.packed[first // 2 : first // 2 + _HALF] = self._pack(upper, lower)
        self._packed_rows = first + CHUNK_ROWS

    def _pack(self, upper: Vector, lower: Vector) -> Vector:
        coarse = [_coarse(part, self._scale) for part in (upper, lower)]
        for part, rounded in zip((upper, lower), coarse, strict=True):
            lost = np.linalg.norm(part - rounded / np.float32(self._scale), axis=1)
            self._error = max(self._error, float(lost.max()))
        packed: Vector = coarse[0] * _RADIX + coarse[1]
        return packed


def _scale(dimensions: int) -> float:
    """The largest scale at which rounded vectors cannot be longer than the square root of 2047."""
    return float((np.sqrt(_LARGEST_PRODUCT) - np.sqrt(dimensions) / 2) / _LONGEST)


def _coarse(vectors: Vector, scale: float) -> Vector:
    rounded: Vector = np.rint(vectors * np.float32(scale))
    return rounded


def _unpacked(packed_rows: Rows) -> Rows:
    """The row that lies in the upper part of each packed row."""
    rows: Rows = packed_rows // _HALF * CHUNK_ROWS + packed_rows % _HALF
    return rows


def _grown(array: Vector, rows: int) -> Vector:
    grown: Vector = np.zeros((rows, array.shape[1]), dtype=np.float32)
    grown[: array.shape[0]] = array
    return grown
