"""Session calls of the contract (file 10)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from ipse.capture.authentication import DeviceParam
from ipse.edge.authentication import (
    CallerParam,
    ReadScope,
    SessionReadScope,
    SessionWriteScope,
    WriteScope,
    limits_of,
)
from ipse.edge.documented import documented
from ipse.edge.limits import CREATE_SESSION, SANDBOX_CREATE
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.privacy.receipts import RECEIPT_HEADER
from ipse.runtime.application import Mode
from ipse.sessions import deletion, listing, manual, repository, sandbox_arming, service, signals, view
from ipse.sessions.schemas import (
    ArmScenario,
    CreateSession,
    DeleteSessions,
    FeatureStatusUpdated,
    ScenarioArmed,
    SessionCreated,
    SessionListRow,
    ShortSession,
    StatusUpdated,
    UpdateFeatureStatus,
    UpdateStatus,
)

router = make_router(tags=["Sessions"])


@router.post("/v3/session/", status_code=201, response_model=SessionCreated, responses=documented(400, 403, 429, 503))
async def create_session(request: Request, caller: CallerParam, body: CreateSession) -> dict[str, Any]:
    """Create a session and get the link to send the person to. An unfinished one of the same person is reused."""
    await limits_of(request).hit(CREATE_SESSION, caller.application.id)
    if caller.application.mode is Mode.SANDBOX:
        await limits_of(request).hit(SANDBOX_CREATE, caller.application.id)
    return await service.create(caller, body)


@router.get("/v3/sessions/", response_model=Page[SessionListRow], responses=documented(400, 403))
async def list_sessions(
    scope: ReadScope, window: WindowParam, filters: Annotated[listing.SessionFilters, Depends()]
) -> Page[dict[str, Any]]:
    """List sessions, newest first."""
    rows, count = await listing.page(scope, filters, window.limit, window.offset)
    reports = await repository.reports_of_many(scope, [row.id for row in rows])
    return window.page([view.list_row(scope, row, reports[row.id]) for row in rows], count)


@router.post("/v3/sessions/delete/", status_code=204, responses=documented(400, 403))
async def delete_sessions(scope: WriteScope, body: DeleteSessions) -> Response:
    """Delete sessions by number, or all of the application."""
    await deletion.delete_many(scope, body.session_numbers, everything=body.delete_all)
    return Response(status_code=204)


@router.get("/v3/session/{session_id}/", response_model=ShortSession, responses=documented(403, 404))
async def get_session(scope: SessionReadScope, session_id: str) -> dict[str, Any]:
    """The session as creation answered it, with its life span."""
    row = await service.get(scope, session_id)
    return view.short(scope, row)


@router.get("/v3/session/{session_id}/decision/", response_model=None, responses=documented(403, 404, 429))
async def get_decision(
    scope: SessionReadScope,
    session_id: str,
    include: Annotated[str | None, Query(description="`events` adds the history and the trace.")] = None,
) -> dict[str, Any]:
    """The full report: every check with its score, warnings, images (links live 60 minutes) and every signal."""
    row = await service.get(scope, session_id)
    decided = await view.decision(scope, row, events=include == "events")
    return {**decided, "signals": await signals.stored(scope, row)}


@router.patch(
    "/v3/session/{session_id}/update-status/", response_model=StatusUpdated, responses=documented(400, 403, 404)
)
async def update_status(scope: SessionWriteScope, session_id: str, body: UpdateStatus) -> dict[str, Any]:
    """Approve or decline by hand, or ask the person to repeat steps (Resubmitted)."""
    row = await manual.update_status(scope, session_id, body)
    return {"session_id": row.id, "status": row.status}


@router.patch(
    "/v3/session/{session_id}/features/{node_id}/update-status/",
    response_model=FeatureStatusUpdated,
    responses=documented(400, 403, 404),
)
async def update_feature_status(
    scope: SessionWriteScope, session_id: str, node_id: str, body: UpdateFeatureStatus
) -> dict[str, Any]:
    """Correct the status of one step; fires ``data.updated``."""
    row, report = await manual.update_feature(scope, session_id, node_id, body)
    return {
        "session_id": row.id,
        "node_id": report.node_id,
        "feature_type": report.feature,
        "new_status": report.status,
    }


@router.delete("/v3/session/{session_id}/delete/", status_code=204, responses=documented(403, 404, 429))
async def delete_session(scope: SessionWriteScope, session_id: str) -> Response:
    """Delete a session with its images and templates. The header names the signed receipt."""
    receipt = await deletion.delete_one(scope, session_id)
    return Response(status_code=204, headers={RECEIPT_HEADER: receipt.id})


@router.post("/v3/session/{session_id}/sandbox/arm/", response_model=ScenarioArmed, responses=documented(400, 403, 404))
async def arm_scenario(device: DeviceParam, session_id: str, body: ArmScenario) -> dict[str, Any]:
    """Choose the outcome of a sandbox session before it starts (with the session token)."""
    return await sandbox_arming.arm(device, session_id, body.scenario)
