"""The data files of address intelligence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from ipse.cli.examinations.finding import Finding, fail, ok, warn
from ipse.intelligence import inventory
from ipse.intelligence.inventory import Line
from ipse.settings import Settings


def examine(settings: Settings, *, on: date | None = None) -> Iterator[Finding]:
    """One line for each data set and each file of one's own: there, whole, and how old."""
    for line in inventory.take(settings.intelligence_dir, on or datetime.now(UTC).date()):
        yield _finding(line)


def _finding(line: Line) -> Finding:
    check = f"data {line.name}"
    if line.state != "ok":
        consequence = f"{line.state}; nobody knows the {line.purpose}" if line.name[:4] != "own/" else line.state
        if line.required:
            return fail(check, consequence, line.problem)
        remedy = line.problem if line.name.startswith("own/") else "Run `ipse data pull --which city`."
        return warn(check, consequence, remedy)
    found = f"{line.version}, {line.published}, {line.age}"
    if line.is_stale:
        remedy = {"iporigin": "Upgrade the package iporigin."}.get(line.name, "Run `ipse data update`.")
        own = "Replace the file; half of its weight is taken off until then."
        return warn(check, found, own if line.name.startswith("own/") else remedy)
    return ok(check, found)
