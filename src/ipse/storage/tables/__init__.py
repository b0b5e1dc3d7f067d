"""The schema, one module per subject. Importing this package registers every table."""

from ipse.storage.tables.accounts import (
    AccessTokenRow,
    AccountRow,
    ApiKeyRow,
    ApplicationRow,
    KeysetRow,
    OrganizationRow,
)
from ipse.storage.tables.audit import AuditCheckpointRow, AuditEntryRow
from ipse.storage.tables.base import Base
from ipse.storage.tables.branding import BrandingImageRow, BrandingRow
from ipse.storage.tables.capture import ChallengeRow, HandoffRow
from ipse.storage.tables.devices import DeviceRow, SightingRow, UserDeviceRow
from ipse.storage.tables.faces import FaceRow, FaceSpaceRow, MediaRow, TemplateSpaceRow
from ipse.storage.tables.lists import ListEntryRow, ListRow
from ipse.storage.tables.lockout import AttemptRow, CounterRow, LockRow
from ipse.storage.tables.operations import IdempotencyRow, LeaseRow
from ipse.storage.tables.privacy import ErasureReceiptRow, RetentionRunRow
from ipse.storage.tables.search import SearchTermRow
from ipse.storage.tables.sessions import CaptureRow, ReportRow, ReviewRow, SessionRow, UserRow
from ipse.storage.tables.step_up import (
    EvaluationRow,
    PolicyRow,
    PolicyVersionRow,
    SessionSignalsRow,
    SigningKeyRow,
    VerdictRow,
)
from ipse.storage.tables.webhooks import DeliveryRow, DestinationRow, EventRow
from ipse.storage.tables.workflows import WorkflowContentRow, WorkflowRow, WorkflowVersionRow

__all__ = [
    "AccessTokenRow",
    "AccountRow",
    "ApiKeyRow",
    "ApplicationRow",
    "AttemptRow",
    "AuditCheckpointRow",
    "AuditEntryRow",
    "Base",
    "BrandingImageRow",
    "BrandingRow",
    "CaptureRow",
    "ChallengeRow",
    "CounterRow",
    "DeliveryRow",
    "DestinationRow",
    "DeviceRow",
    "ErasureReceiptRow",
    "EvaluationRow",
    "EventRow",
    "FaceRow",
    "FaceSpaceRow",
    "HandoffRow",
    "IdempotencyRow",
    "KeysetRow",
    "LeaseRow",
    "ListEntryRow",
    "ListRow",
    "LockRow",
    "MediaRow",
    "OrganizationRow",
    "PolicyRow",
    "PolicyVersionRow",
    "ReportRow",
    "RetentionRunRow",
    "ReviewRow",
    "SearchTermRow",
    "SessionRow",
    "SessionSignalsRow",
    "SightingRow",
    "SigningKeyRow",
    "TemplateSpaceRow",
    "UserDeviceRow",
    "UserRow",
    "VerdictRow",
    "WorkflowContentRow",
    "WorkflowRow",
    "WorkflowVersionRow",
]
