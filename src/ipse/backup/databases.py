"""A consistent copy of a database that is being written to, by the means of its engine.

- SQLite: the online backup interface copies the file page by page; writers go on.
- PostgreSQL: ``COPY`` of every table within one snapshot (``REPEATABLE READ``), so that no program of another version
  is needed. A dump of ``pg_dump`` serves as well, where you have one (docs/operate/backup.md).

Sealed fields stay sealed: no key is used here.
"""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from ipse.backup.errors import BackupDamaged, InstallationInUse
from ipse.backup.manifest import WrappedRing
from ipse.storage.tables import Base

SQLITE_FILE: Final = "ipse.sqlite3"
_NEVER_EMPTY: Final = frozenset({"alembic_version"})


@dataclass(frozen=True, slots=True)
class Copied:
    """What the copy of a database holds."""

    revision: str
    tables: Mapping[str, Sequence[str]]
    blobs: Mapping[str, str]
    """Key of each image's blob -> SHA-256 of its sealed bytes, in hex."""
    rings: Sequence[WrappedRing]


def dump(url: str, folder: Path) -> Copied:
    """Copy the database at ``url`` into ``folder``, which exists and is empty."""
    return _dump_sqlite(url, folder) if is_sqlite(url) else _dump_postgresql(url, folder)


def require_empty(url: str) -> None:
    """Raise :class:`InstallationInUse` unless the database does not exist, or has no row in any table of ours."""
    if is_sqlite(url):
        if sqlite_path(url).exists():
            raise InstallationInUse(f"{sqlite_path(url)} exists. Restore into a new data folder.")
        return
    with _connected(url) as connection:
        for table in _present(connection):
            found = connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table)))
            if table not in _NEVER_EMPTY and found.fetchone() is not None:
                raise InstallationInUse(f"The database has rows in {table}. Restore into an empty one.")


def load(url: str, folder: Path, tables: Mapping[str, Sequence[str]]) -> None:
    """Fill an empty database with a copy, completely or not at all; PostgreSQL has the copy's schema already."""
    if is_sqlite(url):
        _load_sqlite(url, folder)
    else:
        _load_postgresql(url, folder, tables)


def is_sqlite(url: str) -> bool:
    """True for the embedded database."""
    return url.startswith("sqlite")


def sqlite_path(url: str) -> Path:
    """The file of an embedded database."""
    return Path(str(make_url(url).database))


def _dump_sqlite(url: str, folder: Path) -> Copied:
    target = folder / SQLITE_FILE
    with (
        closing(sqlite3.connect(f"file:{sqlite_path(url)}?mode=rw", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, without a journal beside it
        target.chmod(0o600)
        [(revision,)] = copy.execute("SELECT version_num FROM alembic_version").fetchall()
        tables = {
            name: [row[1] for row in copy.execute(f'PRAGMA table_info("{name}")')]
            for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        }
        blobs = dict(copy.execute("SELECT blob_key, sha256 FROM media ORDER BY blob_key").fetchall())
        rings = copy.execute("SELECT ring, version, wrapped FROM keysets ORDER BY ring, version").fetchall()
    _sync(target)
    return Copied(revision, tables, blobs, [_ring(*row) for row in rings])


def _load_sqlite(url: str, folder: Path) -> None:
    source, target = folder / SQLITE_FILE, sqlite_path(url)
    with closing(sqlite3.connect(f"file:{source}?mode=ro&immutable=1", uri=True)) as copy:
        [(verdict,)] = copy.execute("PRAGMA integrity_check").fetchall()
        if verdict != "ok":
            raise BackupDamaged(f"{SQLITE_FILE}: {verdict}")
    unfinished = target.with_name(f".{target.name}-restoring")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, source.open("rb") as content:
        while block := content.read(2**20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(target)
    _sync(target.parent)


def _dump_postgresql(url: str, folder: Path) -> Copied:
    with _connected(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert found is not None
        tables = {name: _columns(connection, name) for name in _present(connection) if name not in _NEVER_EMPTY}
        for name, columns in tables.items():
            _copy_out(connection, name, columns, folder / f"{name}.copy")
        blobs = dict(connection.execute("SELECT blob_key, sha256 FROM media ORDER BY blob_key").fetchall())
        rings = connection.execute("SELECT ring, version, wrapped FROM keysets ORDER BY ring, version").fetchall()
    return Copied(str(found[0]), tables, blobs, [_ring(*row) for row in rings])


def _load_postgresql(url: str, folder: Path, tables: Mapping[str, Sequence[str]]) -> None:
    with _connected(url) as connection:
        for name, columns in tables.items():
            _copy_in(connection, name, columns, folder / f"{name}.copy")
        sequences = connection.execute(
            "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) "
            "FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
        ).fetchall()
        for table, column, sequence in sequences:
            connection.execute(
                sql.SQL("SELECT setval({}, greatest((SELECT max({}) FROM {}), 1))").format(
                    sql.Literal(sequence), sql.Identifier(column), sql.Identifier(table)
                )
            )


def _copy_out(connection: psycopg.Connection, table: str, columns: Sequence[str], path: Path) -> None:
    with path.open("wb") as file, connection.cursor().copy(_copy(table, columns, "TO STDOUT")) as rows:
        for block in rows:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def _copy_in(connection: psycopg.Connection, table: str, columns: Sequence[str], path: Path) -> None:
    with path.open("rb") as file, connection.cursor().copy(_copy(table, columns, "FROM STDIN")) as rows:
        while block := file.read(2**20):
            rows.write(block)


def _copy(table: str, columns: Sequence[str], direction: str) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(table), names, sql.SQL(direction))


def _present(connection: psycopg.Connection) -> Sequence[str]:
    """Our tables that exist, those first that others refer to."""
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    existing = {str(row[0]) for row in rows}
    return [name for name in (table.name for table in Base.metadata.sorted_tables) if name in existing]


def _columns(connection: psycopg.Connection, table: str) -> Sequence[str]:
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    return [str(row[0]) for row in rows]


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    """One transaction; committed when the block ends."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as opened:
        yield opened


def _ring(ring: str, version: int, wrapped: bytes) -> WrappedRing:
    return WrappedRing(ring, version, base64.b64encode(wrapped).decode())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
