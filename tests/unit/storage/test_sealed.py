"""Sealed fields open only where they were sealed, and a query on one fails loudly."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ipse.security.keyring import CannotOpen, KeyRing, Ring
from ipse.security.lookup import LookupKey
from ipse.security.vault import KeyVault
from ipse.storage import sealed
from ipse.storage.columns import Pseudonym, PseudonymNumber
from ipse.storage.database import Database
from ipse.storage.sealed import NotQueryable, SealedField, VaultMissing, absent

pytestmark = pytest.mark.anyio


class Rows(DeclarativeBase):
    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        sealed.declare(cls)


class PersonRow(Rows):
    __tablename__ = "persons"

    id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    application_id: Mapped[str] = mapped_column(sa.String(36))
    handle: Mapped[str] = mapped_column(Pseudonym("handle", 64), unique=True)
    height: Mapped[float | None] = mapped_column(PseudonymNumber("height"))
    name = SealedField[str | None](absent)
    details = SealedField[dict[str, Any]](dict)


class NoteRow(Rows):
    __tablename__ = "notes"

    person: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text = SealedField[str](str)


@pytest.fixture
def vault() -> KeyVault:
    return KeyVault(KeyRing.create(Ring.ORDINARY), LookupKey.create())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database that is still locked."""
    opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    async with opened.engine.begin() as connection:
        await connection.run_sync(Rows.metadata.create_all)
    yield opened
    await opened.close()


@pytest.fixture
async def unlocked(database: Database, vault: KeyVault) -> Database:
    database.unlock(vault)
    return database


def ada(**columns: Any) -> PersonRow:
    own: dict[str, Any] = {"id": str(uuid.uuid4()), "application_id": str(uuid.uuid4()), "handle": "ada"}
    return PersonRow(**{**own, "name": "Ada Lovelace", "details": {"emails": ["ada@example.org"]}, **columns})


async def stored(database: Database, row: PersonRow | None = None) -> PersonRow:
    row = row or ada()
    async with database.writing() as tx:
        tx.add(row)
    return row


async def raw(database: Database, column: str) -> Any:
    async with database.reading() as tx:
        return await tx.scalar(sa.select(sa.literal_column(column)).select_from(sa.table("persons")))


async def test_values_are_ordinary_attributes_and_sealed_in_the_database(unlocked: Database) -> None:
    await stored(unlocked)
    async with unlocked.reading() as tx:
        row = (await tx.scalars(sa.select(PersonRow))).one()
    assert (row.name, row.details) == ("Ada Lovelace", {"emails": ["ada@example.org"]})
    assert row.details is row.details
    for column in ("name_sealed", "details_sealed"):
        content = await raw(unlocked, column)
        assert not any(part in content for part in (b"Ada", b"ada@", b"emails"))


async def test_a_row_can_be_read_after_its_transaction(unlocked: Database) -> None:
    row = await stored(unlocked)
    async with unlocked.reading() as tx:
        found = await tx.get(PersonRow, row.id)
    assert found is not None
    assert found.name == "Ada Lovelace"


async def test_a_change_is_sealed_and_seen_by_the_next_reader(unlocked: Database) -> None:
    row = await stored(unlocked)
    for name in ("Ada King", None, "Countess \ud83d of Lovelace"):
        async with unlocked.writing() as tx:
            found = await tx.get(PersonRow, row.id)
            assert found is not None
            found.name = name
            assert found.name == name
        async with unlocked.reading() as tx:
            assert (await tx.scalars(sa.select(PersonRow))).one().name == name


async def test_a_reload_replaces_what_was_opened(unlocked: Database) -> None:
    row = await stored(unlocked)
    async with unlocked.reading() as reader:
        held = (await reader.scalars(sa.select(PersonRow))).one()
        assert held.name == "Ada Lovelace"
    async with unlocked.writing() as tx:
        found = await tx.get(PersonRow, row.id)
        assert found is not None
        found.name = "Ada King"
        await tx.flush()
        await tx.refresh(found)
        assert found.name == "Ada King"


async def test_what_means_nothing_is_not_stored(unlocked: Database) -> None:
    row = await stored(unlocked, ada(name=None, details={}))
    assert await raw(unlocked, "name_sealed") is None
    assert await raw(unlocked, "details_sealed") is None
    assert (row.name, row.details) == (None, {})


