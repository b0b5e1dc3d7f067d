"""Python, SQLite, processor cores, disk and clock."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ipse.cli.examinations.finding import Finding, fail, ok, warn
from ipse.settings import Settings

_OLDEST_PYTHON = (3, 11)
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING
_GIB = 2**30
_DISK_WARN_BYTES, _DISK_FAIL_BYTES = 2 * _GIB, _GIB // 4
_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)


def examine(settings: Settings, *, now: datetime | None = None) -> Iterator[Finding]:
    """Look at the machine."""
    yield _python()
    if not settings.database_url or settings.database_url.startswith("sqlite"):
        yield _sqlite()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield ok("cores", f"{cores}, {settings.inference_workers or cores} of them for models")
    yield disk(settings.data_dir)
    yield clock(now or datetime.now(UTC))


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return fail("python", found, "Use Python 3.11 or newer.")
    return ok("python", found)


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        return fail("sqlite", sqlite3.sqlite_version, "Use a Python with SQLite 3.35 or newer, or PostgreSQL.")
    return ok("sqlite", sqlite3.sqlite_version)


def disk(folder: Path) -> Finding:
    """Space where the data folder is, or will be."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / _GIB:.1f} GiB free at {existing}"
    if free < _DISK_FAIL_BYTES:
        return fail("disk", found, "Free some space: a full disk stops every decision.")
    if free < _DISK_WARN_BYTES:
        return warn("disk", found, "Plan for more: a step-up with its images takes about 0.5 MB.")
    return ok("disk", found)


def clock(now: datetime) -> Finding:
    """A clock before the release date is certainly wrong; links, tokens and signatures would be refused."""
    found = now.isoformat(timespec="seconds")
    if now < _RELEASED:
        return fail("clock", found, "Set the clock and keep it synchronised (NTP).")
    return ok("clock", found)
