"""How an operator's customers are connected: a list of well-known networks, and words in an operator's name.

Both are rules of ours, not data: ``data/operators.tsv`` names networks by number, ``data/operator_words.tsv`` words.
Home lines are claimed only for networks on the list or for names that say so; anything else stays unknown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from ipse.intelligence.datasets import Dataset
from ipse.intelligence.facts import Connection

_WRITTEN: Final = date(2026, 11, 22)
LIST: Final = Dataset("ipse-operators", "1", _WRITTEN)
WORDS: Final = Dataset("ipse-operator-words", "1", _WRITTEN)


@lru_cache(16384)
def connection_of(asn: int | None, operator: str | None) -> tuple[Connection, Dataset] | None:
    """Return the connection of an operator's customers and the rule table that says so; None where none does."""
    listed = _listed().get(asn) if asn is not None else None
    if listed is not None:
        return listed, LIST
    for pattern, connection in _words():
        if operator and pattern.search(operator):
            return connection, WORDS
    return None


@cache
def _listed() -> Mapping[int, Connection]:
    return {int(row["asn"]): Connection(row["connection"]) for row in _rows("operators.tsv")}


@cache
def _words() -> tuple[tuple[re.Pattern[str], Connection], ...]:
    """One pattern for each kind, in the order of the file: the first that is found counts."""
    words: dict[Connection, list[str]] = {}
    for row in _rows("operator_words.tsv"):
        words.setdefault(Connection(row["connection"]), []).append(re.escape(row["word"]).replace(r"\*", r"\w*"))
    return tuple(
        (re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", re.IGNORECASE), connection)
        for connection, found in words.items()
    )


def _rows(name: str) -> list[dict[str, str]]:
    lines = (files("ipse.intelligence") / "data" / name).read_text("utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t"))