@pytest.mark.parametrize("change", ["another row", "another field", "another application"])
async def test_a_sealed_value_opens_in_no_other_place(unlocked: Database, change: str) -> None:
    await stored(unlocked)
    other = await stored(unlocked, ada(handle="eve", name="Eve"))
    statement = {
        "another row": "UPDATE persons SET name_sealed = (SELECT name_sealed FROM persons WHERE id != :id) "
        "WHERE id = :id",
        "another field": "UPDATE persons SET name_sealed = details_sealed WHERE id = :id",
        "another application": "UPDATE persons SET application_id = 'x' WHERE id = :id",
    }[change]
    async with unlocked.writing() as tx:
        await tx.execute(sa.text(statement), {"id": other.id})
    async with unlocked.reading() as tx:
        found = (await tx.scalars(sa.select(PersonRow).where(PersonRow.id == other.id))).one()
    with pytest.raises(CannotOpen):
        _ = found.name


async def test_a_row_of_several_keys_is_bound_to_all_of_them(unlocked: Database) -> None:
    async with unlocked.writing() as tx:
        tx.add_all([NoteRow(person="p", number=number, text=f"note {number}") for number in (1, 2)])
    async with unlocked.writing() as tx:
        await tx.execute(sa.text("UPDATE notes SET text_sealed = (SELECT text_sealed FROM notes WHERE number = 1)"))
    async with unlocked.reading() as tx:
        first, second = (await tx.scalars(sa.select(NoteRow).order_by(NoteRow.number))).all()
    assert first.text == "note 1"
    with pytest.raises(CannotOpen):
        _ = second.text


@pytest.mark.parametrize(
    "query",
    [
        lambda: sa.select(PersonRow.name),
        lambda: PersonRow.name == "Ada",
        lambda: PersonRow.details["emails"],
        lambda: PersonRow.name.is_(None),
        lambda: PersonRow.handle.ilike("%ada%"),
        lambda: PersonRow.handle > "a",
        lambda: PersonRow.handle.startswith("a"),
    ],
)
def test_a_query_on_what_is_sealed_fails_loudly(query: Any) -> None:
    with pytest.raises(NotQueryable):
        query()


async def test_a_locked_database_neither_stores_nor_shows_sealed_fields(database: Database, vault: KeyVault) -> None:
    with pytest.raises(VaultMissing):
        await stored(database, NoteRow(person="p", number=1, text="x"))  # type: ignore[arg-type]
    with pytest.raises(sa.exc.StatementError, match="not unlocked"):
        await stored(database, ada(name=None, details={}))
    other = Database(str(database.engine.url))
    other.unlock(vault)
    async with other.writing() as tx:
        tx.add(NoteRow(person="p", number=1, text="x"))
    async with database.reading() as tx:
        row = (await tx.scalars(sa.select(NoteRow))).one()
    with pytest.raises(VaultMissing):
        _ = row.text
    with pytest.raises(VaultMissing):
        row.text = "y"
    await other.close()


async def test_pseudonyms_are_found_and_stay_unique(unlocked: Database) -> None:
    row = await stored(unlocked, ada(height=1.65))
    async with unlocked.reading() as tx:
        for condition in (PersonRow.handle == "ada", PersonRow.handle.in_(["ada", "eve"]), PersonRow.handle != "eve"):
            assert (await tx.scalars(sa.select(PersonRow.id).where(condition))).all() == [row.id]
        by_parameter = sa.select(PersonRow.handle).where(PersonRow.handle == sa.bindparam("handle"))
        assert await tx.scalar(by_parameter, {"handle": "ada"}) == "ada"
        assert await tx.scalar(sa.select(PersonRow.height)) == 1.65
    assert b"ada" not in json.dumps([await raw(unlocked, "handle"), await raw(unlocked, "height")]).encode()
    with pytest.raises(sa.exc.IntegrityError):
        await stored(unlocked, ada())


async def test_rows_written_and_read_past_the_orm_are_sealed_alike(unlocked: Database, vault: KeyVault) -> None:
    values: dict[str, Any] = {
        "id": "1",
        "application_id": "a",
        "handle": "ada",
        "height": None,
        "name": "Ada",
        "details": {},
    }
    async with unlocked.writing() as tx:
        await tx.execute(
            sa.insert(PersonRow.metadata.tables[PersonRow.__tablename__]),
            sealed.sealed_columns(PersonRow, values, vault),
        )
    async with unlocked.reading() as tx:
        assert (await tx.scalars(sa.select(PersonRow))).one().name == "Ada"
        row = (await tx.execute(sa.select(PersonRow.__table__))).one()
    assert sealed.open_column(PersonRow, "name", row, vault) == "Ada"
    assert sealed.open_column(PersonRow, "details", row, vault) == {}
