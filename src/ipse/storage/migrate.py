"""Bring a database to the newest schema. Safe to run at every start and from several processes.

Alembic is imported only when there is something to migrate: it costs a tenth of the start of a process.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "migrations"
BEFORE_SEALING = "0006"
"""The revision that has tables for keys and no sealed field yet: what comes after it needs an unlocked database."""

_ADVISORY_LOCK = 0x1B5E  # any constant: it makes concurrent starts on PostgreSQL wait for one another

_LOCK_WAIT = "3s"
"""How long a migration waits for a table. Whoever asks for the same table after it waits behind it as long."""

_ATTEMPTS = 20
_PAUSE_S = 2.0
_LOCK_NOT_AVAILABLE = "55P03"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration bound to an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Apply every migration up to ``revision`` that is missing, in one transaction.

    An installation with rows can pass :data:`BEFORE_SEALING` only through an engine that was given its keys.

    Other processes may go on serving: on PostgreSQL a table that one of them holds is not waited for longer than
    :data:`_LOCK_WAIT`, so that their requests do not queue up behind the migration; it is undone and tried again.

    Raises:
        OperationalError: a table was in use at every attempt; nothing was changed.
    """
    if _reached(await current_revision(engine), revision):
        return
    for attempt in range(_ATTEMPTS):
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, revision)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(_PAUSE_S)
        else:
            return


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision the database is at, or None when it is empty."""
    async with engine.execution_options(ipse_write=False).connect() as connection:
        return await connection.run_sync(_current_revision)


def head_revision() -> str:
    """Return the newest revision this code knows: the files are numbered in order."""
    return max(script.name.partition("_")[0] for script in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


def _reached(current: str | None, revision: str) -> bool:
    return current is not None and current >= (head_revision() if revision == "head" else revision)


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
    if not _reached(_current_revision(connection), revision):  # another process may have been faster
        command.upgrade(alembic_config(connection), revision)
