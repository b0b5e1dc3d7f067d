"""What schemathesis must know about a running server: credentials, and ids that exist.

Loaded by ``schemathesis`` through ``SCHEMATHESIS_HOOKS``; ``IPSE_FUZZ_WORLD`` names the file the test wrote.
"""

from __future__ import annotations

import base64
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


_IMAGES = [base64.b64decode(image) for image in _WORLD["images"].values()]
_IMAGE_PARTS = ("user_image", "ref_image")


@schemathesis.serializer("application/x-ndjson")
def json_lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A list import takes lines as they are; anything else becomes one line."""
    return (value if isinstance(value, str) else json.dumps(value)).encode()


@schemathesis.auth()
class Credentials:
    """The headers of every kind of caller; each operation reads the one it knows."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> dict[str, dict[str, str]]:
        """Everything at once: what is returned here is cached across operations."""
        return {"key": _WORLD["headers"], "bearer": _WORLD["bearer"]}

    def set(
        self, case: schemathesis.Case[Any], data: dict[str, dict[str, str]], context: schemathesis.AuthContext
    ) -> None:
        case.headers = case.headers or {}  # type: ignore[assignment]
        case.headers.update(data["bearer" if _is_account(case.operation) else "key"])


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> Any:
    """Put existing ids into most paths, so that the fuzzer gets past "not found"."""
    if not path_parameters or _CHOICE.random() > _KNOWN_SHARE:
        return path_parameters
    known = dict(_WORLD["path"])
    if _is_account(context.operation):
        known |= _WORLD["account_path"]
    if context.operation is not None and context.operation.method == "delete":
        known |= _WORLD["disposable"]
    if context.operation is not None and context.operation.path.startswith("/v1/capture/"):
        known |= _WORLD["steps"]
    return {**path_parameters, **{name: known[name] for name in path_parameters if name in known}}


@schemathesis.hook
def map_query(context: schemathesis.HookContext, query: dict[str, Any] | None) -> Any:
    """Follow a signed media link as it was given in half of the calls."""
    is_media = context.operation is not None and context.operation.path.startswith("/media/")
    return {**(query or {}), **_WORLD["media_query"]} if is_media and _CHOICE.random() < 0.5 else query


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Put real faces into most uploads; random bytes are refused before anything interesting happens."""
    if not isinstance(body, dict) or _CHOICE.random() > _KNOWN_SHARE:
        return body
    changed: dict[str, Any] = {name: _CHOICE.choice(_IMAGES) for name in _IMAGE_PARTS if name in body}
    if "submission_key" in body:  # elsewhere `frames` are digests in JSON
        changed["frames"] = [_CHOICE.choice(_IMAGES)]
    for name in ("image", "portrait_image"):
        if name in body:
            changed[name] = _CHOICE.choice(list(_WORLD["images"].values()))
    return {**body, **changed}


def _is_account(operation: Any) -> bool:
    return operation is not None and operation.path.startswith("/auth/v2/organizations/")
