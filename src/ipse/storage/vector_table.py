"""The table of face vectors in PostgreSQL, for galleries that outgrow the memory of a process.

It exists only where the ``vector`` extension (pgvector 0.8 or newer) does, so no migration makes it: ``ipse faces index
build`` does (decision 0016). Vectors are rotated before they come here (``faces.rotation``). Rows vanish with their
face, by the foreign key. Queries name application and model as literals, not as parameters: the planner must see that
the partial index of that application covers them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import String, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ipse.storage.columns import Id
from ipse.storage.database import Transaction

TABLE: Final = "face_vectors"
GRAPH_LINKS: Final = 32
"""HNSW ``m``."""
GRAPH_EFFORT: Final = 200
"""HNSW ``ef_construction``."""
SEARCH_EFFORT: Final = 200
"""HNSW ``ef_search``: bench/face_search_pgvector.py shows recall and time for others."""
_MOST_EFFORT: Final = 1_000
"""The largest ``ef_search`` that pgvector takes."""
_MODEL_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class StoredVector:
    """A rotated unit vector of one face."""

    face_id: str
    application_id: str
    model_id: str
    vector: NDArray[np.float32]
    is_listed: bool = False
    """The face stands on a list: such faces are compared one by one, whatever a graph proposes."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many searchable faces of an application the table holds, and for how many of them a graph is ready."""

    searchable: int
    stored: int
    with_graph: bool

    @property
    def missing(self) -> int:
        """Searchable faces without a row."""
        return self.searchable - self.stored


async def extension_version(tx: Transaction) -> str | None:
    """The version of the extension that this server could load; None where there is none."""
    found: str | None = await tx.scalar(
        text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    )
    return found


async def exists(tx: Transaction) -> bool:
    """Whether the table was made."""
    return await tx.scalar(text("SELECT to_regclass(:name)"), {"name": TABLE}) is not None


async def create(tx: Transaction, dimensions: int) -> None:
    """Make the extension and the table where they are missing. The role needs the right to create the extension."""
    await tx.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    await tx.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {TABLE} ("
            "face_id uuid PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE, "
            "application_id uuid NOT NULL, model_id varchar(64) NOT NULL, is_listed boolean NOT NULL, "
            f"vector halfvec({int(dimensions)}) NOT NULL)"
        )
    )
    await tx.execute(
        text(f"CREATE INDEX IF NOT EXISTS ix_{TABLE}_application_id_model_id ON {TABLE} (application_id, model_id)")
    )
    await tx.execute(
        text(f"CREATE INDEX IF NOT EXISTS ix_{TABLE}_listed ON {TABLE} (application_id, model_id) WHERE is_listed")
    )


async def drop(tx: Transaction) -> None:
    """Remove the table with its indexes; the extension stays."""
    await tx.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


async def put(tx: Transaction, vectors: Sequence[StoredVector]) -> None:
    """Store vectors; faces that are there already are left alone."""
    if not vectors:
        return
    await tx.execute(
        text(
            f"INSERT INTO {TABLE} (face_id, application_id, model_id, is_listed, vector) "  # noqa: S608 - a constant name
            "VALUES (CAST(:face_id AS uuid), CAST(:application_id AS uuid), :model_id, :is_listed, "
            "CAST(:vector AS halfvec)) "
            "ON CONFLICT DO NOTHING"
        ),
        [
            {
                "face_id": one.face_id,
                "application_id": one.application_id,
                "model_id": one.model_id,
                "is_listed": one.is_listed,
                "vector": _written(one.vector),
            }
            for one in vectors
        ],
    )


async def nearest(
    tx: Transaction,
    application_id: str,
    model_id: str,
    vector: NDArray[np.float32],
    *,
    limit: int,
    effort: int = SEARCH_EFFORT,
) -> Sequence[str]:
    """Ids of about the ``limit`` nearest faces, nearest first: approximate where a graph is used, exact without."""
    width = min(_MOST_EFFORT, max(effort, limit))
    await tx.execute(
        text(
            "SELECT set_config('hnsw.ef_search', :width, true), set_config('hnsw.iterative_scan', 'strict_order', true)"
        ),
        {"width": str(width)},
    )
    query = _of(
        f"SELECT face_id FROM {TABLE} WHERE application_id = :application AND model_id = :model "  # noqa: S608
        "ORDER BY vector <#> CAST(:query AS halfvec) LIMIT :limit"
    ).columns(face_id=Id)
    found = await tx.scalars(
        query, {"application": application_id, "model": model_id, "query": _written(vector), "limit": limit}
    )
    return found.all()


