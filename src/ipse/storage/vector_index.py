"""Unit vectors in memory, searched exactly: the 1:N gallery of one process.

The database is the truth and this is a copy of it that may lag: whoever searches must look the hits up again before
answering (``ipse.faces.search`` does). Vectors lie in partitions, one per application and model, so that a search can
neither see another application's faces nor compare numbers of different networks.

Searching is exact (recall 1) and safe while other threads add and remove: what it answers for an entry is the cosine
of that entry, and an entry that was there all the time is never missed. Times and memory: docs/biometrics/search.md.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ipse.storage.vector_block import BLOCK_ROWS, BlockView, Query, Rows, VectorBlock

Vector = NDArray[np.float32]

_ATTEMPTS: Final = 3
"""Searches that removals may spoil before one is made with the lock held."""
_UNIT: Final = 0.001
"""How far the length of a vector may be from 1."""


@dataclass(frozen=True)
class Neighbour:
    """An entry close to the vector searched for; ``cosine`` is -1 to 1."""

    id: str
    cosine: float


class Partition:
    """The vectors of one application and model. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: list[VectorBlock] = []
        self._ids: list[str | None] = []
        self._rows: dict[str, int] = {}
        self._vacant: list[int] = []
        self._rewrites = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._rows

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors; ids are not counted."""
        return sum(block.nbytes for block in self._blocks)

    def ids(self) -> list[str]:
        """Every entry, in no particular order."""
        with self._lock:
            return list(self._rows)

    def add(self, entry_id: str, vector: Vector) -> None:
        """Take in a unit vector; an id that is already there is left alone."""
        self.add_many([entry_id], vector[np.newaxis])

    def add_many(self, entry_ids: Sequence[str], vectors: NDArray[np.floating]) -> None:
        """Take in (n, d) unit vectors; ids that are already there are left alone.

        Raises:
            ValueError: a vector is not of length 1, or not of this partition's dimensions.
        """
        units = _checked(vectors)
        with self._lock:
            if self._blocks and units.shape[1] != self._blocks[0].matrix.shape[1]:
                raise ValueError(f"this partition holds vectors of {self._blocks[0].matrix.shape[1]} numbers")
            fresh: dict[str, int] = {}
            for place, entry_id in enumerate(entry_ids):
                if entry_id not in self._rows and entry_id not in fresh:
                    fresh[entry_id] = place
            for entry_id in list(fresh)[: len(self._vacant)]:
                self._reuse(self._vacant.pop(), entry_id, units[fresh.pop(entry_id)])
            self._append(list(fresh), units[list(fresh.values())])

    def remove(self, entry_id: str) -> None:
        """Forget an entry and overwrite its numbers; unknown ids are no error."""
        with self._lock:
            row = self._rows.pop(entry_id, None)
            if row is None:
                return
            self._rewrites += 1
            self._ids[row] = None
            self._blocks[row // BLOCK_ROWS].replace(row % BLOCK_ROWS, None)
            self._vacant.append(row)

    def search(self, vector: Vector, *, limit: int, minimum: float) -> tuple[Neighbour, ...]:
        """The ``limit`` nearest entries of at least ``minimum`` cosine, nearest first; equals in order of id.

        Raises:
            ValueError: ``vector`` is not of length 1.
        """
        query = Query.of(_checked(vector[np.newaxis])[0])
        if limit < 1:
            return ()
        for _ in range(_ATTEMPTS):
            with self._lock:
                views, rewrites = self._views(), self._rewrites
            rows, cosines = _scan(views, query, minimum)
            with self._lock:
                if self._rewrites == rewrites:
                    return self._nearest(rows, cosines, limit)
        with self._lock:
            rows, cosines = _scan(self._views(), query, minimum)
            return self._nearest(rows, cosines, limit)

    def _views(self) -> list[BlockView]:
        return [block.view() for block in self._blocks]

    def _nearest(self, rows: Rows, cosines: Vector, limit: int) -> tuple[Neighbour, ...]:
        if self._vacant and cosines.size and cosines.min() <= 0.0:  # zeroed rows have a cosine of 0
            kept = np.array([place for place, row in enumerate(rows.tolist()) if self._ids[row] is not None], np.intp)
            rows, cosines = rows[kept], cosines[kept]
        if rows.size > limit:
            last = np.partition(cosines, rows.size - limit)[rows.size - limit]
            kept = np.flatnonzero(cosines >= last)
            rows, cosines = rows[kept], cosines[kept]
        found = [
            Neighbour(entry_id, cosine)
            for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True)
            if (entry_id := self._ids[row]) is not None
        ]
        return tuple(sorted(found, key=lambda one: (-one.cosine, one.id))[:limit])

    def _reuse(self, row: int, entry_id: str, vector: Vector) -> None:
        self._rewrites += 1
        self._blocks[row // BLOCK_ROWS].replace(row % BLOCK_ROWS, vector)
        self._ids[row] = entry_id
        self._rows[entry_id] = row

    def _append(self, entry_ids: Sequence[str], vectors: Vector) -> None:
        done = 0
        while done < len(entry_ids):
            if not self._blocks or self._blocks[-1].free == 0:
                self._blocks.append(VectorBlock(vectors.shape[1]))
            block = self._blocks[-1]
            part = entry_ids[done : done + block.free]
            block.append(vectors[done : done + len(part)])
            self._rows.update(zip(part, range(len(self._ids), len(self._ids) + len(part)), strict=True))
            self._ids.extend(part)
            done += len(part)


class VectorIndex:
    """Partitions by application and model, and how far each application has been read."""

    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, Partition]] = {}
        self._read_to: dict[str, int] = {}
        self._compared_at: dict[str, datetime] = {}
        self._spaces: dict[str, bytes] = {}
        self._database_checked: dict[str, tuple[datetime, bool]] = {}
        self._reading: dict[str, asyncio.Lock] = {}

    def reading(self, application_id: str) -> asyncio.Lock:
        """Held by whoever reads an application's faces from the database, so that nobody reads them twice."""
        return self._reading.setdefault(application_id, asyncio.Lock())

    def stand_in(self, application_id: str, space: bytes) -> None:
        """Name the space in which an application's vectors stand; those of another one are forgotten, to be read anew.

        Whoever still searches a forgotten partition searches it to the end.
        """
        if self._spaces.get(application_id) != space:
            self._partitions.pop(application_id, None)
            self._read_to.pop(application_id, None)
            self._compared_at.pop(application_id, None)
            self._spaces[application_id] = space

    def partition(self, application_id: str, model_id: str) -> Partition:
        """The partition, made when it is first asked for."""
        return self._partitions.setdefault(application_id, {}).setdefault(model_id, Partition())

    def read_to(self, application_id: str) -> int:
        """The highest sequence number read for an application; 0 before the first."""
        return self._read_to.get(application_id, 0)

    def mark_read(self, application_id: str, sequence: int) -> None:
        """Remember how far an application has been read; never goes back."""
        self._read_to[application_id] = max(sequence, self.read_to(application_id))

    def compared_at(self, application_id: str) -> datetime | None:
        """When the entries were last compared with the database in full."""
        return self._compared_at.get(application_id)

    def mark_compared(self, application_id: str, now: datetime) -> None:
        """Remember such a comparison."""
        self._compared_at[application_id] = now

    def database_checked(self, application_id: str) -> tuple[datetime, bool] | None:
        """When the database's own index was last examined, and whether a search may rely on it."""
        return self._database_checked.get(application_id)

    def mark_database_checked(self, application_id: str, now: datetime, *, usable: bool) -> None:
        """Remember such an examination."""
        self._database_checked[application_id] = (now, usable)

    def contains(self, application_id: str, entry_id: str) -> bool:
        """Whether any partition of the application holds the entry."""
        return any(entry_id in part for part in self._of(application_id))

    def ids(self, application_id: str) -> set[str]:
        """Every entry of an application, over all models."""
        return {one for part in self._of(application_id) for one in part.ids()}

    def count(self, application_id: str) -> int:
        """Number of entries of an application."""
        return sum(len(part) for part in self._of(application_id))

    def discard(self, application_id: str, entry_ids: Iterable[str]) -> None:
        """Forget entries of an application."""
        for entry_id in entry_ids:
            for part in self._of(application_id):
                part.remove(entry_id)

    def _of(self, application_id: str) -> list[Partition]:
        return list(self._partitions.get(application_id, {}).values())


def _scan(views: Iterable[BlockView], query: Query, minimum: float) -> tuple[Rows, Vector]:
    rows, cosines = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.float32)]
    for number, view in enumerate(views):
        near, values = view.near(query, minimum)
        rows.append(near + number * BLOCK_ROWS)
        cosines.append(values)
    return np.concatenate(rows), np.concatenate(cosines)


def _checked(vectors: NDArray[np.floating]) -> Vector:
    units = np.ascontiguousarray(vectors, dtype=np.float32)
    if units.size and not (np.abs(np.linalg.norm(units, axis=1) - 1.0) <= _UNIT).all():
        raise ValueError("only unit vectors can be searched")
    return units
