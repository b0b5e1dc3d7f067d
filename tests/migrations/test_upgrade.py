"""Upgrading keeps what is stored, on both engines, and ends at exactly the schema the code declares."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from ipse.security.keyring import KeyRing, Ring
from ipse.security.lookup import LookupKey
from ipse.security.vault import KeyVault
from ipse.storage import migrate
from ipse.storage.columns import Pseudonym, PseudonymNumber
from ipse.storage.database import Database
from ipse.storage.sealed import fields_of
from ipse.storage.search_terms import stored_tags
from ipse.storage.tables import Base, SearchTermRow, UserRow
from tests.services.databases import Databases

pytestmark = pytest.mark.anyio

FIRST = "0001"
ROWS = 3

PSEUDONYMS = {
    table.name: {column.name for column in table.columns if isinstance(column.type, Pseudonym | PseudonymNumber)}
    for table in Base.metadata.tables.values()
}
"""Columns that are there before and after, with another content."""

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def empty(databases: Databases, tmp_path: Path) -> AsyncIterator[Database]:
    """A database without any table."""
    with databases.fresh(tmp_path / "data", migrated=False) as url:
        database = Database(url)
        yield database
        await database.close()


def value_for(column: sa.Column[Any], number: int) -> Any:
    """A value that fits a reflected column and differs from row to row."""
    kind = column.type
    length = getattr(kind, "length", None)
    match kind:
        case sa.Uuid():
            return uuid.uuid4()
        case sa.CHAR() if length == 32:  # how SQLite shows a UUID column
            return uuid.uuid4().hex
        case sa.Boolean():
            return number % 2 == 0
        case sa.Integer():
            return number
        case sa.Float():
            return number + 0.5
        case sa.DateTime():
            instant = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
            return instant if kind.timezone else instant.replace(tzinfo=None)
        case sa.JSON():
            return {"n": number, "text": "usér"}
        case sa.LargeBinary():
            return bytes([0, 255, number])
        case sa.String():
            return f"{number}-ü{column.name}-{uuid.uuid4().hex}"[: length or 80]
    raise AssertionError(f"{column} has a type this test cannot fill: {kind!r}")


def populate(connection: Connection) -> Rows:
    """Put rows into every table, referenced tables first, and return them as they read back."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    written: Rows = {}
    for table in metadata.sorted_tables:
        if table.name == "alembic_version":
            continue
        for number in range(1, ROWS + 1):
            row: dict[str, Any] = {}
            for column in table.columns:
                target = next((key.column for key in column.foreign_keys), None)
                if target is not None:
                    row[column.name] = written[target.table.name][number - 1][target.name]
                else:
                    row[column.name] = value_for(column, number)
            connection.execute(table.insert().values(row))
            written.setdefault(table.name, []).append(row)
    return read(connection)


