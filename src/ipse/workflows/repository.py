"""Rows of workflows and their versions, always within one application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, or_, select, update

from ipse.runtime.scope import Scope
from ipse.storage.columns import Id
from ipse.storage.tables import WorkflowRow, WorkflowVersionRow
from ipse.workflows.versions import VersionStatus

_VERSION: Final = select(WorkflowVersionRow).where(
    WorkflowVersionRow.id == bindparam("version", type_=Id),
    WorkflowVersionRow.application_id == bindparam("application", type_=Id),
)
_LIVING_VERSION: Final = _VERSION.where(WorkflowVersionRow.status != VersionStatus.DELETED)


async def find_version(scope: Scope, uuid: str, *, deleted: bool = False) -> WorkflowVersionRow | None:
    """Return a version of ours; deleted ones only on request."""
    row: WorkflowVersionRow | None = await scope.tx.scalar(
        _VERSION if deleted else _LIVING_VERSION, {"version": uuid, "application": scope.application_id}
    )
    return row


async def find_group(scope: Scope, workflow_id: str, *, lock: bool = False) -> WorkflowRow | None:
    """Return a workflow of ours; ``lock`` serialises its writers until the transaction ends."""
    query = select(WorkflowRow).where(WorkflowRow.id == workflow_id, WorkflowRow.application_id == scope.application_id)
    row: WorkflowRow | None = await scope.tx.scalar(query.with_for_update() if lock else query)
    return row


async def find_group_by_slug(scope: Scope, slug: str) -> WorkflowRow | None:
    """Return the workflow of ours that has the slug."""
    row: WorkflowRow | None = await scope.tx.scalar(
        select(WorkflowRow).where(WorkflowRow.slug == slug, WorkflowRow.application_id == scope.application_id)
    )
    return row


async def latest_published(scope: Scope, *, uuid: str | None, slug: str) -> WorkflowVersionRow | None:
    """Return the highest published version of the workflow with this ``slug``, or, where one is given, this ``uuid``:
    its own or that of a version which is not deleted.
    """
    row: WorkflowVersionRow | None = await scope.tx.scalar(
        _BY_SLUG if uuid is None else _BY_UUID, {"application": scope.application_id, "uuid": uuid, "slug": slug}
    )
    return row


async def published_id(scope: Scope, *, uuid: str | None, slug: str) -> str | None:
    """Return the id of the workflow that :func:`latest_published` is a version of, without reading its graph."""
    found: str | None = await scope.tx.scalar(
        _ID_BY_SLUG if uuid is None else _ID_BY_UUID, {"application": scope.application_id, "uuid": uuid, "slug": slug}
    )
    return found


def _published(of: Any, *columns: Any) -> Select[Any]:
    """The highest published version among the workflows ``of``."""
    version = WorkflowVersionRow
    return (
        select(*columns)
        .where(of, version.application_id == _APPLICATION, version.status == VersionStatus.PUBLISHED.value)
        .order_by(version.version.desc())
        .limit(1)
    )


_APPLICATION: Final = bindparam("application", type_=Id)
_UUID: Final = bindparam("uuid", type_=Id)
_OF_SLUG: Final = WorkflowVersionRow.workflow_id.in_(
    select(WorkflowRow.id).where(WorkflowRow.application_id == _APPLICATION, WorkflowRow.slug == bindparam("slug"))
)
_OF_UUID: Final = or_(
    WorkflowVersionRow.workflow_id == _UUID,
    WorkflowVersionRow.workflow_id.in_(
        select(WorkflowVersionRow.workflow_id)
        .where(
            WorkflowVersionRow.id == _UUID,
            WorkflowVersionRow.application_id == _APPLICATION,
            WorkflowVersionRow.status != VersionStatus.DELETED.value,
        )
        .correlate(None)
    ),
)
_BY_SLUG: Final = _published(_OF_SLUG, WorkflowVersionRow)
_BY_UUID: Final = _published(_OF_UUID, WorkflowVersionRow)
_ID_BY_SLUG: Final = _published(_OF_SLUG, WorkflowVersionRow.workflow_id)
_ID_BY_UUID: Final = _published(_OF_UUID, WorkflowVersionRow.workflow_id)
"""One statement instead of two or three, built once: every step-up and every session asks for its workflow."""


async def drafts(scope: Scope, workflow_ids: Sequence[str]) -> Sequence[WorkflowVersionRow]:
    """Return the drafts of some workflows."""
    found = await scope.tx.scalars(
        select(WorkflowVersionRow).where(
            WorkflowVersionRow.workflow_id.in_(workflow_ids),
            WorkflowVersionRow.application_id == scope.application_id,
            WorkflowVersionRow.status == VersionStatus.DRAFT,
        )
    )
    return found.all()


async def page(
    scope: Scope, *, limit: int, offset: int
) -> tuple[int, Sequence[tuple[WorkflowVersionRow, WorkflowRow]]]:
    """Return the number of versions and one page of them, newest first, each with its group."""
    mine = (WorkflowVersionRow.application_id == scope.application_id) & (
        WorkflowVersionRow.status != VersionStatus.DELETED
    )
    count = await scope.tx.scalar(select(func.count()).select_from(WorkflowVersionRow).where(mine))
    rows = await scope.tx.execute(
        select(WorkflowVersionRow, WorkflowRow)
        .join(WorkflowRow, WorkflowRow.id == WorkflowVersionRow.workflow_id)
        .where(mine)
        .order_by(WorkflowVersionRow.created_at.desc(), WorkflowVersionRow.id)
        .limit(limit)
        .offset(offset)
    )
    return count or 0, [(version, group) for version, group in rows]


async def count_groups(scope: Scope) -> int:
    """Return how many workflows of the application have a version that is not deleted."""
    count = await scope.tx.scalar(
        select(func.count(WorkflowVersionRow.workflow_id.distinct())).where(
            WorkflowVersionRow.application_id == scope.application_id,
            WorkflowVersionRow.status != VersionStatus.DELETED,
        )
    )
    return count or 0


async def has_versions(scope: Scope, workflow_id: str) -> bool:
    """Tell whether a workflow has a version that is not deleted."""
    found = await scope.tx.scalar(
        select(WorkflowVersionRow.id)
        .where(
            WorkflowVersionRow.workflow_id == workflow_id,
            WorkflowVersionRow.application_id == scope.application_id,
            WorkflowVersionRow.status != VersionStatus.DELETED,
        )
        .limit(1)
    )
    return found is not None


async def next_version(scope: Scope, workflow_id: str) -> int:
    """Return the number of the next version; numbers of deleted versions are not used again."""
    highest = await scope.tx.scalar(
        select(func.max(WorkflowVersionRow.version)).where(WorkflowVersionRow.workflow_id == workflow_id)
    )
    return (highest or 0) + 1


async def creation_time(scope: Scope, now: datetime) -> datetime:
    """Return an instant after every earlier version of the application: "newest first" is then an order.

    A clock that stands still or jumps back would otherwise leave it to chance.
    """
    latest = await scope.tx.scalar(
        select(func.max(WorkflowVersionRow.created_at)).where(WorkflowVersionRow.application_id == scope.application_id)
    )
    return now if latest is None or latest < now else latest + timedelta(microseconds=1)


async def clear_default(scope: Scope) -> None:
    """Take the default mark from every workflow of the application."""
    await scope.tx.execute(
        update(WorkflowRow).where(WorkflowRow.application_id == scope.application_id).values(is_default=False)
    )
