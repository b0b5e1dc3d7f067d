"""The OpenAPI document: the generated one, with the common answers that every operation shares."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ipse.edge.documented import documented

_PARAMETER = re.compile(r"\{([^}:]+)[^}]*\}")
_SHARED = documented(400, 401, 403, 404, 405, 409, 413, 422, 429, 503)


def install(app: FastAPI) -> None:
    """Replace the application's generator."""

    def generate() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = generate  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI documents its own 422; ours speaks the contract's 400, so the default one is replaced."""
    for template, path in document["paths"].items():
        for operation in path.values():
            _declare_path_parameters(template, operation)
            responses = operation["responses"]
            responses.pop("422", None)
            for status, answer in _SHARED.items():
                responses.setdefault(str(status), answer)
    schemas = document.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return document


def _declare_path_parameters(template: str, operation: dict[str, Any]) -> None:
    """Name the parts of the path that authentication reads and the endpoint does not, such as the organisation."""
    declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
    missing = [name for name in _PARAMETER.findall(template) if name not in declared]
    if missing:
        operation.setdefault("parameters", []).extend(
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in missing
        )
