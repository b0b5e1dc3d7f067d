"""Error answers for the OpenAPI document, one line per endpoint."""

from __future__ import annotations

from typing import Any

_ANY_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}
_DETAIL: dict[str, Any] = {
    "type": "object",
    "properties": {"detail": {"type": "string"}, "error_code": {"type": "string"}},
    "required": ["detail"],
}

_BODIES: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "The request cannot be carried out as it stands; the body names the field and what to change.",
        {"oneOf": [_ANY_OBJECT, {"type": "array", "items": {"type": "string"}}]},
    ),
    401: ("No credentials were sent.", _DETAIL),
    403: ("The credentials are missing, unknown or of another application.", _DETAIL),
    404: ("Nothing of yours has this id.", _DETAIL),
    405: ("This path does not know the method.", _DETAIL),
    409: ("Another request changed the same thing at the same moment; repeat.", _DETAIL),
    410: ("The link has expired.", _DETAIL),
    413: ("The body is larger than this endpoint takes.", _DETAIL),
    415: ("The content type is not one this endpoint reads.", _DETAIL),
    422: ("The idempotency key was used with another body.", _DETAIL),
    429: ("Too many requests; wait as long as Retry-After says.", _DETAIL),
    503: ("The service is at capacity or a needed part is missing; repeat later.", _DETAIL),
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` argument of an endpoint that may answer with ``statuses``."""
    return {
        status: {"description": _BODIES[status][0], "content": {"application/json": {"schema": _BODIES[status][1]}}}
        for status in statuses
    }
