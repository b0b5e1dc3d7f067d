"""What commands print: plain tables for people, JSON for programs. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

STATE_STYLES = {"ok": "green", "warn": "yellow", "fail": "red", "missing": "yellow", "changed": "red"}


def print_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None) -> None:
    """Write a table without frames to stdout; cells that are states are coloured on a terminal."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell, style=STATE_STYLES.get(cell, "")) for cell in row))
    Console().print(table)


def print_finding(state: str, check: str, found: str, remedy: str) -> None:
    """Write one line of a report and, below it, what to do about it."""
    console = Console(soft_wrap=True)
    console.print(Text(f"{state:<4}", style=STATE_STYLES.get(state, "")), Text(f"{check}: {found}"))
    if remedy:
        console.print(Text(f"     -> {remedy}"))


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Write names and values in two columns to stdout."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        table.add_row(Text(name, style="dim"), Text(value, style=STATE_STYLES.get(value, "")))
    Console().print(table)


def say(sentence: str = "") -> None:
    """Write a sentence to stdout, without wrapping: people copy keys and commands from it."""
    print(sentence, flush=True)


def note(sentence: str) -> None:
    """Write a sentence to stderr, beside the result."""
    print(sentence, file=sys.stderr, flush=True)
