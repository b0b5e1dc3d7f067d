"""How a session looks from outside: decision, list row, creation answer. Reads only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ipse.decision.features import NAMES, PERSON_ARRAYS, Feature, event_name, report_name
from ipse.decision.reports import Report
from ipse.media import service as media
from ipse.runtime.scope import SYSTEM, Scope
from ipse.sessions import repository
from ipse.sessions.items import item_of, singular_extras
from ipse.sessions.links import session_url
from ipse.storage.tables import ReportRow, ReviewRow, SessionRow

_INTERNAL: Final = frozenset({"device_reports", "decision_input"})
"""Entries of a session's evidence that are not for answers: what devices sent, and the input for replay."""


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``, as lists and decisions spell it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def created(scope: Scope, row: SessionRow, token: str) -> dict[str, Any]:
    """The answer of session creation."""
    url = session_url(scope.services.settings, token, row.language)
    return {
        "session_id": row.id,
        "session_number": row.session_number,
        "session_token": token,
        "url": url,
        "session_url": url,
        "vendor_data": row.vendor_data,
        "metadata": row.session_metadata,
        "status": row.status,
        "callback": row.callback,
        "workflow_id": row.workflow_id,
        "workflow_version": row.workflow_version,
        "action_hash": row.action_hash,
    }


def short(scope: Scope, row: SessionRow) -> dict[str, Any]:
    """``GET /v3/session/{id}/``. A saved standalone call has no link: its token and URL are empty."""
    return created(scope, row, open_token(scope, row) or "") | {
        "callback_method": row.callback_method,
        "environment": row.environment,
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
    }


def hosted_url(scope: Scope, row: SessionRow) -> str | None:
    """The link of the hosted page, or None for saved standalone calls."""
    token = open_token(scope, row)
    return None if token is None else session_url(scope.services.settings, token, row.language)


def open_token(scope: Scope, row: SessionRow) -> str | None:
    """Unseal the session token."""
    if row.token_sealed is None:
        return None
    return scope.services.ordinary_ring.open(row.token_sealed, context=token_context(row.id)).decode()


def token_context(session_id: str) -> bytes:
    """Associated data that ties a sealed token to its session."""
    return f"session-token|{session_id}".encode()


async def decision(scope: Scope, row: SessionRow, *, events: bool = False) -> dict[str, Any]:
    """The decision object (contract 10 section 7): all arrays present, plus the singular extras."""
    rows = await repository.reports_of(scope, row.id)
    reviews = await repository.reviews_of(scope, row.id)
    return _decision(scope, row, rows, reviews, events=events)


def _decision(
    scope: Scope, row: SessionRow, rows: list[ReportRow] | Any, reviews: Any, *, events: bool
) -> dict[str, Any]:
    reports = [Report.from_json(report.report) for report in rows]

    def link(media_id: str) -> str:
        return media.link(scope.services, scope.application_id, media_id)

    arrays: dict[str, list[dict[str, Any]]] = {name: [] for name in PERSON_ARRAYS}
    for report in reports:
        arrays.setdefault(NAMES[report.feature].array, []).append(item_of(report, link))
    body: dict[str, Any] = {
        "session_id": row.id,
        "session_kind": "user",
        "session_number": row.session_number,
        "session_url": hosted_url(scope, row),
        "status": row.status,
        "environment": row.environment,
        "workflow_id": row.workflow_id,
        "features": list(dict.fromkeys(report_name(report.feature) for report in reports)),
        "vendor_data": row.vendor_data,
        "metadata": row.session_metadata,
        "action": row.action,
        "action_hash": row.action_hash,
        "expected_details": row.expected_details,
        "contact_details": row.contact_details,
        "callback": row.callback,
        **arrays,
        "reviews": [
            review_summary(review)
            for review in reviews
            if review.new_status is not None and review.actor_type != SYSTEM.kind
        ],
        "status_override": row.status_override,
        "experiments": row.experiments,
        "evidence": {name: value for name, value in row.evidence.items() if name not in _INTERNAL},
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
        **singular_extras(reports, arrays),
    }
    if events:
        body |= _event_extras(scope, row, reports, reviews)
        del body["session_kind"]
    return body


def _event_extras(scope: Scope, row: SessionRow, reports: list[Report], reviews: Any) -> dict[str, Any]:
    """What ``?include=events`` adds (contract 10 section 7)."""
    steps = [
        {
            "type": "STATUS_UPDATED",
            "status": review.new_status,
            "previous_status": review.previous_status,
            "actor": review.actor_display,
            "created_at": timestamp(review.created_at),
        }
        for review in reviews
        if review.activity_type == "STATUS_UPDATED"
    ]
    return {
        "features": [{"feature": event_name(report.feature), "node_id": report.node_id} for report in reports],
        "events": steps,
        "trace": row.trace,
        "activity_reviews": [review_summary(review) for review in reviews],
        "blocklisted": {},
        "cost_breakdown": None,
        "workflow_type": None,
        "workflow_version": row.workflow_version,
        "workflow_version_id": row.workflow_version_id,
        "api_service": row.api_service,
        "session_type": row.kind,
        "has_device_nfc_support": None,
    }


def review_summary(review: ReviewRow) -> dict[str, Any]:
    """One entry of the decision's ``reviews``."""
    return {
        "user": review.actor_display,
        "new_status": review.new_status,
        "comment": review.comment or "",
        "created_at": timestamp(review.created_at),
    }


def list_row(scope: Scope, row: SessionRow, rows: list[ReportRow]) -> dict[str, Any]:
    """One row of the session list (contract 10 section 6)."""
    reports = [Report.from_json(report.report) for report in rows]
    details: dict[str, Any] = {}
    portrait = None
    for report in reports:

        def link(media_id: str) -> str:
            return media.link(scope.services, scope.application_id, media_id)

        item = item_of(report, link)
        if report.feature is Feature.LIVENESS:
            details.setdefault("liveness", {"method": item["method"], "score": item["score"]})
            portrait = portrait or item["reference_image"]
        elif report.feature is Feature.FACE_MATCH:
            keys = ("score", "source_image", "target_image")
            details.setdefault("face_match", {key: item[key] for key in keys})
    return {
        "session_id": row.id,
        "session_kind": "user",
        "session_number": row.session_number,
        "session_url": hosted_url(scope, row),
        "portrait_image": portrait,
        "document_type": None,
        "full_name": None,
        "country": None,
        "status": row.status,
        "vendor_data": row.vendor_data,
        "didit_internal_id": row.user_id,
        "created_at": timestamp(row.created_at),
        "environment": row.environment,
        "features": [{"feature": report_name(r.feature), "status": r.status.value} for r in reports],
        "phone_number": None,
        "email_address": None,
        "additional_details": details or None,
    }
