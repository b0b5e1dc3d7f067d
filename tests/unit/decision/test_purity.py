"""The decision core reaches for nothing outside itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ipse.decision

FOLDER = Path(ipse.decision.__file__).parent
ALLOWED = {
    "__future__",
    "collections",
    "csv",
    "dataclasses",
    "datetime",
    "enum",
    "graphlib",
    "hashlib",
    "importlib",
    "math",
    "rapidfuzz",
    "regex",
    "types",
    "typing",
    "unicodedata",
}
"""No clock, randomness, operating system, network or database among them."""
FORBIDDEN_CALLS = {"now", "today", "utcnow", "open", "print", "input", "eval", "exec"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_of_the_core_is_pure(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= ALLOWED
        if isinstance(node, ast.ImportFrom):
            name = node.module or ""
            assert name.startswith("ipse.decision.") or name.partition(".")[0] in ALLOWED, name
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in FORBIDDEN_CALLS, f"{path.name}:{node.lineno}"
