"""Errors as the contract spells them (contract file 00, "Error bodies"): five shapes, no machine codes.

Each class says which shape it is; the handler only serialises. Messages are plain sentences that say
what to do, because no client matches on them and people read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FORBIDDEN = "You do not have permission to perform this action."
NOT_FOUND = "Not found."


class ApiError(Exception):
    """An answer other than success. ``body`` is any JSON value."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class FieldErrors(ApiError):
    """``{field: [message, …]}``, 400: a value that fails validation."""

    def __init__(self, errors: Mapping[str, Sequence[str] | Mapping[str, Any]]) -> None:
        super().__init__(400, {k: v if isinstance(v, Mapping) else list(v) for k, v in errors.items()})


class BusinessRuleError(ApiError):
    """``{field: message}``, 400: values that are well formed but not allowed here."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(400, {field: message})


class Detail(ApiError):
    """``{"detail": message}`` with any status."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, {"detail": message}, headers)


class ProcessingError(ApiError):
    """``{"error": message}``, 400: an input that could not be processed, such as an undecodable image."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(status, {"error": message})


class BareList(ApiError):
    """``["message"]``, 400: same status, missing selectors."""

    def __init__(self, *messages: str) -> None:
        super().__init__(400, list(messages))


class NotFound(Detail):
    """404 for what does not exist *and* for what belongs to someone else: the two cannot be told apart."""

    def __init__(self, message: str = NOT_FOUND) -> None:
        super().__init__(404, message)


class Forbidden(Detail):
    """403: missing, malformed, unknown or foreign credentials."""

    def __init__(self, message: str = FORBIDDEN) -> None:
        super().__init__(403, message)


class Unauthenticated(Detail):
    """401, only where the contract says so."""

    def __init__(self, message: str = "Authentication credentials were not provided.") -> None:
        super().__init__(401, message, {"WWW-Authenticate": "Bearer"})


class TooManyRequests(Detail):
    """429 with the headers clients wait by."""

    def __init__(self, message: str, retry_after_s: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(429, message, {"Retry-After": str(max(1, retry_after_s)), **(headers or {})})


class Unavailable(Detail):
    """503 with ``Retry-After``: overload or a missing part; nothing was changed, the call may be repeated."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(503, message, {"Retry-After": str(max(1, retry_after_s))})
