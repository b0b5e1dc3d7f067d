"""``Idempotency-Key``: the first answer is stored with its effects for 24 hours and repeated to retries.

The request body is never kept, only its SHA-256; answers are sealed with the ordinary key ring, and what they speak of
is noted as an id or a digest, so that they go with the session or the person. Errors are not stored: a corrected or
repeated request may succeed.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from starlette.requests import Request
from starlette.responses import Response

from ipse.edge.errors import ApiError, FieldErrors
from ipse.edge.unit import unit_of
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import IdempotencyRow

LIFETIME = timedelta(hours=24)
_MAX_KEY = 255
_METHODS = frozenset({"POST", "PATCH", "DELETE", "PUT"})


class Replay(Exception):
    """Carries the stored answer out of the request."""

    def __init__(self, response: Response) -> None:
        self.response = response


async def prepare(request: Request) -> None:
    """Read key and body before the endpoint does, so that both can be compared with an earlier request."""
    key = request.headers.get("idempotency-key")
    request.state.idempotency = None
    if key is None or request.method not in _METHODS:
        return
    if not 0 < len(key) <= _MAX_KEY or not key.isprintable():
        raise FieldErrors({"Idempotency-Key": [f"Use 1 to {_MAX_KEY} printable characters."]})
    address = f"{request.url.path}?{request.url.query}\n".encode()
    request.state.idempotency = (key, hashlib.sha256(address + await request.body()).hexdigest())


async def recall(request: Request, application_id: str, tx: Transaction) -> None:
    """Called once the caller is known: raise :class:`Replay` when this request was already answered."""
    request.state.idempotency_scope = application_id
    pending = getattr(request.state, "idempotency", None)
    if pending is None:
        return
    key, digest = pending
    unit = unit_of(request)
    row = await tx.get(IdempotencyRow, (application_id, _route(request, application_id), key))
    if row is None or row.created_at + LIFETIME <= unit.services.clock.now():
        return
    if row.fingerprint != digest:
        raise ApiError(
            422, {"detail": "This Idempotency-Key was used with another body.", "error_code": "IDEMPOTENCY_KEY_REUSED"}
        )
    body = unit.services.ordinary_ring.open(row.body_sealed, context=_context(application_id, key))
    headers = {"Idempotency-Replayed": "true"}
    raise Replay(Response(body, row.status_code, headers, media_type=row.content_type or None))


async def remember(request: Request, response: Response) -> None:
    """Store the answer in the request's own transaction."""
    pending = getattr(request.state, "idempotency", None)
    application_id = getattr(request.state, "idempotency_scope", None)
    if pending is None or application_id is None or response.status_code >= 400:
        return
    key, digest = pending
    unit = unit_of(request)
    await unit.finish_reading()
    tx = await unit.begin(write=True)
    now = unit.services.clock.now()
    route = _route(request, application_id)
    spoken_of = _subjects(request, bytes(response.body))
    person = spoken_of.get("vendor_data")
    await tx.execute(  # an outdated record of the same key that the schedule has not removed yet
        delete(IdempotencyRow).where(
            IdempotencyRow.application_id == application_id,
            IdempotencyRow.route == route,
            IdempotencyRow.key == key,
            IdempotencyRow.created_at <= now - LIFETIME,
        )
    )
    tx.add(
        IdempotencyRow(
            application_id=application_id,
            route=route,
            key=key,
            fingerprint=digest,
            status_code=response.status_code,
            body_sealed=unit.services.ordinary_ring.seal(bytes(response.body), context=_context(application_id, key)),
            content_type=response.headers.get("content-type", ""),
            session_id=_session_id(spoken_of.get("session_id")),
            subject_tag=None if person is None else unit.services.lookup.tag("subject", application_id, person),
            created_at=now,
        )
    )


async def forget_old(services: Services) -> None:
    """Delete what has passed its 24 hours; a scheduled task."""
    async with services.database.writing() as tx:
        await tx.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at <= services.clock.now() - LIFETIME))


def _route(request: Request, application_id: str) -> str:
    """A digest of method and path: a path may name a person."""
    return unit_of(request).services.lookup.tag("route", application_id, request.method, request.url.path)


def _subjects(request: Request, body: bytes) -> Mapping[str, str]:
    """The session and the person that an answer speaks of: as it says itself, else as the path says."""
    if request.method == "DELETE":
        return {}  # what the answer speaks of is gone, and a replay says no more than that
    named: dict[str, Any] = dict(request.path_params)
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        named |= {name: answer[name] for name in ("session_id", "vendor_data") if answer.get(name)}
    return {name: value for name, value in named.items() if isinstance(value, str)}


def _session_id(text: str | None) -> str | None:
    try:
        return None if text is None else str(uuid.UUID(text))
    except ValueError:
        return None


def _context(application_id: str, key: str) -> bytes:
    return f"idempotency|{application_id}|{key}".encode()
