"""What schemathesis must know about a running server: credentials, and ids that exist.

Loaded by ``schemathesis`` through ``SCHEMATHESIS_HOOKS``; ``IPSE_FUZZ_WORLD`` names the file the test wrote.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import schemathesis

_WORLD: dict[str, Any] = json.loads(Path(os.environ["IPSE_FUZZ_WORLD"]).read_text())
_CHOICE = random.Random(1)
_KNOWN_SHARE = 0.7
"""Share of the calls in which an id of the path is one that exists."""


@schemathesis.auth()
class Credentials:
    """The headers of every kind of caller; each operation reads the one it knows."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> dict[str, str]:
        headers: dict[str, str] = _WORLD["headers"]
        return headers

    def set(self, case: schemathesis.Case[Any], data: dict[str, str], context: schemathesis.AuthContext) -> None:
        case.headers = case.headers or {}  # type: ignore[assignment]
        case.headers.update(data)


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> Any:
    """Put existing ids into most paths, so that the fuzzer gets past "not found"."""
    if not path_parameters:
        return path_parameters
    known = {name: _WORLD["path"][name] for name in path_parameters if name in _WORLD["path"]}
    return {**path_parameters, **known} if known and _CHOICE.random() < _KNOWN_SHARE else path_parameters
