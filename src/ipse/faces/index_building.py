"""Building, describing and dropping the vector index of PostgreSQL (``ipse faces index``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from ipse.biometrics.templates import TEMPLATE_LENGTH
from ipse.faces import repository, rotation
from ipse.faces.database_index import LISTED
from ipse.faces.opening import opened
from ipse.faces.repository import SealedFace
from ipse.faces.rotation import SearchSpace
from ipse.runtime.application import Application
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage import vector_table
from ipse.storage.tables import ApplicationRow
from ipse.storage.vector_table import Coverage, StoredVector

Progress = Callable[[str, int, int], None]
"""Called with an application's name, how many of its faces were read, and how many there are."""

GRAPH_FROM: Final = 10_000
"""Faces of one application and model from which a graph is built: below, comparing all is quick and exact."""
_PAGE: Final = 1_000


class IndexUnavailable(Exception):
    """This database cannot hold a vector index; the message says why."""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """``extension`` is the version the server could load. ``coverage`` is by application, empty without a table."""

    extension: str | None
    exists: bool
    coverage: Mapping[str, Coverage]


async def build(services: Services, *, graph_from: int = GRAPH_FROM, progress: Progress | None = None) -> None:
    """Make the table, store every missing vector, and build graphs; safe to repeat and beside running servers.

    Raises:
        IndexUnavailable: SQLite, a server without pgvector, or a role that may not create the extension.
    """
    await _require_extension(services)
    try:
        async with services.database.writing() as tx:
            await vector_table.create(tx, TEMPLATE_LENGTH)
    except DBAPIError as error:
        raise IndexUnavailable(f"The table could not be made: {error.orig}") from error
    for application in await _applications(services):
        await _store_missing(services, application, progress)
        async with services.database.writing() as tx:
            await vector_table.forget_unsearchable(tx, application.id)
            models = await vector_table.models(tx, application.id)
        for model_id, count in models.items():
            if count >= graph_from:
                await vector_table.build_graph(services.database.engine, application.id, model_id)


async def status(services: Services) -> IndexStatus:
    """What there is; never raises for a database without the extension."""
    if services.database.is_sqlite:
        return IndexStatus(None, exists=False, coverage={})
    applications = await _applications(services)
    async with services.database.reading() as tx:
        version, exists = await vector_table.extension_version(tx), await vector_table.exists(tx)
        found = {one.id: await vector_table.coverage(tx, one.id) for one in applications} if exists else {}
    return IndexStatus(version, exists, found)


async def drop(services: Services) -> None:
    """Remove the table; the vectors in it are copies of what the faces hold."""
    if services.database.is_sqlite:
        return
    async with services.database.writing() as tx:
        await vector_table.drop(tx)


async def _require_extension(services: Services) -> None:
    if services.database.is_sqlite:
        raise IndexUnavailable("SQLite has no vector index: search runs in memory there. Use PostgreSQL with pgvector.")
    async with services.database.reading() as tx:
        if await vector_table.extension_version(tx) is None:
            raise IndexUnavailable("This PostgreSQL server does not have the pgvector extension installed.")


async def _applications(services: Services) -> Sequence[Application]:
    async with services.database.reading() as tx:
        return [Application.of(row) for row in await tx.scalars(select(ApplicationRow).order_by(ApplicationRow.id))]


async def _store_missing(services: Services, application: Application, progress: Progress | None) -> None:
    done, last = 0, 0
    async with services.database.reading() as tx:
        total = await repository.count_searchable(Scope(tx, application, services))
    while True:
        async with services.database.writing() as tx:
            scope = Scope(tx, application, services)
            page = await repository.sealed_to_index(scope, last, limit=_PAGE)
            if not page:
                return
            space = await rotation.of_application(scope)
            await vector_table.put(tx, await asyncio.to_thread(_opened, scope, page, space))
        last, done = page[-1].sequence, done + len(page)
        if progress is not None:
            progress(application.name, done, max(total, done))


def _opened(scope: Scope, page: Sequence[SealedFace], space: SearchSpace) -> list[StoredVector]:
    vectors = [opened(scope, face, space) for face in page]
    return [
        StoredVector(face.id, scope.application_id, vector.model_id, vector.vector, face.source == LISTED)
        for face, vector in zip(page, vectors, strict=True)
    ]
