"""What becomes of the rows of every table when a session, a person or an application is erased (decision 0020).

One declaration for each table, and one loop over them (``ipse.privacy.erasure``): a table that is not declared here
fails a test, so that nobody adds one whose rows outlive the people they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select

from ipse.storage.tables import (
    AccessTokenRow,
    AccountRow,
    ApiKeyRow,
    ApplicationRow,
    AttemptRow,
    AuditCheckpointRow,
    AuditEntryRow,
    Base,
    BrandingImageRow,
    BrandingRow,
    CaptureRow,
    ChallengeRow,
    CounterRow,
    DeliveryRow,
    DestinationRow,
    DeviceRow,
    ErasureReceiptRow,
    EvaluationRow,
    EventRow,
    FaceRow,
    FaceSpaceRow,
    HandoffRow,
    IdempotencyRow,
    KeysetRow,
    LeaseRow,
    ListEntryRow,
    ListRow,
    LockRow,
    MediaRow,
    OrganizationRow,
    PolicyRow,
    PolicyVersionRow,
    ReportRow,
    RetentionRunRow,
    ReviewRow,
    SearchTermRow,
    SessionRow,
    SessionSignalsRow,
    SightingRow,
    SigningKeyRow,
    TemplateSpaceRow,
    UserDeviceRow,
    UserRow,
    VerdictRow,
    WorkflowContentRow,
    WorkflowRow,
    WorkflowVersionRow,
)

Condition = ColumnElement[bool]


class Ends(StrEnum):
    """With what the rows of a table end."""

    SESSION = "session"
    USER = "user"
    APPLICATION = "application"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Extent:
    """What is being erased: some sessions, or a person, or both. Empty parts match nothing."""

    application_id: str
    session_ids: Sequence[str] = ()
    persons: Sequence[str] = ()
    """``vendor_data`` of those sessions: narrows look-ups that have no index by session."""
    evaluation_ids: Sequence[str] = ()
    device_ids: Sequence[str] = ()
    """Devices seen there; one that nobody else uses goes, too."""
    event_ids: Sequence[str] = ()
    """Events about the person that belong to no session; found by opening them."""
    user_id: str | None = None
    vendor_data: str | None = None
    subject_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """One table: with what its rows end, why, and how to find them.

    ``of_extent`` and ``of_application`` return None where the table holds nothing of the kind.
    """

    ends: Ends
    why: str
    of_extent: Callable[[Extent], Condition | None] = lambda extent: None
    of_application: Callable[[str], Condition | None] = lambda application_id: None


def holdings() -> Mapping[type[Base], Holding]:
    """Every table that is declared."""
    return _HOLDINGS


def _owned(table: Any) -> Callable[[str], Condition | None]:
    return lambda application_id: table.application_id == application_id


def _part_of_session(table: Any, why: str) -> Holding:
    def of_extent(extent: Extent) -> Condition | None:
        return table.session_id.in_(extent.session_ids) if extent.session_ids else None

    def of_application(application_id: str) -> Condition:
        mine = select(SessionRow.id).where(SessionRow.application_id == application_id)
        condition: Condition = table.session_id.in_(mine)
        return condition

    return Holding(Ends.SESSION, why, of_extent, of_application)


def _part_of_application(table: Any, why: str) -> Holding:
    return Holding(Ends.APPLICATION, why, of_application=_owned(table))


def _any(*conditions: Condition | None) -> Condition | None:
    given = [condition for condition in conditions if condition is not None]
    return or_(*given) if given else None


def _faces(extent: Extent) -> Condition | None:
    parts = _any(
        FaceRow.session_id.in_(extent.session_ids) if extent.session_ids else None,
        FaceRow.user_id == extent.user_id if extent.user_id is not None else None,
        FaceRow.vendor_data == extent.vendor_data if extent.vendor_data is not None else None,
    )
    return None if parts is None else and_(FaceRow.application_id == extent.application_id, parts)


def _evaluations(extent: Extent) -> Condition | None:
    person = (
        and_(EvaluationRow.application_id == extent.application_id, EvaluationRow.vendor_data == extent.vendor_data)
        if extent.vendor_data is not None
        else None
    )
    return _any(EvaluationRow.session_id.in_(extent.session_ids) if extent.session_ids else None, person)


def _sightings(extent: Extent) -> Condition | None:
    mine = SightingRow.application_id == extent.application_id
    return _any(
        SightingRow.session_id.in_(extent.session_ids) if extent.session_ids else None,
        and_(mine, SightingRow.vendor_data == extent.vendor_data) if extent.vendor_data is not None else None,
        and_(mine, SightingRow.vendor_data.in_(extent.persons), SightingRow.evaluation_id.in_(extent.evaluation_ids))
        if extent.persons and extent.evaluation_ids
        else None,
    )


def _events(extent: Extent) -> Condition | None:
    parts = _any(
        EventRow.session_id.in_(extent.session_ids) if extent.session_ids else None,
        EventRow.id.in_(extent.event_ids) if extent.event_ids else None,
    )
    return None if parts is None else and_(EventRow.application_id == extent.application_id, parts)


def _deliveries(extent: Extent) -> Condition | None:
    events = _events(extent)
    return None if events is None else DeliveryRow.event_id.in_(select(EventRow.id).where(events))


def _answers(extent: Extent) -> Condition | None:
    parts = _any(
        IdempotencyRow.session_id.in_(extent.session_ids) if extent.session_ids else None,
        IdempotencyRow.subject_tag == extent.subject_tag if extent.subject_tag is not None else None,
    )
    return None if parts is None else and_(IdempotencyRow.application_id == extent.application_id, parts)


def _devices(extent: Extent) -> Condition | None:
    if not extent.device_ids:
        return None
    mine = SightingRow.application_id == extent.application_id
    return and_(
        DeviceRow.application_id == extent.application_id,
        DeviceRow.id.in_(extent.device_ids),
        ~exists().where(mine, SightingRow.device_id == DeviceRow.id),
        ~exists().where(UserDeviceRow.device_id == DeviceRow.id),
    )


def _of_subject(table: Any) -> Callable[[Extent], Condition | None]:
    def of_extent(extent: Extent) -> Condition | None:
        if extent.subject_tag is None:
            return None
        return and_(table.application_id == extent.application_id, table.subject_tag == extent.subject_tag)

    return of_extent


def _in(column: Any, field: str) -> Callable[[Extent], Condition | None]:
    def of_extent(extent: Extent) -> Condition | None:
        values = getattr(extent, field)
        return column.in_(values) if values else None

    return of_extent


def _is(column: Any, field: str) -> Callable[[Extent], Condition | None]:
    def of_extent(extent: Extent) -> Condition | None:
        value = getattr(extent, field)
        return None if value is None else column == value

    return of_extent


def _of_application_events(application_id: str) -> Condition:
    return DeliveryRow.event_id.in_(select(EventRow.id).where(EventRow.application_id == application_id))


def _of_application_policies(application_id: str) -> Condition:
    return PolicyVersionRow.policy_id.in_(select(PolicyRow.id).where(PolicyRow.application_id == application_id))


_HOLDINGS: Final[Mapping[type[Base], Holding]] = {
    SessionRow: Holding(Ends.SESSION, "is the session", _in(SessionRow.id, "session_ids"), _owned(SessionRow)),
    ReportRow: _part_of_session(ReportRow, "what the checks found"),
    CaptureRow: _part_of_session(CaptureRow, "what was submitted"),
    ChallengeRow: _part_of_session(ChallengeRow, "what the person was asked to do"),
    HandoffRow: _part_of_session(HandoffRow, "addresses and agents of both devices"),
    ReviewRow: _part_of_session(ReviewRow, "what reviewers wrote"),
    SessionSignalsRow: _part_of_session(SessionSignalsRow, "values of signals"),
    VerdictRow: _part_of_session(VerdictRow, "a verdict of an erased session can no longer be redeemed"),
    MediaRow: Holding(
        Ends.SESSION,
        "the row holds the key of its blob; erased before everything else, with the pictures of faces",
        of_application=_owned(MediaRow),
    ),
    FaceRow: Holding(Ends.SESSION, "templates, and their vectors by the foreign key", _faces, _owned(FaceRow)),
    EvaluationRow: Holding(Ends.SESSION, "facts about the action and the person", _evaluations, _owned(EvaluationRow)),
    SightingRow: Holding(Ends.SESSION, "where the person was", _sightings, _owned(SightingRow)),
    EventRow: Holding(Ends.SESSION, "bodies of webhooks, pending ones too", _events, _owned(EventRow)),
    DeliveryRow: Holding(Ends.SESSION, "goes with its event", _deliveries, _of_application_events),
    IdempotencyRow: Holding(Ends.SESSION, "answers that speak of the session", _answers, _owned(IdempotencyRow)),
    UserRow: Holding(Ends.USER, "is the person", _is(UserRow.id, "user_id"), _owned(UserRow)),
    UserDeviceRow: Holding(
        Ends.USER, "which devices are known", _is(UserDeviceRow.user_id, "user_id"), _owned(UserDeviceRow)
    ),
    DeviceRow: Holding(Ends.USER, "a device that nobody else was seen with", _devices, _owned(DeviceRow)),
    ListEntryRow: Holding(
        Ends.USER,
        "values of the person; a block stays unless its end is asked for. Taken off with its face (``erase_user``)",
        of_application=_owned(ListEntryRow),
    ),
    SearchTermRow: Holding(
        Ends.USER,
        "digests; a trigger takes them along with the person or the entry",
        of_application=_owned(SearchTermRow),
    ),
    AttemptRow: Holding(
        Ends.USER,
        "digests; with a session only the link to it goes, or deleting sessions would buy attempts",
        _of_subject(AttemptRow),
        _owned(AttemptRow),
    ),
    LockRow: Holding(Ends.USER, "digests of the person and the device", _of_subject(LockRow), _owned(LockRow)),
    ApplicationRow: Holding(
        Ends.APPLICATION,
        "is the application",
        of_application=lambda application_id: ApplicationRow.id == application_id,
    ),
    ApiKeyRow: _part_of_application(ApiKeyRow, "keys"),
    WorkflowRow: _part_of_application(WorkflowRow, "workflows"),
    WorkflowVersionRow: _part_of_application(WorkflowVersionRow, "workflows"),
    WorkflowContentRow: _part_of_application(WorkflowContentRow, "workflows"),
    DestinationRow: _part_of_application(DestinationRow, "addresses and secrets of webhooks"),
    PolicyRow: _part_of_application(PolicyRow, "policies"),
    PolicyVersionRow: Holding(Ends.APPLICATION, "policies", of_application=_of_application_policies),
    ListRow: _part_of_application(ListRow, "lists"),
    BrandingRow: _part_of_application(BrandingRow, "branding"),
    BrandingImageRow: _part_of_application(BrandingImageRow, "branding"),
    FaceSpaceRow: Holding(
        Ends.APPLICATION,
        "secret of the vector index",
        of_application=lambda application_id: FaceSpaceRow.id == application_id,
    ),
    TemplateSpaceRow: _part_of_application(TemplateSpaceRow, "secrets of the template protection"),
    RetentionRunRow: _part_of_application(RetentionRunRow, "counts"),
    ErasureReceiptRow: Holding(Ends.KEPT, "the proof; names nobody"),
    AuditEntryRow: Holding(Ends.KEPT, "the chain; what identifies anybody in it is destroyed"),
    AuditCheckpointRow: Holding(Ends.KEPT, "signed heads of the chain"),
    OrganizationRow: Holding(Ends.KEPT, "the customer, not a subject"),
    AccountRow: Holding(Ends.KEPT, "people who administer, not subjects"),
    AccessTokenRow: Holding(Ends.KEPT, "of accounts; expire"),
    KeysetRow: Holding(Ends.KEPT, "wrapped keys of the installation"),
    SigningKeyRow: Holding(Ends.KEPT, "of the installation; verify receipts"),
    LeaseRow: Holding(Ends.KEPT, "who runs which task"),
    CounterRow: Holding(Ends.KEPT, "counts of requests; expire within minutes"),
}
