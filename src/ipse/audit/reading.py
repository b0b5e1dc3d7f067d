"""Reading the audit log: entries with what they say, for people and for other systems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from ipse.audit import repository
from ipse.audit.repository import Filters
from ipse.audit.sealing import open_content
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.storage.tables import AuditEntryRow

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Query:
    """What to list. An object is named by its type and id, a person by ``vendor_data``; both need the application."""

    application_id: str | None = None
    """``installation`` for the acts that belong to none."""
    act: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    vendor_data: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def latest(services: Services, query: Query, limit: int) -> Sequence[dict[str, Any]]:
    """The latest entries that fit, latest first.

    Raises:
        ValueError: an object or a person without an application.
    """
    async with services.database.reading() as tx:
        rows = await repository.listed(tx, _filters(services, query), limit=limit)
        return [shown(services, row, with_content=True) for row in rows]


async def export(
    services: Services, chain: str, write: Callable[[dict[str, Any]], None], *, with_content: bool
) -> None:
    """Write every linked entry of a chain in order, then its checkpoints: all that a verification needs."""
    async with services.database.reading() as tx:
        position = 0
        while rows := await repository.linked_after(tx, chain, position, _BATCH):
            for row in rows:
                write({"type": "entry", **shown(services, row, with_content=with_content)})
            position = rows[-1].position or 0
            tx.expunge_all()
        for checkpoint in await repository.checkpoints(tx, chain):
            place = {"chain": chain, "position": checkpoint.position}
            write({"type": "checkpoint", **place, "signed": checkpoint.signed})


def shown(services: Services, row: AuditEntryRow, *, with_content: bool) -> dict[str, Any]:
    """An entry as JSON values. ``content`` is None where it was erased, cannot be opened or is not wanted."""
    result = {
        **asdict(repository.entry_of(row)),
        "position": row.position,
        "digest": row.digest,
        "chained": row.chained,
        "salt": None,
        "content": None,
    }
    if with_content and row.details_sealed is not None:
        try:
            salt, content = open_content(services.ordinary_ring, row.chain, row.id, row.details_sealed)
        except (CannotOpen, ValueError):  # exchanged: `ipse audit verify` says where
            return result
        return {**result, "salt": salt.hex(), "content": content}
    return result


def _filters(services: Services, query: Query) -> Filters:
    filters = Filters(chain=query.application_id, act=query.act, since=query.since, until=query.until)
    if query.object_id is None and query.vendor_data is None:
        return replace(filters, object_type=query.object_type)
    if query.application_id is None:
        raise ValueError("Name the application too: the log knows objects and people by digests of its own.")
    tag, chain = services.lookup.tag, query.application_id
    return replace(
        filters,
        object_tag=None if query.object_id is None else tag(query.object_type or "session", chain, query.object_id),
        subject_tag=None if query.vendor_data is None else tag("subject", chain, query.vendor_data),
    )
