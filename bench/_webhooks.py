"""Real ``ipse worker`` processes, a receiver in another process and a queue to deliver, for the benchmarks of webhooks.

The database is SQLite in a folder, or PostgreSQL with ``fsync`` on, both on this machine. Events are put into the
queue in bulk, sealed like any other: what is measured is the delivery, not the API call that causes it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from sqlalchemy import func, insert, select, update

from ipse.app import build_services, close_services
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.canonical_json import canonical_bytes
from ipse.settings import Settings
from ipse.storage.tables import DeliveryRow, EventRow
from ipse.webhooks import destinations
from ipse.webhooks.schemas import NewDestination
from ipse.webhooks.service import payload_context

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.services.applications import RegisteredApplication, register_application
from tests.services.postgres import running_postgres

_RUN = "from ipse.cli.main import run; run()"
_ROWS_AT_ONCE = 2_000
DECISION = {"liveness": [{"status": "Approved", "score": 97.25, "age_estimation": 31.5, "warnings": []}] * 8}
"""Makes a body about as large as that of a decided session, 1 kB."""


class Receiver:
    """The receiving process, see ``_webhook_receiver.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("_webhook_receiver.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port, self.silent_port = self._line()

    def count(self) -> int:
        """Deliveries since the last report."""
        return int(self._ask("count"))

    def report(self) -> list[tuple[str, str, int, float]]:
        """Event id, session id, session version and Unix time of each delivery, in order; then forget them."""
        return [tuple(arrival) for arrival in self._ask("report")]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _ask(self, question: str):  # type: ignore[no-untyped-def]
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self):  # type: ignore[no-untyped-def]
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@dataclass
class Queue:
    """An installation with a queue, its receiver and its workers."""

    services: Services
    application: RegisteredApplication
    receiver: Receiver
    environment: dict[str, str]
    folder: Path
    postgres: Path | None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def destination(self, url: str) -> str:
        """Register a destination for every event and return its id."""
        async with self.services.database.writing() as tx:
            scope = Scope(tx, self.application.application, self.services)
            return (await destinations.create(scope, NewDestination(url=url))).id

    async def fill(
        self, sessions: int, statuses: int, to: Sequence[str], *, state: str = "pending"
    ) -> dict[str, float]:
        """Queue ``statuses`` events for each of ``sessions`` sessions, the n-th session to the n-th of ``to``.

        Returns the Unix time at which each event was queued, by its id. In the ``state`` ``paused`` they wait for
        :meth:`release`.
        """
        services, queued = self.services, dict[str, float]()
        rows: list[tuple[dict[str, object], dict[str, object]]] = []
        for number in range(sessions):
            session_id = str(uuid.uuid4())
            for version in range(1, statuses + 1):
                event = self._event(session_id, version)
                rows.append((event, self._delivery(event, to[number % len(to)], state)))
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[first : first + _ROWS_AT_ONCE]
            async with services.database.writing() as tx:
                await tx.execute(insert(EventRow), [event for event, _ in part])
                await tx.execute(insert(DeliveryRow), [delivery for _, delivery in part])
            queued |= {str(event["id"]): event["occurred_at"].timestamp() for event, _ in part}  # type: ignore[attr-defined]
        return queued

    def _event(self, session_id: str, version: int) -> dict[str, object]:
        application_id = self.application.id
        event_id = self.services.identifiers.uuid()
        body = {
            "application_id": application_id,
            "event_id": event_id,
            "webhook_type": "status.updated",
            "session_id": session_id,
            "session_version": version,
            "status": "Approved",
            "vendor_data": f"customer-{session_id}",
            "decision": DECISION,
        }
        context = payload_context(application_id, event_id)
        return {
            "id": event_id,
            "application_id": application_id,
            "session_id": session_id,
            "session_version": version,
            "webhook_type": "status.updated",
            "status": "Approved",
            "payload_sealed": self.services.ordinary_ring.seal(canonical_bytes(body), context=context),
            "occurred_at": self.services.clock.now(),
        }

    def _delivery(self, event: dict[str, object], destination_id: str, state: str) -> dict[str, object]:
        return {
            "id": self.services.identifiers.uuid(),
            "event_id": event["id"],
            "destination_id": destination_id,
            "session_id": event["session_id"],
            "position": event["session_version"],
            "state": state,
            "is_resend": False,
            "attempts": 0,
            "due_at": event["occurred_at"],
            "created_at": event["occurred_at"],
        }

    async def release(self) -> None:
        """Make everything due at once that was queued as ``paused``."""
        async with self.services.database.writing() as tx:
            await tx.execute(update(DeliveryRow).where(DeliveryRow.state == "paused").values(state="pending"))

    async def states(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        async with self.services.database.reading() as tx:
            found = await tx.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state))
            return dict(found.tuples().all())

    def start(self, count: int) -> None:
        """Start worker processes."""
        for _ in range(count):
            with (self.folder / f"worker-{len(self.workers)}.log").open("wb") as log:
                command = [sys.executable, "-c", _RUN, "worker"]
                self.workers.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def kill(self) -> None:
        """``kill -9`` the oldest worker."""
        worker = self.workers.pop(0)
        worker.kill()
        worker.wait()

    def stop(self) -> None:
        """Tell the workers to finish."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(30)
            worker.kill()
            worker.wait()
        self.workers.clear()

    def processor_s(self) -> Counter[str]:
        """Seconds of processor used so far by workers, PostgreSQL and the receiver."""
        used = Counter({"workers": sum(_used(psutil.Process(worker.pid)) for worker in self.workers)})
        for child in psutil.Process().children():
            if self.postgres is not None and any(str(self.postgres) in word for word in child.cmdline()):
                used["PostgreSQL"] += _used(child) + sum(_used(one) for one in child.children(recursive=True))
        return used


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


@contextlib.asynccontextmanager
async def queue(engine: str, folder: Path, **settings: str):  # type: ignore[no-untyped-def]
    """An installation on ``sqlite`` or ``postgresql`` without workers yet."""
    with _database(engine, folder) as (url, postgres):
        keys = {ring: base64.b64encode(secrets.token_bytes(32)).decode() for ring in ("ordinary", "biometric")}
        environment = {
            "IPSE_DATA_DIR": str(folder),
            "IPSE_DATABASE_URL": url,
            "IPSE_ORDINARY_MASTER_KEY": keys["ordinary"],
            "IPSE_BIOMETRIC_MASTER_KEY": keys["biometric"],
            "IPSE_LOG_LEVEL": "ERROR",
            **{f"IPSE_{name.upper()}": value for name, value in settings.items()},
        }
        services = await build_services(
            Settings(
                data_dir=folder,
                database_url=url,
                ordinary_master_key=keys["ordinary"],  # type: ignore[arg-type]
                biometric_master_key=keys["biometric"],  # type: ignore[arg-type]
            ),
            load_faces=False,
        )
        receiver = Receiver()
        try:
            application = await register_application(services)
            found = Queue(services, application, receiver, {**os.environ, **environment}, folder, postgres)
            try:
                yield found
            finally:
                found.stop()
        finally:
            receiver.close()
            await close_services(services)


@contextlib.contextmanager
def _database(engine: str, folder: Path) -> Iterator[tuple[str, Path | None]]:
    if engine == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'ipse.db'}", None
        return
    with running_postgres(fsync="on", synchronous_commit="on", full_page_writes="on") as postgres:
        yield postgres.url(postgres.create_database()), postgres.folder


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of ``values`` lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def drained(running: Queue, wanted: int, limit_s: float) -> None:
    """Return once the receiver has ``wanted`` deliveries; end the program after ``limit_s`` seconds."""
    end = time.monotonic() + limit_s
    while running.receiver.count() < wanted:
        if time.monotonic() > end:
            raise SystemExit(f"only {running.receiver.count()} of {wanted} came within {limit_s:g} s")
        await asyncio.sleep(0.1)