def read(connection: Connection) -> Rows:
    """Every row of every table, ordered by primary key."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(table.select().order_by(*table.primary_key)).mappings()]
        for table in metadata.sorted_tables
        if table.name != "alembic_version"
    }


async def test_an_upgrade_of_a_populated_database_keeps_every_row(empty: Database) -> None:
    await migrate.upgrade(empty.engine, FIRST)
    async with empty.engine.begin() as connection:
        before = await connection.run_sync(populate)
    assert len(before) >= 20
    assert all(len(rows) == ROWS for rows in before.values())

    empty.unlock(KeyVault(KeyRing.create(Ring.ORDINARY), LookupKey.create()))
    await migrate.upgrade(empty.engine)

    async with empty.engine.connect() as connection:
        after = await connection.run_sync(read)
    assert await migrate.current_revision(empty.engine) == migrate.head_revision()
    for table, rows in before.items():
        changed = PSEUDONYMS.get(table, set())
        names = (rows[0].keys() & after[table][0].keys()) - changed
        assert [{name: row[name] for name in names} for row in after[table]] == [
            {name: row[name] for name in names} for row in rows
        ], table


async def test_an_upgrade_seals_what_was_clear(empty: Database) -> None:
    await migrate.upgrade(empty.engine, FIRST)
    async with empty.engine.begin() as connection:
        before = await connection.run_sync(populate)

    empty.unlock(KeyVault(KeyRing.create(Ring.ORDINARY), LookupKey.create()))
    await migrate.upgrade(empty.engine)

    async with empty.reading() as tx:
        opened: dict[str, list[dict[str, Any]]] = {}
        for mapper in Base.registry.mappers:
            table = mapper.class_
            if table.__tablename__ in before and (
                names := {*fields_of(table), *PSEUDONYMS.get(table.__tablename__, ())}
            ):
                rows = (await tx.scalars(sa.select(table).order_by(*mapper.primary_key))).all()
                opened[table.__tablename__] = [{name: getattr(row, name) for name in names} for row in rows]
    assert len(opened) >= 10
    for name_of_table, rows in opened.items():
        for was, now in zip(before[name_of_table], rows, strict=True):
            for name, value in now.items():
                old_name = "metadata" if name == "session_metadata" else name
                if old_name not in was:  # a later revision brought it
                    continue
                old = was[old_name]
                old = json.loads(old) if isinstance(old, str) and old.startswith("{") else old
                assert value == old, (name_of_table, name)


async def test_rows_are_not_sealed_without_keys(empty: Database) -> None:
    await migrate.upgrade(empty.engine, FIRST)
    async with empty.engine.begin() as connection:
        await connection.run_sync(populate)
    with pytest.raises(RuntimeError, match="was given no keys"):
        await migrate.upgrade(empty.engine)
    assert await migrate.current_revision(empty.engine) in (None, FIRST)


async def test_names_from_before_the_upgrade_are_found(empty: Database) -> None:
    await migrate.upgrade(empty.engine, FIRST)
    async with empty.engine.begin() as connection:
        await connection.run_sync(populate)
    vault = KeyVault(KeyRing.create(Ring.ORDINARY), LookupKey.create())
    empty.unlock(vault)
    await migrate.upgrade(empty.engine)
    async with empty.reading() as tx:
        for row in (await tx.scalars(sa.select(UserRow))).all():
            of_row = sa.select(SearchTermRow.tag).where(SearchTermRow.object_id == row.id, SearchTermRow.kind == "name")
            assert set(await tx.scalars(of_row)) == stored_tags(
                vault, row.application_id, [row.display_name, row.full_name]
            )


async def test_the_migrations_end_at_the_declared_schema(empty: Database) -> None:
    await migrate.upgrade(empty.engine)
    async with empty.engine.connect() as connection:
        differences = await connection.run_sync(
            lambda c: compare_metadata(
                MigrationContext.configure(c, opts={"compare_type": True, "render_as_batch": True}), Base.metadata
            )
        )
    assert differences == []


async def test_an_upgrade_at_the_newest_revision_changes_nothing(empty: Database) -> None:
    await migrate.upgrade(empty.engine)
    async with empty.engine.begin() as connection:
        before = await connection.run_sync(populate)
    await migrate.upgrade(empty.engine, FIRST)
    await migrate.upgrade(empty.engine)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(read) == before


async def test_processes_that_start_together_upgrade_once(empty: Database) -> None:
    others = [Database(empty.engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    try:
        await asyncio.gather(*(migrate.upgrade(database.engine) for database in (empty, *others)))
    finally:
        for database in others:
            await database.close()
    assert await migrate.current_revision(empty.engine) == migrate.head_revision()


def test_revisions_form_one_line_from_the_first_to_the_newest() -> None:
    scripts = ScriptDirectory.from_config(migrate.alembic_config())
    line = [script.revision for script in scripts.walk_revisions()]
    assert scripts.get_heads() == [migrate.head_revision()]
    assert line[-1] == FIRST
    assert len(set(line)) == len(line)


async def test_published_workflows_and_their_sessions_get_their_content_pinned(empty: Database) -> None:
    from ipse.workflows.contents import digest

    graph, settings = {"start_node": "a", "nodes": {}}, {"max_retry_attempts": 3}
    await migrate.upgrade(empty.engine, FIRST)
    async with empty.engine.begin() as connection:
        await connection.run_sync(populate)
        versions = await connection.run_sync(lambda c: sa.Table("workflow_versions", sa.MetaData(), autoload_with=c))
        sessions = await connection.run_sync(lambda c: sa.Table("sessions", sa.MetaData(), autoload_with=c))
        one = (await connection.execute(sa.select(versions.c.id).limit(1))).scalar_one()
        await connection.execute(
            versions.update().where(versions.c.id == one).values(status="published", graph=graph, settings=settings)
        )
        await connection.execute(sessions.update().values(workflow_version_id=one))

    empty.unlock(KeyVault(KeyRing.create(Ring.ORDINARY), LookupKey.create()))
    await migrate.upgrade(empty.engine)

    async with empty.engine.connect() as connection:
        pinned = set(await connection.scalars(sa.text("SELECT workflow_content FROM sessions")))
        kept = set(await connection.scalars(sa.text("SELECT digest FROM workflow_contents")))
    assert pinned == kept == {digest(graph, settings)}
