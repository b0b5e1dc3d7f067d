"""docs/security/promises.md: every promise is kept by a test that exists, and no promise is without one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "security" / "promises.md"

_ROW = re.compile(r"^\| (?P<id>[A-Z]\d+\.\d+) \| (?P<promise>[^|]+) \| (?P<tests>[^|]+) \|$", re.M)
_TEST = re.compile(r"\[`(?P<name>test_\w+)`\]\(\.\./\.\./(?P<path>(?:tests|web)/[\w./-]+)\)")


@dataclass(frozen=True)
class Promise:
    """One row of the list."""

    id: str
    text: str
    tests: tuple[tuple[str, str], ...]
    """(path, name of the test)."""


def promises() -> Iterator[Promise]:
    for row in _ROW.finditer(LIST.read_text()):
        tests = tuple((found["path"], found["name"]) for found in _TEST.finditer(row["tests"]))
        yield Promise(row["id"], row["promise"].strip(), tests)


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_"))


@pytest.mark.parametrize("promise", list(promises()), ids=lambda promise: promise.id)
def test_promise_is_kept_by_tests_that_exist(promise: Promise) -> None:
    assert promise.tests, f"{promise.id} has no test: {promise.text}"
    for path, name in promise.tests:
        assert (ROOT / path).is_file(), f"{promise.id}: {path} does not exist"
        assert name in names_in(path), f"{promise.id}: there is no {name} in {path}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "security").glob("*.md")), ids=lambda page: page.name)
def test_page_names_no_test_that_does_not_exist(page: Path) -> None:
    for found in _TEST.finditer(page.read_text()):
        assert found["name"] in names_in(found["path"]), found[0]


def test_promises_that_other_pages_name_exist() -> None:
    known = {promise.id for promise in promises()}
    for page in (ROOT / "docs" / "security").glob("*.md"):
        assert set(re.findall(r"\bT\d\.\d+\b", page.read_text())) <= known, page.name


def test_no_row_of_the_list_is_overlooked_or_doubled() -> None:
    rows = [line for line in LIST.read_text().splitlines() if re.match(r"\| [A-Z]\d", line)]
    found = [promise.id for promise in promises()]
    assert len(found) == len(rows), "a row is malformed"
    assert len(set(found)) == len(found), "an id is used twice"


def test_promises_of_every_part_are_there_and_numbered_without_gaps() -> None:
    numbers: dict[str, list[int]] = {}
    for promise in promises():
        part, _, number = promise.id.partition(".")
        numbers.setdefault(part, []).append(int(number))
    assert set(numbers) == {f"T{line}" for line in range(1, 9)}
    for part, given in numbers.items():
        assert given == list(range(1, len(given) + 1)), part
