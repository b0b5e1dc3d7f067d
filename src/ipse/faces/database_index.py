"""1:N search in PostgreSQL (``face_index = pgvector``): candidates from the vector index, exact comparison here.

The index proposes, the sealed vectors decide: every candidate's vector is unsealed and compared, so a similarity is
as exact as in memory, and only the choice of candidates is approximate. Faces on lists are all compared: a graph that
overlooks a duplicate costs a hint, one that overlooks a blocked person would let them in. Whenever the index may have
gaps (it was never built, another process runs without this setting) the search in memory answers instead: slower to
start, but exact.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from ipse.faces import repository
from ipse.faces.opening import opened
from ipse.faces.rotation import SearchSpace
from ipse.faces.sealing import open_search_vector
from ipse.faces.search_vectors import SearchVector
from ipse.runtime.scope import Scope
from ipse.storage import vector_table
from ipse.storage.tables import FaceRow
from ipse.storage.vector_index import Neighbour
from ipse.storage.vector_table import StoredVector

log = structlog.get_logger(__name__)

LISTED: Final = "list_entry"
"""``source`` of the faces that stand on lists."""
CANDIDATES: Final = 50
"""Fewest candidates asked for; more when more matches are wanted."""
_CHECKED_EVERY: Final = timedelta(minutes=5)
"""How often a process makes sure that no searchable face lacks its vector."""


def is_chosen(scope: Scope) -> bool:
    """Whether the settings ask for the database's index, and the database could have one."""
    return scope.services.settings.face_index == "pgvector" and is_possible(scope)


def is_possible(scope: Scope) -> bool:
    """Whether this database could have an index, chosen by this process or by another."""
    return not scope.services.database.is_sqlite


async def remember(scope: Scope, face: FaceRow) -> None:
    """Store the vector of a searchable face in the transaction that stores the face, where there is a table."""
    if face.search_sealed is None or not is_chosen(scope) or not await vector_table.exists(scope.tx):
        return
    vector, is_listed = open_search_vector(scope, face.id, face.search_sealed), face.source == LISTED
    await vector_table.put(
        scope.tx, [StoredVector(face.id, scope.application_id, vector.model_id, vector.vector, is_listed)]
    )


async def is_usable(scope: Scope) -> bool:
    """Whether this search may rely on the index: it is chosen, exists, and lacks no face."""
    if not is_chosen(scope):
        return False
    index, now = scope.services.face_vectors, scope.services.clock.now()
    last = index.database_checked(scope.application_id)
    if last is not None and last[0] <= now < last[0] + _CHECKED_EVERY:
        return last[1]
    usable = await vector_table.exists(scope.tx) and not await vector_table.has_gaps(scope.tx, scope.application_id)
    if not usable:
        log.warning(
            "faces.index_not_usable", application_id=scope.application_id, remedy="run `ipse faces index build`"
        )
    index.mark_database_checked(scope.application_id, now, usable=usable)
    return usable


async def nearest(
    scope: Scope, probe: SearchVector, space: SearchSpace, *, limit: int, minimum: float
) -> tuple[Neighbour, ...]:
    """The ``limit`` nearest faces of at least ``minimum`` cosine, nearest first; equals in order of id.

    Raises:
        OtherSpace: a candidate stands in another search space than the probe.
    """
    wanted = max(CANDIDATES, limit)
    where = (scope.tx, scope.application_id, probe.model_id, probe.vector)
    ids = {
        *await vector_table.nearest(*where, limit=wanted),
        *await vector_table.nearest_listed(*where, limit=wanted),
    }
    found = []
    for face in await repository.sealed_with_ids(scope, sorted(ids)):
        cosine = float(opened(scope, face, space).vector @ probe.vector)
        if cosine >= minimum:
            found.append(Neighbour(face.id, cosine))
    return tuple(sorted(found, key=lambda one: (-one.cosine, one.id))[:limit])
