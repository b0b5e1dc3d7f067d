"""What a database holds, as one digest: read by the engines' own clients, without the product."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

import psycopg
from sqlalchemy import make_url


def digest_of(url: str) -> str:
    """SHA-256 over every row of every table, in hex. Opening a SQLite file recovers it, as the next start would."""
    total = hashlib.sha256()
    for row in _rows_of_file(url) if url.startswith("sqlite") else _rows_of_server(url):
        total.update(f"{row}\n".encode())
    return total.hexdigest()


_BY_CHANCE: Final = frozenset({"leased_by", "response_ms"})
"""Columns that differ between two runs although nothing does: the name of a worker, how long a receiver took."""


def _rows_of_file(url: str) -> Iterator[str]:
    with closing(sqlite3.connect(str(make_url(url).database))) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (name,) in names:
            yield name
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
            yield from sorted(repr(row) for row in connection.execute(_select(name, columns)))


def _rows_of_server(url: str) -> Iterator[str]:
    parts = make_url(url)
    with psycopg.connect(host=str(parts.query["host"]), user=parts.username, dbname=parts.database) as connection:
        found = connection.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1 ORDER BY 1"
        )
        for name, columns in found.fetchall():
            yield name
            yield from sorted(repr(row) for row in connection.execute(_select(name, columns).encode()))


def _select(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(f'"{column}"' for column in columns if column not in _BY_CHANCE)
    return f'SELECT {names} FROM "{table}"'  # noqa: S608  names from the catalogue
