"""Signed receipts of what was destroyed. They name nobody: who knows the id finds its receipt, the receipt tells no id.

A receipt is a statement of the installation (``ipse.audit.statements``): it carries its public key, so that it can be
checked years later and without this service (``ipse receipt verify``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select

from ipse.audit import service as audit
from ipse.audit import statements
from ipse.audit.statements import StatementInvalid
from ipse.runtime.scope import Scope
from ipse.step_up import signing_keys
from ipse.storage.tables import ErasureReceiptRow

TYPE: Final = "ipse-erasure-receipt+jws"
RECEIPT_HEADER: Final = "Ipse-Erasure-Receipt"
"""Response header that names the receipt of what a request erased."""
MOST_LISTED: Final = 100
"""Blobs that a receipt lists one by one; of more it gives the number and one digest over all."""


class Kind(StrEnum):
    """What was erased. The value is the purpose of the tag by which the receipt is found."""

    SESSION = "session"
    USER = "user"
    APPLICATION = "application"


class Reason(StrEnum):
    """On whose order."""

    REQUEST = "request"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What an erasure took away: rows by table (zeros left out), and SHA-256 of every sealed blob, in hex."""

    rows: Mapping[str, int]
    blobs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt states."""

    id: str
    issuer: str
    application_id: str
    kind: Kind
    object_tag: str
    reason: Reason
    destroyed: Mapping[str, int]
    blob_count: int
    blob_digest: str
    """:func:`digest_of` all the blobs."""
    blobs: Sequence[str]
    """SHA-256 of each, unless there were more than :data:`MOST_LISTED`."""
    at: datetime
    kid: str


async def issue(scope: Scope, kind: Kind, object_id: str, reason: Reason, destroyed: Destroyed) -> ErasureReceiptRow:
    """Sign and store a receipt, and write the erasure into the audit log."""
    services, now = scope.services, scope.services.clock.now()
    receipt_id = services.identifiers.uuid()
    object_tag = tag(scope, kind, object_id)
    rows = {name: count for name, count in sorted(destroyed.rows.items()) if count}
    blobs = sorted(destroyed.blobs)
    payload = {
        "iss": services.settings.public_url,
        "jti": receipt_id,
        "application": scope.application_id,
        "kind": kind.value,
        "object": object_tag,
        "reason": reason.value,
        "rows": rows,
        "blobs": {
            "count": len(blobs),
            "digest": digest_of(blobs),
            "sha256": blobs if len(blobs) <= MOST_LISTED else [],
        },
        "iat": int(now.timestamp()),
    }
    row = ErasureReceiptRow(
        id=receipt_id,
        application_id=scope.application_id,
        kind=kind.value,
        object_tag=object_tag,
        reason=reason.value,
        destroyed=rows,
        signed=statements.sign(payload, TYPE, await signing_keys.current(scope.tx, services)),
        created_at=now,
    )
    scope.tx.add(row)
    await audit.record(
        scope,
        f"{kind.value}.erased",
        object_type="erasure_receipt",
        object_id=receipt_id,
        details={"reason": reason.value, "rows": rows, "blobs": len(blobs)},
    )
    await scope.tx.flush()
    return row


def read(signed: str, trusted: Collection[str] | None) -> Receipt:
    """Return what a receipt states; ``trusted`` as in :func:`ipse.audit.statements.read`. Needs no database.

    Raises:
        StatementInvalid: not a receipt, or changed.
        UnknownSigner: signed by another key.
    """
    statement = statements.read(signed, TYPE, trusted)
    match statement.payload:
        case {
            "iss": str(issuer),
            "jti": str(receipt_id),
            "application": str(application_id),
            "kind": str(kind),
            "object": str(object_tag),
            "reason": str(reason),
            "rows": dict(rows),
            "blobs": {"count": int(blob_count), "digest": str(blob_digest), "sha256": list(blobs)},
            "iat": int(iat),
        }:
            pass
        case _:
            raise StatementInvalid("A member of the receipt is missing.")
    if blobs and (len(blobs) != blob_count or digest_of(blobs) != blob_digest):
        raise StatementInvalid("The receipt contradicts itself about the blobs.")
    return Receipt(
        id=receipt_id,
        issuer=issuer,
        application_id=application_id,
        kind=Kind(kind),
        object_tag=object_tag,
        reason=Reason(reason),
        destroyed=rows,
        blob_count=blob_count,
        blob_digest=blob_digest,
        blobs=blobs,
        at=datetime.fromtimestamp(iat, UTC),
        kid=statement.kid,
    )


async def page(
    scope: Scope, objects: Sequence[tuple[Kind, str]], *, limit: int, offset: int
) -> tuple[int, Sequence[ErasureReceiptRow]]:
    """Receipts of the application, newest first; ``objects`` narrows them to those of sessions and persons."""
    conditions = [ErasureReceiptRow.application_id == scope.application_id]
    if objects:
        conditions.append(ErasureReceiptRow.object_tag.in_([tag(scope, kind, one) for kind, one in objects]))
    count = await scope.tx.scalar(select(func.count()).select_from(ErasureReceiptRow).where(*conditions))
    rows = await scope.tx.scalars(
        select(ErasureReceiptRow)
        .where(*conditions)
        .order_by(ErasureReceiptRow.created_at.desc(), ErasureReceiptRow.id)
        .limit(limit)
        .offset(offset)
    )
    return count or 0, rows.all()


def tag(scope: Scope, kind: Kind, object_id: str) -> str:
    """The tag by which the receipts of a session, a person (``vendor_data``) or the application are found."""
    purpose = "subject" if kind is Kind.USER else kind.value
    return scope.services.lookup.tag(purpose, scope.application_id, object_id)


def digest_of(blobs: Sequence[str]) -> str:
    """SHA-256 in hex over the digests of all blobs, sorted, one a line: the same whatever their order was."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(blobs)).encode()).hexdigest()
