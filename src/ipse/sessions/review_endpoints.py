"""The audit trail of a session (contract file 10, section 10)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from ipse.audit.service import record
from ipse.decision.statuses import SessionStatus
from ipse.edge.authentication import ReadScope, WriteScope
from ipse.edge.documented import documented
from ipse.edge.errors import FieldErrors
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.sessions import repository, service
from ipse.sessions.errors import InvalidStatus
from ipse.sessions.schemas import NewReview, Review
from ipse.sessions.view import timestamp
from ipse.storage.tables import ReviewRow

router = make_router(tags=["Reviews"])


@router.get("/v3/sessions/{session_id}/reviews/", response_model=Page[Review], responses=documented(400, 403, 404))
async def list_reviews(
    scope: ReadScope,
    session_id: str,
    window: WindowParam,
    ordering: Annotated[str, Query(pattern="^-?created_at$")] = "-created_at",
) -> Page[dict[str, Any]]:
    """Everything that happened to a session, newest first."""
    row = await service.get(scope, session_id)
    entries = [_shown(entry) for entry in await repository.reviews_of(scope, row.id)]
    if ordering.startswith("-"):
        entries.reverse()
    return window.page(entries[window.offset : window.offset + window.limit], len(entries))


@router.post(
    "/v3/sessions/{session_id}/reviews/", status_code=201, response_model=Review, responses=documented(400, 403, 404)
)
async def add_review(scope: WriteScope, session_id: str, body: NewReview) -> dict[str, Any]:
    """Write a note. It never changes the status; use update-status for that."""
    if not body.comment and not body.new_status:
        raise FieldErrors({"comment": ["Send a comment, a new_status, or both."]})
    if body.new_status and body.new_status not in set(SessionStatus):
        raise InvalidStatus(body.new_status)
    row = await service.get(scope, session_id, lock=True)
    activity = "STATUS_UPDATED" if body.new_status else "COMMENT"
    entry = await repository.add_review(scope, row.id, activity, new_status=body.new_status, comment=body.comment)
    await record(scope, "session.noted", object_type="session", object_id=row.id, vendor_data=row.vendor_data)
    return _shown(entry)


def _shown(entry: ReviewRow) -> dict[str, Any]:
    changes = entry.changes
    return {
        "uuid": entry.id,
        "user": entry.actor_display,
        "activity_type": entry.activity_type,
        "actor_display": entry.actor_display,
        "actor_email": entry.actor_email,
        "actor_type": entry.actor_type,
        "new_status": entry.new_status,
        "previous_status": entry.previous_status,
        "comment": entry.comment,
        "mentioned_emails": [],
        "previous_value": {changes["field"]: changes["previous"]} if "field" in changes else None,
        "new_value": {changes["field"]: changes["current"]} if "field" in changes else None,
        "changed_fields": [changes["field"]] if "field" in changes else [],
        "metadata": None,
        "created_at": timestamp(entry.created_at),
    }
