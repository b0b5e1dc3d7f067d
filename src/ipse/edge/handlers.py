"""From exceptions to the contract's answers; nothing here may answer 500 for bad input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ipse.biometrics.pool import Overloaded
from ipse.edge.errors import NOT_FOUND, ApiError
from ipse.runtime.live_traffic import DevelopmentKeys
from ipse.runtime.services import ModelsUnavailable
from ipse.storage.blobs import BlobStoreUnavailable
from ipse.storage.failures import Failure, failure_of

log = structlog.get_logger(__name__)

_SENTENCES = {
    "missing": "This field is required.",
    "uuid_parsing": "Must be a valid UUID.",
    "bool_parsing": "Must be a valid boolean.",
    "int_parsing": "A valid integer is required.",
    "int_from_float": "A valid integer is required.",
    "float_parsing": "A valid number is required.",
    "string_type": "Not a valid string.",
}


def install(app: FastAPI) -> None:
    """Register every handler."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Overloaded, _overloaded)
    app.add_exception_handler(ModelsUnavailable, _models_unavailable)
    app.add_exception_handler(DevelopmentKeys, _development_keys)
    for kind in (DBAPIError, PoolTimeout, BlobStoreUnavailable):
        app.add_exception_handler(kind, _storage_failed)
    app.add_exception_handler(Exception, _unexpected)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body, error.status, error.headers)


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return JSONResponse(field_errors(error.errors()), 400)


def field_errors(errors: Sequence[Any]) -> dict[str, Any]:
    """Fold pydantic's error list into ``{field: [message, …]}``, nested for nested fields."""
    folded: dict[str, Any] = {}
    for item in errors:
        location = [str(part) for part in item["loc"] if part not in {"body", "query", "path", "header", "form"}]
        if item["type"] == "json_invalid":
            return {"detail": "JSON parse error: the request body is not valid JSON."}
        if not location:
            return {"detail": "The request body must be a JSON object."}
        message = _SENTENCES.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")
        target = folded
        for part in location[:-1]:
            nested = target.setdefault(part, {})
            if not isinstance(nested, dict):
                break
            target = nested
        else:
            messages = target.setdefault(location[-1], [])
            if isinstance(messages, list) and message not in messages:
                messages.append(message)
    return folded


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = NOT_FOUND if error.status_code == 404 else error.detail
    return JSONResponse({"detail": detail}, error.status_code, error.headers)


async def _overloaded(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Overloaded)
    retry = str(max(1, round(error.retry_after_s)))
    return JSONResponse({"detail": "The service is at capacity. Please try again."}, 503, {"Retry-After": retry})


async def _models_unavailable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "60"})


async def _development_keys(_request: Request, _error: Exception) -> Response:
    detail = "This installation is not ready for live traffic: its master keys lie beside its data. Run `ipse doctor`."
    return JSONResponse({"detail": detail}, 503, {"Retry-After": "3600"})


_STORAGE_ANSWERS: Final = {
    Failure.FULL: (507, "There is no space left to store this. Nothing was decided.", "60"),
    Failure.BUSY: (503, "The database is busy. Please try again.", "1"),
    Failure.UNREACHABLE: (503, "Data cannot be stored or read at the moment. Please try again.", "5"),
}
"""Status, sentence and Retry-After. None says that nothing was changed: a connection that breaks while a commit is on
its way leaves that open, and repeating with the same key tells."""


async def _storage_failed(request: Request, error: Exception) -> Response:
    failure = failure_of(error)
    if failure is None:
        raise error
    route = getattr(request.scope.get("route"), "path", "unrouted")
    log.error("request.storage_failed", route=route, failure=failure.value, error=type(error).__name__, exc_info=error)
    status, sentence, retry = _STORAGE_ANSWERS[failure]
    return JSONResponse({"detail": sentence}, status, {"Retry-After": retry})


async def _unexpected(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "unrouted")
    log.error("request.failed", route=route, error=type(error).__name__, exc_info=error)
    return JSONResponse({"detail": "Something went wrong on our side. Nothing was changed."}, 500)
