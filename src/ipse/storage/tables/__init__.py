"""The schema, one module per subject. Importing this package registers every table."""

from ipse.storage.tables.accounts import (
    AccessTokenRow,
    AccountRow,
    ApiKeyRow,
    ApplicationRow,
    KeysetRow,
    OrganizationRow,
)
from ipse.storage.tables.base import Base
from ipse.storage.tables.branding import BrandingImageRow, BrandingRow
from ipse.storage.tables.capture import ChallengeRow, HandoffRow
from ipse.storage.tables.faces import FaceRow, MediaRow
from ipse.storage.tables.operations import IdempotencyRow, LeaseRow
from ipse.storage.tables.sessions import CaptureRow, ReportRow, ReviewRow, SessionRow, UserRow
from ipse.storage.tables.webhooks import DeliveryRow, DestinationRow, EventRow
from ipse.storage.tables.workflows import WorkflowContentRow, WorkflowRow, WorkflowVersionRow

__all__ = [
    "AccessTokenRow",
    "AccountRow",
    "ApiKeyRow",
    "ApplicationRow",
    "Base",
    "BrandingImageRow",
    "BrandingRow",
    "CaptureRow",
    "ChallengeRow",
    "DeliveryRow",
    "DestinationRow",
    "EventRow",
    "FaceRow",
    "HandoffRow",
    "IdempotencyRow",
    "KeysetRow",
    "LeaseRow",
    "MediaRow",
    "OrganizationRow",
    "ReportRow",
    "ReviewRow",
    "SessionRow",
    "UserRow",
    "WorkflowContentRow",
    "WorkflowRow",
    "WorkflowVersionRow",
]
