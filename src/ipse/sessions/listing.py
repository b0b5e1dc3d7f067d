"""The session list and its filters (contract file 10, section 6)."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from fastapi import Query
from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import load_only

from ipse.decision.features import parse_feature
from ipse.edge.errors import BusinessRuleError, FieldErrors
from ipse.runtime import search
from ipse.runtime.scope import Scope
from ipse.storage.tables import ReportRow, SessionRow

API_SERVICES = frozenset(
    {
        "AGE_ESTIMATION",
        "AML",
        "DATABASE_VALIDATION",
        "EMAIL_VERIFICATION",
        "FACE_MATCH",
        "FACE_SEARCH",
        "ID_VERIFICATION",
        "KYB_REGISTRY",
        "PASSIVE_LIVENESS",
        "PHONE_VERIFICATION",
        "POA",
    }
)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class SessionFilters:
    """Query parameters of ``GET /v3/sessions/``. Filters on documents and countries arrive with those checks."""

    def __init__(
        self,
        session_kind: str = "user",
        status: Annotated[str | None, Query(description="Comma-separated, exact spelling.")] = None,
        vendor_data: str | None = None,
        search: Annotated[str | None, Query(max_length=256)] = None,
        workflow_id: str | None = None,
        session_type: str | None = None,
        date_from: Annotated[str | None, Query(description="Date or ISO timestamp, inclusive.")] = None,
        date_to: Annotated[str | None, Query(description="Date or ISO timestamp, inclusive.")] = None,
        warning: Annotated[str | None, Query(description="Comma-separated risk codes.")] = None,
        feature: Annotated[str | None, Query(description="Sessions that ran this feature.")] = None,
        didit_internal_id: str | None = None,
        api_service: str | None = None,
    ) -> None:
        if session_kind not in {"user", "business", "all"}:
            raise BusinessRuleError("session_kind", "Use user, business or all.")
        self.search = search
        self.conditions: list[ColumnElement[bool]] = [SessionRow.deleted_at.is_(None)]
        if session_kind == "business":
            self.conditions.append(SessionRow.session_number < 0)  # business sessions do not exist in Ipse
        if status:
            self.conditions.append(SessionRow.status.in_(_split(status)))
        if vendor_data:
            self.conditions.append(SessionRow.vendor_data == vendor_data)
        if workflow_id:
            self.conditions.append(SessionRow.workflow_id.in_(_uuids("workflow_id", workflow_id)))
        if session_type and session_type.upper() != "ALL":
            self.conditions.append(SessionRow.kind.in_([kind.upper() for kind in _split(session_type)]))
        if date_from:
            self.conditions.append(SessionRow.created_at >= _moment("date_from", date_from, end=False))
        if date_to:
            self.conditions.append(SessionRow.created_at < _moment("date_to", date_to, end=True))
        if warning:
            self.conditions.append(_has_warning(_split(warning)))
        if feature:
            self.conditions.append(_ran(feature))
        if didit_internal_id:
            self.conditions.append(SessionRow.user_id.in_(_uuids("didit_internal_id", didit_internal_id)))
        if api_service:
            names = _split(api_service)
            if not set(names) <= API_SERVICES:
                raise FieldErrors({"api_service": [f"Use one or more of {', '.join(sorted(API_SERVICES))}."]})
            self.conditions.append(SessionRow.api_service.in_(names))


_SHOWN: Final = (
    SessionRow.id,
    SessionRow.application_id,
    SessionRow.session_number,
    SessionRow.kind,
    SessionRow.status,
    SessionRow.environment,
    SessionRow.token_sealed,
    SessionRow.language,
    SessionRow.vendor_data,
    SessionRow.user_id,
    SessionRow.created_at,
)
"""What a row of the list shows. Evidence, trace and the like, most of a row, are not read."""


async def page(scope: Scope, filters: SessionFilters, limit: int, offset: int) -> tuple[list[SessionRow], int]:
    """One page, highest session number first, and the exact count."""
    query = select(SessionRow).where(SessionRow.application_id == scope.application_id, *filters.conditions)
    if filters.search:
        query = query.where(_search(scope, filters.search))
    count = await scope.tx.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    shown = query.options(load_only(*_SHOWN, raiseload=True)).order_by(SessionRow.session_number.desc())
    rows = await scope.tx.scalars(shown.limit(limit).offset(offset))
    return list(rows), count


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _uuids(field: str, text: str) -> list[str]:
    try:
        return [str(uuid.UUID(part)) for part in _split(text)]
    except ValueError:
        raise FieldErrors({field: ["Must be a valid UUID."]}) from None


def _search(scope: Scope, text: str) -> ColumnElement[bool]:
    try:
        return SessionRow.id == str(uuid.UUID(text))
    except ValueError:
        pass
    person = or_(
        SessionRow.vendor_data == text,
        search.matches(scope, SessionRow.user_id, search.Kind.VENDOR_DATA, text),
    )
    if text.isascii() and text.isdigit():
        return or_(cast(SessionRow.session_number, String).like(f"{text}%"), person)
    return person


def _moment(field: str, text: str, *, end: bool) -> datetime:
    """A date means the whole day: its first instant, or (``end``) the first one after it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.replace(" ", "+"))
        except ValueError:
            raise FieldErrors({field: ["Use a date (YYYY-MM-DD) or an ISO 8601 timestamp."]}) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        try:
            return (moment + timedelta(microseconds=1) if end else moment).astimezone(UTC)
        except OverflowError:
            return _LATEST
    start = datetime.combine(day, time.min, UTC)
    if not end:
        return start
    return start + timedelta(days=1) if start < _LATEST else _LATEST


def _has_warning(codes: list[str]) -> ColumnElement[bool]:
    """The codes are JSON text on one engine and JSONB on the other."""
    text = cast(ReportRow.warnings, String)
    hits = [text.like(f'%"{code}"%') for code in codes if code.replace("_", "").isalnum()]
    if not hits:
        return SessionRow.session_number < 0
    return SessionRow.id.in_(select(ReportRow.session_id).where(or_(*hits)))


def _ran(name: str) -> ColumnElement[bool]:
    feature = parse_feature(name)
    if feature is None:
        raise FieldErrors({"feature": [f'"{name}" is not a feature.']})
    return SessionRow.id.in_(select(ReportRow.session_id).where(ReportRow.feature == feature.value))
