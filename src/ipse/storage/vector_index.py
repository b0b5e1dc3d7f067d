"""Unit vectors in memory, searched exactly: the 1:N gallery of one process.

The database is the truth and this is a copy of it that may lag: whoever searches must look the hits up again before
answering (``ipse.faces.service`` does). Vectors lie in partitions, one per application and model, so that a search can
neither see another application's faces nor compare numbers of different networks.

A search is one matrix product: 100,000 faces take 51 MB and some milliseconds. Not thread-safe: use it from the event
loop only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_FIRST_CAPACITY: Final = 64


@dataclass(frozen=True)
class Neighbour:
    """An entry close to the vector searched for; ``cosine`` is -1 to 1."""

    id: str
    cosine: float


@dataclass
class Partition:
    """The vectors of one application and model. Rows 0 to ``len(ids) - 1`` of ``matrix`` are in use."""

    ids: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    matrix: Vector = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))

    def add(self, entry_id: str, vector: Vector) -> None:
        """Take in a unit vector; an id that is already there is left alone."""
        if entry_id in self.rows:
            return
        row = len(self.ids)
        if row >= self.matrix.shape[0]:
            grown = np.zeros((max(_FIRST_CAPACITY, 2 * row), vector.shape[0]), dtype=np.float32)
            if row:
                grown[:row] = self.matrix[:row]
            self.matrix = grown
        self.matrix[row] = vector
        self.ids.append(entry_id)
        self.rows[entry_id] = row

    def remove(self, entry_id: str) -> None:
        """Forget an entry and overwrite its numbers; unknown ids are no error."""
        row = self.rows.pop(entry_id, None)
        if row is None:
            return
        last = len(self.ids) - 1
        if row != last:
            moved = self.ids[last]
            self.matrix[row] = self.matrix[last]
            self.ids[row] = moved
            self.rows[moved] = row
        self.matrix[last] = 0.0
        self.ids.pop()

    def search(self, vector: Vector, *, limit: int, minimum: float) -> tuple[Neighbour, ...]:
        """The ``limit`` nearest entries of at least ``minimum`` cosine, nearest first; equals in order of id."""
        count = len(self.ids)
        if count == 0 or limit < 1:
            return ()
        cosines = self.matrix[:count] @ vector.astype(np.float32)
        found = np.flatnonzero(cosines >= minimum)
        if found.size > limit:
            found = found[np.argpartition(-cosines[found], limit - 1)[:limit]]
        nearest = [Neighbour(self.ids[row], float(cosines[row])) for row in found.tolist()]
        return tuple(sorted(nearest, key=lambda one: (-one.cosine, one.id)))


class VectorIndex:
    """Partitions by application and model, and how far each application has been read."""

    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, Partition]] = {}
        self._read_to: dict[str, int] = {}

    def partition(self, application_id: str, model_id: str) -> Partition:
        """The partition, made when it is first asked for."""
        return self._partitions.setdefault(application_id, {}).setdefault(model_id, Partition())

    def read_to(self, application_id: str) -> int:
        """The highest sequence number read for an application; 0 before the first."""
        return self._read_to.get(application_id, 0)

    def mark_read(self, application_id: str, sequence: int) -> None:
        """Remember how far an application has been read; never goes back."""
        self._read_to[application_id] = max(sequence, self.read_to(application_id))

    def ids(self, application_id: str) -> set[str]:
        """Every entry of an application, over all models."""
        return {one for part in self._partitions.get(application_id, {}).values() for one in part.rows}

    def count(self, application_id: str) -> int:
        """Number of entries of an application."""
        return sum(len(part.ids) for part in self._partitions.get(application_id, {}).values())

    def discard(self, application_id: str, entry_ids: Iterable[str] | Sequence[str]) -> None:
        """Forget entries of an application."""
        for entry_id in entry_ids:
            for part in self._partitions.get(application_id, {}).values():
                part.remove(entry_id)
