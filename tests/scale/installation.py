"""Two servers and two workers that share nothing but PostgreSQL, a bucket and the master keys."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from ipse.settings import Settings
from ipse.storage.database import Database
from tests.crash.processes import Killable, free_port
from tests.crash.test_kill_nine import prepare
from tests.scale.balancer import Balancer, running_balancer
from tests.services.applications import RegisteredApplication
from tests.services.databases import in_own_loop
from tests.services.s3 import CREDENTIALS, S3Server

T = TypeVar("T")


@dataclass(frozen=True)
class Member:
    """One process, and where it can be asked for its metrics."""

    name: str
    process: Killable
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def metric(self, name: str, **labels: str) -> float:
        """Sum of a metric's samples that carry these labels, since the process started."""
        answer = httpx2.get(f"{self.url}/metrics", timeout=60)
        return sum(
            sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@dataclass(frozen=True)
class Installation:
    """What runs, and an application to call it with."""

    settings: Settings
    """As a process outside sees the installation: the same database, bucket and keys."""
    balancer: Balancer
    application: RegisteredApplication
    servers: tuple[Member, Member]
    workers: tuple[Member, Member]

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Ask the database directly; a statement that writes is committed."""
        found: list[Any] = []

        async def work() -> None:
            database = Database(self.settings.resolved_database_url)
            try:
                async with database.engine.begin() as connection:
                    result = await connection.execute(text(statement), values)
                    if result.returns_rows:
                        found.extend(result.all())
            finally:
                await database.close()

        in_own_loop(work())
        return found


@contextlib.contextmanager
def running_installation(folder: Path, database_url: str, s3: S3Server) -> Iterator[Installation]:
    """Start everything; ``CREDENTIALS`` must be in the environment. Every process has a data folder of its own."""
    ports = _ports(5)
    public = f"http://127.0.0.1:{ports[4]}"
    keys = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("ordinary", "biometric")}
    settings = Settings(
        data_dir=folder / "outside",
        database_url=database_url,
        blob_url=s3.url,
        public_url=public,
        ordinary_master_key=keys["ordinary"],
        biometric_master_key=keys["biometric"],
    )
    application = prepare(settings)
    shared = {
        **CREDENTIALS,
        "IPSE_DATABASE_URL": database_url,
        "IPSE_BLOB_URL": s3.url,
        "IPSE_PUBLIC_URL": public,
        "IPSE_ORDINARY_MASTER_KEY": keys["ordinary"],
        "IPSE_BIOMETRIC_MASTER_KEY": keys["biometric"],
        "IPSE_RUN_WORKER": "false",
        "IPSE_RATE_LIMITS": "false",
        "IPSE_LOG_LEVEL": "WARNING",
        # A busy machine that keeps a delivery waiting is no dead receiver: that would be tried again a minute later.
        "IPSE_WEBHOOK_TIMEOUT_S": "30",
        # One worker alone could not take everything that is waiting.
        "IPSE_WEBHOOK_CONCURRENCY": "2",
        # Scenarios need no models, and without them a process is there sooner.
        "IPSE_MODELS_DIR": str(folder / "no models"),
    }

    def member(kind: str, number: int, port: int) -> Member:
        name = f"{kind}-{number}"
        own = {"IPSE_DATA_DIR": str(folder / name)}
        if kind == "worker":
            own["IPSE_WORKER_METRICS_PORT"] = str(port)
            return Member(name, Killable(kind, shared | own, folder / f"{name}.log", f"http://127.0.0.1:{port}/"), port)
        own["IPSE_PORT"] = str(port)
        ready = f"http://127.0.0.1:{port}/system/healthcheck"
        return Member(name, Killable(kind, shared | own, folder / f"{name}.log", ready), port)

    servers = (member("serve", 1, ports[0]), member("serve", 2, ports[1]))
    workers = (member("worker", 1, ports[2]), member("worker", 2, ports[3]))
    members = (*servers, *workers)
    try:
        with running_balancer(ports[:2], ports[4]) as balancer:
            together(*(one.process.start for one in members))
            yield Installation(settings, balancer, application, servers, workers)
    finally:
        together(*(one.process.stop for one in members))


def together(*calls: Callable[[], T]) -> list[T]:
    """Make the calls at the same time; return what they return, or raise what one of them raises."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def _ports(count: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
