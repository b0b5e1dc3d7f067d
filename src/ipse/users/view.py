"""Users as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import UserRow
from ipse.users import repository, service
from ipse.users.repository import Activity
from ipse.users.schemas import Comment, FeatureStatusItem, UserDetail, UserItem, UserStatus


async def items(scope: Scope, rows: Sequence[UserRow]) -> list[UserItem]:
    """The users of a page, in their order."""
    return [UserItem(**fields) for fields in await _fields(scope, rows)]


async def detail(scope: Scope, row: UserRow) -> UserDetail:
    """One user with history."""
    (fields,) = await _fields(scope, [row])
    return UserDetail(
        **fields,
        metadata=row.details.get("metadata") or {},
        comments=[Comment.model_validate(entry) for entry in service.history(row)],
        updated_at=row.updated_at,
    )


async def _fields(scope: Scope, rows: Sequence[UserRow]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    activities = await repository.activities(scope, ids)
    features = await repository.features(scope, ids)
    portraits = await repository.portraits(scope, ids)
    return [
        _one(scope, row, activities.get(row.id, Activity()), features.get(row.id, {}), portraits.get(row.id))
        for row in rows
    ]


def _one(
    scope: Scope, row: UserRow, activity: Activity, features: Mapping[str, str], portrait: str | None
) -> dict[str, Any]:
    return {
        "didit_internal_id": row.id,
        "vendor_data": row.vendor_data,
        "display_name": row.display_name,
        "full_name": row.full_name,
        "date_of_birth": service.birthday(row),
        "effective_name": row.display_name or row.full_name,
        "status": UserStatus(row.status),
        "portrait_image_url": media.link(scope.services, scope.application_id, portrait) if portrait else None,
        "session_count": activity.sessions,
        "approved_count": activity.approved,
        "declined_count": activity.declined,
        "in_review_count": activity.in_review,
        "issuing_states": row.details.get("issuing_states") or [],
        "approved_emails": row.details.get("approved_emails") or [],
        "approved_phones": row.details.get("approved_phones") or [],
        "features": dict(features),
        "features_list": [FeatureStatusItem(feature=name, status=status) for name, status in features.items()],
        "last_session_at": activity.last_at,
        "first_session_at": activity.first_at,
        "last_activity_at": activity.last_activity_at,
        "tags": [],
        "created_at": row.created_at,
    }
