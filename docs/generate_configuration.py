"""Write docs/configuration.md from the settings. ``make docs`` runs it; a test fails when the page is out of date."""

from __future__ import annotations

import json
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ipse.settings import Settings

PAGE = Path(__file__).with_name("configuration.md")

_HEAD = """# Configuration

Every option is an environment variable with the prefix `IPSE_`. This page is generated from `src/ipse/settings.py`
(`make docs`); change the descriptions there. `ipse doctor` says what is wrong with the values that are set, and
names variables that nothing reads. A bad value stops the start with one sentence.

| Variable | Kind | Default | What it does, and what can go wrong |
|---|---|---|---|
"""

_TAIL = """
Secrets (`…_MASTER_KEY`, `…_URL` with passwords) belong into the environment of the process or a secret store, not into
files of the repository. Applications have settings of their own (mode, reference policy, private webhooks); they are
changed through the API: `PATCH /auth/v2/organizations/me/{organization}/applications/{application}/`.
"""


_CACHED = {"models_dir": "models", "intelligence_dir": "intelligence"}
"""Folders whose default depends on who reads this."""


def page() -> str:
    """The whole page."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`IPSE_{name.upper()}`", _kind(field.annotation), _default(name, field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is UnionType:
        return _kind(next(one for one in get_args(annotation) if one is not NoneType))
    if get_origin(annotation) is tuple:
        return "JSON list"
    names = {SecretStr: "secret", str: "text", int: "number", float: "number", bool: "true/false", Path: "folder"}
    return names.get(annotation, str(annotation))


def _default(name: str, field: FieldInfo) -> str:
    if name in _CACHED:
        return f"`{_CACHED[name]}` in the user's cache folder"
    default = field.default
    if default is None or default == "" or default == ():
        return "unset"
    return f"`{json.dumps(default) if isinstance(default, bool | tuple) else default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
