"""A list of a million addresses: ``python bench/lists.py [--entries 1000000] [--database URL]``.

Imports networks and addresses through the code of ``POST /v3/lists/{uuid}/entries/import/`` (without the HTTP server),
fills the list up with rows, looks single addresses up as a session does, and says which index the database takes.
SQLite in a temporary folder unless ``--database`` names an empty PostgreSQL one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from ipse.app import build_services, close_services
from ipse.edge.authentication import Caller
from ipse.edge.unit import Unit
from ipse.lists import importing, repository, service
from ipse.lists.import_lines import reader_for
from ipse.lists.values import EntryType, ListType
from ipse.runtime.application import Application, Mode, SandboxEngine
from ipse.runtime.scope import API_CLIENT, Scope
from ipse.runtime.services import Services
from ipse.settings import Settings
from ipse.storage.tables import ApplicationRow, ListRow, OrganizationRow
from machine import description, resident_mib

LOOK_UPS: Final = 2_000
_LINES_PER_CHUNK: Final = 4_000
_CHANCE = random.Random(4)


def _value() -> str:
    """Half single IPv4 addresses, a quarter networks, a quarter IPv6 networks."""
    kind = _CHANCE.random()
    if kind < 0.5:
        return ".".join(str(_CHANCE.randrange(1, 255)) for _ in range(4))
    if kind < 0.75:
        return f"{_CHANCE.randrange(1, 224)}.{_CHANCE.randrange(256)}.{_CHANCE.randrange(256)}.0/24"
    return f"2001:{_CHANCE.randrange(0x10000):x}:{_CHANCE.randrange(0x10000):x}::/48"


async def _body(entries: int) -> AsyncIterator[bytes]:
    for start in range(0, entries, _LINES_PER_CHUNK):
        count = min(_LINES_PER_CHUNK, entries - start)
        yield "".join(f"{_value()}\n" for _ in range(count)).encode()


async def _register(services: Services) -> Application:
    now = datetime.now(UTC)
    async with services.database.writing() as tx:
        organization = OrganizationRow(id=str(uuid.uuid4()), name="Bench", contact_email=None, created_at=now)
        tx.add(organization)
        await tx.flush()
        row = ApplicationRow(
            id=str(uuid.uuid4()),
            organization_id=organization.id,
            client_id=uuid.uuid4().hex[:22],
            name="Bench",
            mode=Mode.SANDBOX.value,
            sandbox_engine=SandboxEngine.SCENARIOS.value,
            reference_source="stored_or_supplied",
            enroll_on_first_use=False,
            allow_private_webhooks=True,
            redirect_uris=[],
            created_at=now,
        )
        tx.add(row)
        await tx.flush()
        return Application.of(row)


async def _fill(scope: Scope, row: ListRow, entries: int) -> None:
    """Rows as an import writes them, without reading text and past SQLAlchemy's types. SQLite only."""
    connection = await scope.tx.connection()
    of_all = (
        uuid.UUID(scope.application_id).hex,
        uuid.UUID(row.id).hex,
        row.entry_type,
        "{}",
        "bench",
        scope.services.clock.now().strftime("%Y-%m-%d %H:%M:%S.%f"),
    )
    for start in range(0, entries, _LINES_PER_CHUNK):
        count = min(_LINES_PER_CHUNK, entries - start)
        await connection.exec_driver_sql(
            "INSERT OR IGNORE INTO list_entries"
            " (id, value, application_id, list_id, entry_type, details, added_by, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(f"{_CHANCE.getrandbits(128):032x}", _value(), *of_all) for _ in range(count)],
        )


async def _timed(name: str, times: int, call: Callable[[], Awaitable[object]]) -> None:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        await call()
        spent.append((time.perf_counter() - began) * 1000)
    spent.sort()
    p50, p99 = spent[len(spent) // 2], spent[int(len(spent) * 0.99)]
    print(f"{name:<46} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   ({times} times)")


async def _plan(scope: Scope) -> None:
    """Ask the database how it answers the very statement of a look-up."""
    sent: list[tuple[str, Any]] = []
    engine = scope.services.database.engine.sync_engine

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", remember)
    await service.types_of(scope, {"ip_address": ["203.0.113.7"]})
    event.remove(engine, "before_cursor_execute", remember)
    (statement, parameters) = sent[-1]
    rows = await (await scope.tx.connection()).exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    print(f"{len(sent)} statement; plan:", " | ".join(str(row[-1]).strip() for row in rows))


async def run(entries: int, imported: int, settings: Settings) -> None:
    services = await build_services(settings, load_faces=False)
    try:
        application = await _register(services)
        async with services.database.writing() as tx:
            scope = Scope(tx, application, services)
            row = await service.system_list(scope, ListType.BLOCKLIST, EntryType.IP_ADDRESS)
        caller = Caller(application, API_CLIENT, Unit(services), services)
        memory, began = resident_mib(), time.perf_counter()
        summary = await importing.run(caller, row.id, _body(imported), reader_for("text/csv"))
        spent = time.perf_counter() - began
        print(
            f"import: {summary.added:,} added, {summary.duplicates:,} duplicates, {summary.refused:,} refused in "
            f"{spent:.1f} s ({summary.lines / spent:,.0f} lines/s), memory +{resident_mib() - memory:.0f} MiB"
        )
        async with services.database.writing() as tx:
            await _fill(Scope(tx, application, services), row, entries - imported)
        async with services.database.reading() as tx:
            scope = Scope(tx, application, services)
            size = (await repository.sizes(scope, [row]))[row.id]
            print(f"{size.entries:,} entries on the list")
            await _plan(scope)

            async def one(address: str) -> object:
                return await service.types_of(scope, {"ip_address": [address]})

            await _timed("IPv4 address in no list", LOOK_UPS, lambda: one(f"240.{_CHANCE.randrange(256)}.7.7"))
            await _timed("IPv4 address, any", LOOK_UPS, lambda: one(_value().split("/")[0]))
            await _timed("IPv6 address", LOOK_UPS, lambda: one(f"2001:{_CHANCE.randrange(0x10000):x}::7"))
            await _timed(
                "address, device, user, mail, country at once",
                LOOK_UPS,
                lambda: service.types_of(
                    scope,
                    {
                        "ip_address": [f"240.{_CHANCE.randrange(256)}.7.7"],
                        "device_fingerprint": [f"fp_{_CHANCE.random()}"],
                        "user": ["somebody"],
                        "email": ["somebody@bank.dev"],
                        "country": ["ES"],
                    },
                ),
            )
            await _timed(
                "first page of the list, with its count",
                20,
                lambda: repository.entry_page(scope, row, search=None, session_id=None, limit=50, offset=0),
            )
    finally:
        await close_services(services)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--imported", type=int, default=100_000, help="how many of them to import and time")
    asked = parser.parse_args()
    print(description())
    print(f"{os.getloadavg()[0]:.1f} load before")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), run_worker=False, log_level="WARNING")
        asyncio.run(run(asked.entries, asked.imported, settings))
    print(f"{os.getloadavg()[0]:.1f} load after")


if __name__ == "__main__":
    main()
