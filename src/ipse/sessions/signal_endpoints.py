"""``GET /v3/signals/``, the catalogue, and ``GET /v3/session/{id}/signals/``, the values of one session. Ours."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, JsonValue

from ipse.decision.signal_catalogue import SIGNALS, PrivacyClass, SignalType
from ipse.edge.authentication import ReadScope, SessionReadScope
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.sessions import service, signals

router = make_router(tags=["Signals"], responses=documented(403, 429))


class CatalogueLine(BaseModel):
    """One signal: what it means, and where its value comes from."""

    code: str
    group: str
    type: SignalType
    range: str
    source: str
    privacy_class: PrivacyClass
    meaning: str
    field: str
    usable_in: list[str]


class Catalogue(BaseModel):
    """The signals that this version computes."""

    count: int
    signals: list[CatalogueLine]


class SessionSignals(BaseModel):
    """The values of one session. What could not be told is absent."""

    session_id: str
    count: int
    signals: dict[str, JsonValue]
    decisive: list[str]
    """Codes that a rule of the workflow read on the way to the decision, in that order."""


@router.get("/v3/signals/", response_model=Catalogue)
async def list_signals(
    scope: ReadScope,
    group: Annotated[str | None, Query(max_length=32, description="Only this group, such as `ip`.")] = None,
    privacy_class: PrivacyClass | None = None,
) -> dict[str, Any]:
    """The catalogue, by group."""
    found = [
        signal.to_json()
        for signal in SIGNALS.values()
        if group in (None, signal.group) and privacy_class in (None, signal.privacy)
    ]
    return {"count": len(found), "signals": found}


@router.get("/v3/session/{session_id}/signals/", responses=documented(404))
async def session_signals(scope: SessionReadScope, session_id: str) -> SessionSignals:
    """Every signal computed on a session so far."""
    row = await service.get(scope, session_id)
    values = await signals.stored(scope, row)
    return SessionSignals(session_id=row.id, count=len(values), signals=values, decisive=signals.decisive(row.trace))
