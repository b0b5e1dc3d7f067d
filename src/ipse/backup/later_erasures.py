"""What was erased after a backup was made comes back with it, and must be erased again.

The receipts tell: each names what was erased by a keyed digest, which the restored installation can make as well. They
come from wherever receipts were kept (``GET /v3/erasure-receipts/`` answers them), one JWS a line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ipse.privacy import erasure, receipts
from ipse.privacy.receipts import Kind, Receipt
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow, SessionRow, UserRow


@dataclass(frozen=True, slots=True)
class Returned:
    """A session, person or application that a restore brought back although it had been erased."""

    application_id: str
    kind: Kind
    receipt_id: str
    erased_at: datetime
    object_id: str
    """Id of the session or application, ``vendor_data`` of the person."""


async def find(services: Services, signed: Iterable[str]) -> list[Returned]:
    """Return what the receipts say was erased and yet is here.

    Raises:
        StatementInvalid: a line is no receipt, or was changed.
    """
    told = [receipts.read(line.strip(), None) for line in signed if line.strip()]
    found = []
    async with services.database.reading() as tx:
        for application in await tx.scalars(select(ApplicationRow).order_by(ApplicationRow.id)):
            scope = Scope(tx, Application.of(application), services, SYSTEM)
            mine = {(one.kind, one.object_tag): one for one in told if one.application_id == application.id}
            if mine:
                found += await _matches(scope, mine)
    return found


async def erase_again(services: Services, returned: Iterable[Returned]) -> int:
    """Erase what :func:`find` found, each in a transaction of its own; return how many there were."""
    count = 0
    for one in returned:
        async with services.database.writing() as tx:
            row = await tx.get(ApplicationRow, one.application_id)
            if row is not None:
                await _erase(Scope(tx, Application.of(row), services, SYSTEM), tx, one)
                count += 1
    return count


async def _matches(scope: Scope, told: dict[tuple[Kind, str], Receipt]) -> list[Returned]:
    sessions = await scope.tx.scalars(
        select(SessionRow.id).where(SessionRow.application_id == scope.application_id, SessionRow.deleted_at.is_(None))
    )
    people = await scope.tx.scalars(select(UserRow.vendor_data).where(UserRow.application_id == scope.application_id))
    here = [(Kind.APPLICATION, scope.application_id)]
    here += [(Kind.USER, one) for one in people] + [(Kind.SESSION, one) for one in sessions]
    found = []
    for kind, object_id in here:
        receipt = told.get((kind, receipts.tag(scope, kind, object_id)))
        if receipt is not None:
            found.append(Returned(scope.application_id, kind, receipt.id, receipt.at, object_id))
    return found


async def _erase(scope: Scope, tx: Transaction, one: Returned) -> None:
    match one.kind:
        case Kind.SESSION:
            row = await tx.get(SessionRow, one.object_id, with_for_update=True)
            if row is not None and row.deleted_at is None:
                await erasure.erase_session(scope, row)
        case Kind.USER:
            await erasure.erase_user(scope, one.object_id)
        case Kind.APPLICATION:
            await erasure.erase_application(scope)
