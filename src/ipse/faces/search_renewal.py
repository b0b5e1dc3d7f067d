"""Moving the search vectors of an application into a new search space, all in one transaction.

Neither person nor portrait is needed: a rotation is undone and another made. Otherwise the search vectors would tell
which renewed template is which old one. Whoever stores a face meanwhile waits; copies in memory notice by the
fingerprint of the space and are read anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, update

from ipse.faces import database_index, repository, rotation
from ipse.faces.opening import opened
from ipse.faces.repository import SealedFace
from ipse.faces.rotation import SearchSpace
from ipse.faces.sealing import seal_search_vector
from ipse.runtime.scope import Scope
from ipse.storage import vector_table
from ipse.storage.tables import FaceRow
from ipse.storage.vector_table import StoredVector

_PAGE: Final = 1_000


async def move(scope: Scope) -> int:
    """Give the application a new search space and move every searchable face into it; how many there were."""
    both = await rotation.renew(scope)
    if both is None:
        return 0
    indexed = database_index.is_possible(scope) and await vector_table.exists(scope.tx)
    if indexed:
        await vector_table.forget_application(scope.tx, scope.application_id)
    table: Any = FaceRow.__table__
    statement = update(table).where(table.c.id == bindparam("face")).values(search_sealed=bindparam("sealed"))
    last = moved = 0
    while page := await repository.sealed_after(scope, last, limit=_PAGE):
        sealed, vectors = await asyncio.to_thread(_moved, scope, page, *both)
        await (await scope.tx.connection()).execute(statement, sealed)
        if indexed:
            await vector_table.put(scope.tx, vectors)
        last, moved = page[-1].sequence, moved + len(page)
    return moved


def _moved(
    scope: Scope, page: Sequence[SealedFace], old: SearchSpace, new: SearchSpace
) -> tuple[list[dict[str, Any]], list[StoredVector]]:
    sealed, vectors = [], []
    for face in page:
        vector = opened(scope, face, old).moved(old, new)
        sealed.append({"face": face.id, "sealed": seal_search_vector(scope, face.id, vector)})
        listed = face.source == database_index.LISTED
        vectors.append(StoredVector(face.id, scope.application_id, vector.model_id, vector.vector, listed))
    return sealed, vectors
