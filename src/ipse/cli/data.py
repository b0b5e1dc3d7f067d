"""``ipse data``: the data files of address intelligence, and what they say about one address."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from rich.progress import DownloadColumn

from ipse.cli import output
from ipse.cli.bars import Bars
from ipse.cli.failure import EXIT_NO, EXIT_USAGE, CommandError
from ipse.intelligence import acquisition, inventory
from ipse.intelligence.acquisition import Obtained
from ipse.intelligence.datasets import Pinned
from ipse.intelligence.errors import DataUnobtainable
from ipse.intelligence.facts import NetworkFacts
from ipse.intelligence.network import NetworkIntelligence
from ipse.settings import Settings

Which = Literal["all", "required", "city"]


def show(*, as_json: bool) -> None:
    """List every data set and the operator's own files."""
    folder = Settings().intelligence_dir
    lines = inventory.take(folder, _today())
    if as_json:
        output.print_json({"folder": str(folder), "datasets": [asdict(line) for line in lines]})
        return
    output.print_table(
        ("data set", "state", "version", "date", "age", "licence", "tells"),
        [
            (
                line.name,
                line.state,
                line.version or "-",
                str(line.published or "-"),
                line.age,
                line.licence,
                line.purpose,
            )
            for line in lines
        ],
    )
    for line in lines:
        if line.problem:
            output.say(f"{line.name}: {line.problem}")
    for attribution in inventory.attributions():
        output.say(attribution)
    output.say(f"Folder: {folder}")


def pull(which: Which, from_dir: Path | None, *, as_json: bool) -> None:
    """Obtain the pinned versions; the city data may fail."""
    folder = Settings().intelligence_dir
    obtained, problems = _obtain(folder, acquisition.of_group(which), from_dir, newest=False, as_json=as_json)
    _report(folder, obtained, problems, as_json=as_json)
    required = [name for name in problems if name != "dbip-city"]
    if required:
        raise CommandError(f"Required data could not be obtained. {problems[required[0]]}")
    if problems:
        output.note(
            f"The city data could not be obtained: {problems['dbip-city']}\n"
            "Addresses have a country and an operator, but no city and no coordinates; distances are not known. "
            "Repeat `ipse data pull --which city`, or take the archive from a folder with `--from DIR`."
        )
        if which == "city":
            sys.exit(EXIT_NO)


def update(which: Which, from_dir: Path | None, *, as_json: bool) -> None:
    """Put the newest versions in force; whatever fails keeps its old version."""
    folder = Settings().intelligence_dir
    obtained, problems = _obtain(folder, acquisition.of_group(which), from_dir, newest=True, as_json=as_json)
    _report(folder, obtained, problems, as_json=as_json)
    if problems:
        sentences = " ".join(f"{name}: {reason}" for name, reason in problems.items())
        raise CommandError(f"Not everything could be updated; the old versions stay in force. {sentences}")


def look(address: str, *, as_json: bool) -> None:
    """Show what is known of one address, each fact with its source."""
    network = NetworkIntelligence.load(Settings().intelligence_dir)
    facts = network.look_up(address, on=_today())
    if facts.address is None:
        raise CommandError(f"{address!r} is not an IP address.", EXIT_USAGE)
    if as_json:
        output.print_json(_facts(facts))
        return
    rows = []
    for name, value in _facts(facts).items():
        if name in ("risk", "sources", "missing") or value is None:
            continue
        source = facts.sources.get(name)
        told = f"{source.dataset} {source.version}" if source else ""
        aged = f"{source.age_days} days{', stale' if source.is_stale else ''}" if source and source.published else ""
        rows.append((name, str(value), told, aged))
    output.print_table(("fact", "value", "source", "age"), rows)
    if facts.risk is not None:
        risk = facts.risk
        output.say(f"Risk {risk.score:g} of 100 ({risk.level.value}), confidence {risk.confidence:g}")
        for part in risk.parts:
            output.say(f"  {part.points:+g}  {part.code}: {part.meaning}")
    if facts.missing:
        output.say(f"Not installed: {', '.join(facts.missing)}. Run `ipse data pull`.")


def _obtain(
    folder: Path, wanted: tuple[Pinned, ...], from_dir: Path | None, *, newest: bool, as_json: bool
) -> tuple[list[Obtained], dict[str, str]]:
    obtained: list[Obtained] = []
    problems: dict[str, str] = {}
    with Bars(DownloadColumn(), visible=not as_json) as bars:
        for pinned in wanted:
            try:
                obtained.append(
                    acquisition.obtain(folder, pinned, from_dir=from_dir, newest=newest, progress=bars.report)
                )
            except DataUnobtainable as error:
                problems[pinned.name] = str(error)
    return obtained, problems


def _report(folder: Path, obtained: list[Obtained], problems: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {"folder": str(folder), "obtained": [asdict(one) for one in obtained], "problems": dict(problems)}
        )
    else:
        output.print_table(("data set", "version", "from"), [(one.name, one.version, one.origin) for one in obtained])


def _facts(facts: NetworkFacts) -> dict[str, object]:
    return {**asdict(facts), "connection": facts.connection.value}


def _today() -> date:
    return datetime.now(UTC).date()