async def nearest_listed(
    tx: Transaction, application_id: str, model_id: str, vector: NDArray[np.float32], *, limit: int
) -> Sequence[str]:
    """Ids of the ``limit`` nearest faces that stand on lists, nearest first, compared one by one."""
    query = _of(
        f"SELECT face_id FROM {TABLE} WHERE application_id = :application AND model_id = :model AND is_listed "  # noqa: S608
        "ORDER BY (vector <#> CAST(:query AS halfvec)) + 0 LIMIT :limit"  # a sum: no graph can answer that
    ).columns(face_id=Id)
    found = await tx.scalars(
        query, {"application": application_id, "model": model_id, "query": _written(vector), "limit": limit}
    )
    return found.all()


async def has_gaps(tx: Transaction, application_id: str) -> bool:
    """Whether a searchable face of the application has no row: a search here could miss it."""
    found = await tx.scalar(
        text(
            "SELECT EXISTS (SELECT 1 FROM faces WHERE faces.application_id = CAST(:application AS uuid) "  # noqa: S608
            f"AND searchable AND NOT EXISTS (SELECT 1 FROM {TABLE} WHERE face_id = faces.id))"
        ),
        {"application": application_id},
    )
    return bool(found)


async def forget_application(tx: Transaction, application_id: str) -> None:
    """Drop every row of an application."""
    await tx.execute(
        text(f"DELETE FROM {TABLE} WHERE application_id = CAST(:application AS uuid)"),  # noqa: S608 - a constant name
        {"application": application_id},
    )


async def forget_unsearchable(tx: Transaction, application_id: str) -> None:
    """Drop the rows of faces that search may no longer return."""
    await tx.execute(
        text(
            f"DELETE FROM {TABLE} USING faces WHERE faces.id = face_id "  # noqa: S608 - a constant name
            "AND faces.application_id = CAST(:application AS uuid) AND NOT faces.searchable"
        ),
        {"application": application_id},
    )


async def models(tx: Transaction, application_id: str) -> Mapping[str, int]:
    """Number of rows of each model."""
    found = await tx.execute(
        text(
            f"SELECT model_id, count(*) FROM {TABLE} "  # noqa: S608 - a constant name
            "WHERE application_id = CAST(:application AS uuid) GROUP BY model_id"
        ),
        {"application": application_id},
    )
    return {str(model): int(count) for model, count in found}


async def coverage(tx: Transaction, application_id: str) -> Coverage:
    """Count; a sequential scan of a large table, for people who ask for the status."""
    row = (
        await tx.execute(
            text(
                f"SELECT count(*), count({TABLE}.face_id) FROM faces LEFT JOIN {TABLE} ON face_id = faces.id "  # noqa: S608
                "WHERE faces.application_id = CAST(:application AS uuid) AND searchable"
            ),
            {"application": application_id},
        )
    ).one()
    ready = await tx.scalar(
        text(
            "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE relname LIKE :prefix AND indisvalid"
        ),
        {"prefix": f"{_graph_prefix(application_id)}%"},
    )
    return Coverage(searchable=int(row[0]), stored=int(row[1]), with_graph=bool(ready))


async def build_graph(
    engine: AsyncEngine,
    application_id: str,
    model_id: str,
    *,
    links: int = GRAPH_LINKS,
    effort: int = GRAPH_EFFORT,
) -> None:
    """Build the HNSW graph of one application and model beside running writes; what an interrupted build left goes.

    Raises:
        ValueError: a model id that does not look like one; it is written into the statement.
    """
    if _MODEL_ID.fullmatch(model_id) is None:
        raise ValueError(f"{model_id!r} is no model id")
    name = _graph_prefix(application_id) + hashlib.sha256(model_id.encode()).hexdigest()[:8]
    condition = _of("application_id = :application AND model_id = :model").bindparams(
        application=application_id, model=model_id
    )
    where = condition.compile(
        dialect=engine.dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        valid = await connection.scalar(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"), {"name": name}
        )
        if valid:
            return
        await connection.execute(text(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"'))
        await connection.exec_driver_sql(
            f'CREATE INDEX CONCURRENTLY "{name}" ON {TABLE} USING hnsw (vector halfvec_ip_ops) '
            f"WITH (m = {int(links)}, ef_construction = {int(effort)}) WHERE {where}"
        )


def _of(statement: str) -> TextClause:
    return text(statement).bindparams(
        bindparam("application", type_=Id, literal_execute=True),
        bindparam("model", type_=String, literal_execute=True),
    )


def _graph_prefix(application_id: str) -> str:
    return f"{TABLE}_{application_id.replace('-', '')}_"


def _written(vector: NDArray[Any]) -> str:
    return "[" + ",".join(f"{value:.7g}" for value in vector.tolist()) + "]"
