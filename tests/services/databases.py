"""Fresh, migrated databases: a copied file for SQLite, a copied template for PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import make_url

from ipse.storage import migrate
from ipse.storage.database import Database
from tests.services.postgres import running_postgres


class Databases(Protocol):
    """Hands out databases of one engine."""

    engine: str

    def fresh(self, data_dir: Path, *, migrated: bool = True) -> contextlib.AbstractContextManager[str]:
        """The URL of a database that nobody else uses, gone when the block ends."""
        ...

    def copy(self, url: str, data_dir: Path) -> contextlib.AbstractContextManager[str]:
        """The URL of a copy of another of these databases, to which nobody is connected; gone when the block ends."""
        ...


class SqliteDatabases:
    """Files copied from one migrated file; they vanish with the test's folder."""

    engine = "sqlite"

    def __init__(self, template: Path) -> None:
        self._template = template

    @contextlib.contextmanager
    def fresh(self, data_dir: Path, *, migrated: bool = True) -> Iterator[str]:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = data_dir / "ipse.sqlite3"
        if migrated:
            shutil.copyfile(self._template, path)
        yield f"sqlite+aiosqlite:///{path}"

    @contextlib.contextmanager
    def copy(self, url: str, data_dir: Path) -> Iterator[str]:
        source = Path(str(make_url(url).database))
        path = data_dir / "ipse.sqlite3"
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):  # the last connection takes the journal along
                shutil.copyfile(f"{source}{suffix}", f"{path}{suffix}")
        yield f"sqlite+aiosqlite:///{path}"


class PostgresDatabases:
    """Databases of one cluster, copied from a migrated one."""

    engine = "postgresql"

    def __init__(self, create: Any, drop: Any, url: Any, template: str) -> None:
        self._create, self._drop, self._url, self._template = create, drop, url, template

    @contextlib.contextmanager
    def fresh(self, data_dir: Path, *, migrated: bool = True) -> Iterator[str]:
        name = self._create(self._template) if migrated else self._create()
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    @contextlib.contextmanager
    def copy(self, url: str, data_dir: Path) -> Iterator[str]:
        name = self._create(make_url(url).database)
        try:
            yield self._url(name)
        finally:
            self._drop(name)


@contextlib.contextmanager
def running_databases(engine: str, folder: Path) -> Iterator[Databases]:
    """Prepare the engine named by ``IPSE_TEST_DATABASE``: ``sqlite`` or ``postgresql``."""
    if engine == "sqlite":
        template = folder / "template.sqlite3"
        in_own_loop(_migrate(f"sqlite+aiosqlite:///{template}"))
        yield SqliteDatabases(template)
    elif engine == "postgresql":
        with running_postgres() as postgres:
            name = postgres.create_database()
            in_own_loop(_migrate(postgres.url(name)))
            yield PostgresDatabases(postgres.create_database, postgres.drop_database, postgres.url, name)
    else:
        raise ValueError(f"IPSE_TEST_DATABASE must be sqlite or postgresql, not {engine!r}")


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate.upgrade(database.engine)
    await database.close()


def in_own_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end in a thread of its own, whether or not this thread runs an event loop."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:  # raised below, in the caller's thread
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
