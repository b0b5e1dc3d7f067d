"""Pages that a program writes can be held to the program: docs/configuration.md and docs/signals.md."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ipse.settings import Settings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def _generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["configuration", "signals"])
def test_a_generated_page_is_current(page: str) -> None:
    assert (DOCS / f"{page}.md").read_text("utf-8") == _generator(f"generate_{page}").page(), "run `make docs`"


def test_every_option_says_what_it_does() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if len(field.description or "") < 15]
    assert undescribed == []


def test_every_option_is_read_somewhere() -> None:
    source = DOCS.parent / "src" / "ipse"
    texts = [path.read_text("utf-8") for path in source.rglob("*.py") if path.name != "settings.py"]
    texts += [line for line in (source / "settings.py").read_text("utf-8").splitlines() if "self." in line]
    unread = [name for name in Settings.model_fields if not any(f".{name}" in text for text in texts)]
    assert unread == []
