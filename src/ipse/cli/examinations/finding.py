"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do about it (empty when nothing)."""

    state: Literal["ok", "warn", "fail"]
    check: str
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding("ok", check, found)


def warn(check: str, found: str, remedy: str) -> Finding:
    """Works, with a consequence somebody should know."""
    return Finding("warn", check, found, remedy)


def fail(check: str, found: str, remedy: str) -> Finding:
    """Does not work."""
    return Finding("fail", check, found, remedy)
