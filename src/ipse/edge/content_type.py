"""Refuse bodies that are not JSON with 415, where the contract asks for it."""

from __future__ import annotations

from starlette.requests import Request

from ipse.edge.errors import Detail


async def json_only(request: Request) -> None:
    """Dependency: 415 when a body is declared to be something else than JSON."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared and declared != "application/json" and not declared.endswith("+json"):
        raise Detail(415, f'Unsupported media type "{declared}" in request.')
