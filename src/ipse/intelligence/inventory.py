"""What is installed, file by file: for ``ipse data list`` and the doctor. Hashes every file, so it takes a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ipse.intelligence import origins
from ipse.intelligence.datasets import LEDGER, Dataset, State, read_manifest, state_of
from ipse.intelligence.loading import load_snapshot


@dataclass(frozen=True, slots=True)
class Line:
    """One data set or own file."""

    name: str
    purpose: str
    required: bool
    state: State
    version: str | None = None
    published: date | None = None
    age_days: int | None = None
    is_stale: bool = False
    licence: str = ""
    problem: str = ""

    @property
    def age(self) -> str:
        """The age in words."""
        if self.age_days is None:
            return "-"
        return f"{self.age_days} days{', stale' if self.is_stale else ''}"


def take(folder: Path, on: date) -> list[Line]:
    """List the data sets of the ledger, the one that comes as a package, and the operator's own files."""
    snapshot = load_snapshot(folder)
    try:
        installed = read_manifest(folder)
    except (OSError, ValueError):
        installed = {}
    lines = []
    for pinned in LEDGER:
        entry = installed.get(pinned.name)
        state = state_of(folder, entry)
        if state == "ok" and pinned.name in snapshot.missing:
            state = "broken"
        problem = "Run `ipse data pull`." if state != "ok" else ""
        required = pinned.group == "required"
        if entry is None:
            lines.append(Line(pinned.name, pinned.purpose, required, state, licence=pinned.licence, problem=problem))
        else:
            lines.append(_line(entry.dataset(), pinned.purpose, on, required=required, state=state, problem=problem))
    listed = origins.load()
    purpose = "hosting, VPN, relay and Tor ranges"
    if listed is None:
        problem = "The package iporigin is damaged; install it again."
        lines.append(Line(origins.NAME, purpose, True, "broken", problem=problem))
    else:
        lines.append(_line(listed, purpose, on, required=True, state="ok"))
    own = [layer.dataset for layer in snapshot.layers if layer.dataset.name.startswith("own/")]
    lines += [_line(dataset, "your own", on, required=False, state="ok") for dataset in own]
    lines += [
        Line(problem.name, "your own", False, "broken", problem=f"It is not used: {problem.reason}")
        for problem in snapshot.problems
        if problem.name.startswith("own/")
    ]
    return lines


def attributions() -> Iterator[str]:
    """What the licences ask to be shown, one line a data set."""
    for pinned in LEDGER:
        yield f"{pinned.name}: {pinned.attribution}, {pinned.licence}"


def _line(dataset: Dataset, purpose: str, on: date, *, required: bool, state: State, problem: str = "") -> Line:
    source = dataset.source(on)
    return Line(
        name=dataset.name,
        purpose=purpose,
        required=required,
        state=state,
        version=dataset.version,
        published=dataset.published,
        age_days=source.age_days,
        is_stale=source.is_stale,
        licence=dataset.licence,
        problem=problem,
    )
