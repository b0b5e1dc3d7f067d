"""A request whose contents are fit to be stored: no NUL, no lone surrogates, no NaN, no bottomless nesting.

PostgreSQL cannot store NUL in text, UTF-8 cannot carry lone surrogates, and canonical JSON has no NaN.
Such input is refused here once, so that no endpoint has to think of it.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import AsyncGenerator, Iterator
from typing import Any, NoReturn

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

from ipse.edge.body_budget import BodyBudget
from ipse.edge.errors import Detail
from ipse.edge.unit import services_of

# Uploads are faces: they stay in memory and never reach a temporary file. `stream` limits the size of a body.
MultiPartParser.spool_max_size = sys.maxsize

MAX_DEPTH = 64
"""Deepest nesting of a JSON body; the deepest documented one is 8."""


class StrictRequest(Request):
    """The request every endpoint sees."""

    _held = 0

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body.

        413 as soon as it is declared, or turns out, larger than ``Settings.max_body_bytes``; 503 when the process holds
        too many bodies already; 408 when it does not arrive within ``Settings.body_timeout_s``.
        """
        settings = services_of(self).settings
        declared = self.headers.get("content-length", "")
        expected = int(declared) if declared.isdigit() else 0
        if expected > settings.max_body_bytes:
            raise _too_large(settings.max_body_bytes)
        self._hold(expected)
        received = 0
        chunks = super().stream()
        deadline = asyncio.get_running_loop().time() + settings.body_timeout_s
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise HTTPException(408, "The body did not arrive in time.", {"Connection": "close"}) from None
            if chunk is None:
                return
            received += len(chunk)
            if received > settings.max_body_bytes:
                raise _too_large(settings.max_body_bytes)
            self._hold(received)
            yield chunk

    def _hold(self, size: int) -> None:
        """Have at least ``size`` bytes of the process' budget."""
        if size > self._held:
            budget_of(self).take(size - self._held)
            self._held = size

    def let_go(self) -> None:
        """Give the bytes of the body back to the budget; called when the request is over."""
        if self._held:
            budget_of(self).give_back(self._held)
            self._held = 0

    async def json(self) -> Any:
        """Parse the body once; 400 when it is not JSON or cannot be stored."""
        if not hasattr(self, "_json"):
            body = await self.body()
            self._json = parse_json(body)
        return self._json

    async def _get_form(self, **options: Any) -> FormData:
        form = await super()._get_form(**options)
        for name, value in form.multi_items():
            require_storable(name)
            if isinstance(value, str):
                require_storable(value)
        return form


def budget_of(request: Request) -> BodyBudget:
    """The process' budget for bodies."""
    budget = request.app.state.bodies
    assert isinstance(budget, BodyBudget)
    return budget


def _too_large(limit: int) -> HTTPException:
    """FastAPI turns any other exception that is raised while it reads a body into a 400."""
    return HTTPException(413, f"The body is larger than {limit // 2**20} MB.")


def parse_json(body: bytes) -> Any:
    """Parse JSON text; raise 400 for what is malformed or cannot be stored."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Detail(400, "JSON parse error: the request body is not valid JSON.") from error
    for text in _texts(value, 0):
        require_storable(text)
    return value


def require_storable(text: str) -> None:
    """Raise 400 when a text holds NUL characters or half a surrogate pair."""
    if "\x00" in text or not (text.isascii() or _has_utf8(text)):
        raise Detail(400, "The request contains text that cannot be stored: NUL characters or unpaired surrogates.")


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # 1e400 is JSON, but no database and no canonical JSON can hold it
        raise ValueError(f"{text} is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _texts(value: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise Detail(400, f"The request body is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item, depth + 1)
