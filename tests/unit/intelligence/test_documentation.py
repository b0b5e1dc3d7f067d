"""docs/intelligence.md says what the tables and constants say."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

from ipse.intelligence import ip_risk
from ipse.intelligence.datasets import LEDGER, STALE_GEO_DAYS, STALE_RANGES_DAYS
from ipse.intelligence.own import LISTS

PAGE = (Path(__file__).parents[3] / "docs" / "intelligence.md").read_text("utf-8")


def test_the_page_lists_every_part_of_the_score_with_its_points() -> None:
    listed = {code: float(points) for code, points in re.findall(r"^\| `(\w+)` \| ([+-]\d+) \|", PAGE, re.MULTILINE)}
    assert listed == {code: part.points for code, part in ip_risk.PARTS.items()}
    assert f"Low below {ip_risk.MEDIUM_FROM}, medium below {ip_risk.HIGH_FROM}" in PAGE


def test_the_page_lists_every_data_set_with_the_age_at_which_it_is_stale() -> None:
    for entry in LEDGER:
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{entry.name}`")]
        assert f"{STALE_GEO_DAYS} days" in line
        assert entry.licence in line
    (line,) = [line for line in PAGE.splitlines() if line.startswith("| `iporigin`")]
    assert f"{STALE_RANGES_DAYS} days" in line


def test_the_page_lists_every_own_list() -> None:
    assert all(f"`{name}`" in PAGE for name in LISTS)


def test_the_page_counts_the_listed_operators() -> None:
    lines = (files("ipse.intelligence") / "data/operators.tsv").read_text("utf-8").splitlines()[1:]
    counts = Counter(line.split("\t")[1] for line in lines)
    assert f"{counts['hosting']} + {counts['residential']} + {counts['mobile']} listed networks" in PAGE


def test_no_operator_is_listed_twice_or_under_an_unknown_kind() -> None:
    lines = (files("ipse.intelligence") / "data/operators.tsv").read_text("utf-8").splitlines()[1:]
    numbers = [line.split("\t")[0] for line in lines]
    assert len(numbers) == len(set(numbers))
    assert {line.split("\t")[1] for line in lines} == {"hosting", "residential", "mobile"}
