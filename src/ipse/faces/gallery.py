"""Where search looks: the searchable faces of an application, in memory and in step with the database.

Nothing here is a template: faces and probe stand in the application's search space (``faces.rotation``).

A search first reads what is new. Large galleries are read in pages, unsealed on a thread, and searched on a thread; the
event loop stays free. Whoever searches reads the hits from the database again, so what this copy still holds of deleted
faces is never shown; it is dropped at the next full comparison.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from ipse.biometrics.templates import Template
from ipse.faces import database_index, repository, rotation
from ipse.faces.opening import OtherSpace, opened
from ipse.faces.repository import SealedFace
from ipse.faces.rotation import SearchSpace
from ipse.faces.search_vectors import SearchVector
from ipse.runtime.scope import Scope
from ipse.storage.vector_index import Neighbour

_OVERLAP: Final = 512
"""How far catching up looks back: transactions commit in another order than they take their numbers."""
_PAGE: Final = 4_096
"""Vectors read and unsealed at a time."""
_MANY: Final = 256
"""From this many vectors on, unsealing leaves the event loop."""
_LARGE: Final = 20_000
"""From this many faces on (a product of half a millisecond), searching leaves the event loop, and the full comparison
with the database is made every :data:`_COMPARED_EVERY` only: counting is slower than searching by then."""
_COMPARED_EVERY: Final = timedelta(seconds=30)


async def nearest(scope: Scope, template: Template, *, limit: int, minimum: float) -> tuple[Neighbour, ...]:
    """The ``limit`` nearest faces of at least ``minimum`` cosine, nearest first; some may be deleted by now.

    The database's own index answers where it is chosen and complete, else the copy in memory, brought up to date.

    Raises:
        CannotOpen: a vector was sealed elsewhere or changed: a gallery with holes answers nobody.
        OtherSpace: a vector stands in a search space that is not the application's.
    """
    try:
        return await _nearest(scope, template, limit, minimum)
    except OtherSpace:  # renewed between two of our statements: the second look sees all of it
        return await _nearest(scope, template, limit, minimum)


async def _nearest(scope: Scope, template: Template, limit: int, minimum: float) -> tuple[Neighbour, ...]:
    space = await rotation.find(scope)
    probe = SearchVector.of(template, space)
    if await database_index.is_usable(scope):
        return await database_index.nearest(scope, probe, space, limit=limit, minimum=minimum)
    await _catch_up(scope, space)
    partition = scope.services.face_vectors.partition(scope.application_id, template.model_id)
    if len(partition) < _LARGE:
        return partition.search(probe.vector, limit=limit, minimum=minimum)
    return await asyncio.to_thread(partition.search, probe.vector, limit=limit, minimum=minimum)


async def _catch_up(scope: Scope, space: SearchSpace) -> None:
    """Bring this process' copy up to the transaction's view of the database."""
    index = scope.services.face_vectors
    async with index.reading(scope.application_id):
        index.stand_in(scope.application_id, space.fingerprint)
        await _read_new(scope, space)
        if _is_due(scope):
            await _compare(scope, space)


async def _read_new(scope: Scope, space: SearchSpace) -> None:
    index, application_id = scope.services.face_vectors, scope.application_id
    read_to = index.read_to(application_id)
    recent = await repository.searchable_between(scope, read_to - _OVERLAP, read_to)
    await _take_in_ids(scope, space, [one for one in recent if not index.contains(application_id, one)])
    while page := await repository.sealed_after(scope, index.read_to(application_id), limit=_PAGE):
        await _take_in(scope, space, page)


def _is_due(scope: Scope) -> bool:
    index, now = scope.services.face_vectors, scope.services.clock.now()
    last = index.compared_at(scope.application_id)
    if index.count(scope.application_id) < _LARGE or last is None or not last <= now < last + _COMPARED_EVERY:
        index.mark_compared(scope.application_id, now)
        return True
    return False


async def _compare(scope: Scope, space: SearchSpace) -> None:
    index, application_id = scope.services.face_vectors, scope.application_id
    if await repository.count_searchable(scope) == index.count(application_id):
        return
    stored = await repository.searchable_ids(scope)
    known = index.ids(application_id)
    index.discard(application_id, known - stored)
    await _take_in_ids(scope, space, sorted(stored - known))


async def _take_in_ids(scope: Scope, space: SearchSpace, face_ids: Sequence[str]) -> None:
    for start in range(0, len(face_ids), _MANY):
        await _take_in(scope, space, await repository.sealed_with_ids(scope, face_ids[start : start + _MANY]))


async def _take_in(scope: Scope, space: SearchSpace, faces: Sequence[SealedFace]) -> None:
    if len(faces) < _MANY:
        _unseal(scope, space, faces)
    else:
        await asyncio.to_thread(_unseal, scope, space, faces)
    if faces:
        scope.services.face_vectors.mark_read(scope.application_id, max(face.sequence for face in faces))


def _unseal(scope: Scope, space: SearchSpace, faces: Sequence[SealedFace]) -> None:
    by_model: dict[str, list[tuple[str, SearchVector]]] = {}
    for face in faces:
        vector = opened(scope, face, space)
        by_model.setdefault(vector.model_id, []).append((face.id, vector))
    for model_id, found in by_model.items():
        partition = scope.services.face_vectors.partition(scope.application_id, model_id)
        partition.add_many([one for one, _ in found], np.stack([vector.vector for _, vector in found]))
