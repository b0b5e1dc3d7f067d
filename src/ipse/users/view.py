"""Users as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipse.faces.service import current_reference
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import DeviceRow, FaceRow, UserDeviceRow, UserRow
from ipse.users import repository, service
from ipse.users.repository import Activity
from ipse.users.schemas import Comment, FeatureStatusItem, UserDetail, UserDevice, UserFace, UserItem, UserStatus


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


async def faces(scope: Scope, user: UserRow, rows: Sequence[FaceRow]) -> list[UserFace]:
    """Stored faces, with links to their images."""
    current = await current_reference(scope, user.id)
    return [
        UserFace(
            uuid=row.id,
            purpose=row.purpose,
            source=row.source,
            supplied_by=row.supplied_by,
            is_reference=current is not None and row.id == current.id,
            is_searchable=row.searchable,
            session_id=row.session_id,
            image_url=media.link(scope.services, scope.application_id, row.media_id) if row.media_id else None,
            comment=row.comment,
            created_at=row.created_at,
            superseded_at=row.superseded_at,
        )
        for row in rows
    ]


def devices(own: Sequence[tuple[DeviceRow, UserDeviceRow]]) -> list[UserDevice]:
    """Devices of a person."""
    return [
        UserDevice(
            device_id=device.id,
            device_brand=device.details.get("device_brand"),
            device_model=device.details.get("device_model"),
            browser_family=device.details.get("browser_family"),
            os_family=device.details.get("os_family"),
            platform=device.details.get("platform"),
            device_fingerprint=device.fingerprint,
            first_seen_at=use.first_seen_at,
            last_seen_at=use.last_seen_at,
            times_seen=use.times_seen,
            is_trusted=use.trusted_at is not None and use.revoked_at is None,
            trusted_at=use.trusted_at,
            trusted_by=use.trusted_by,
            revoked_at=use.revoked_at,
        )
        for device, use in own
    ]


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
        "issuing_states": row.issuing_states or [],
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
