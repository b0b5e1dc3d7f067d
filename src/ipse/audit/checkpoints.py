"""Signed checkpoints: statements of how far a chain had grown, made of its end as it is.

Each is stored and logged (``audit.checkpoint``). The logged copy is the one that counts when somebody could write to
the database *and* had the keys: keep it elsewhere, and give it to ``ipse audit verify --checkpoint``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from ipse.audit import repository, statements
from ipse.audit.chain import Head
from ipse.audit.statements import StatementInvalid
from ipse.runtime.services import Services
from ipse.step_up import signing_keys
from ipse.step_up.tokens import SigningKey
from ipse.storage.database import Transaction
from ipse.storage.tables import AuditCheckpointRow

log = structlog.get_logger(__name__)

TYPE: Final = "ipse-audit-checkpoint+jws"
EVERY_ENTRIES: Final = 1000
EVERY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint states."""

    issuer: str
    """Public address of the service."""
    head: Head
    at: datetime
    kid: str


def sign(head: Head, *, issuer: str, at: datetime, key: SigningKey) -> str:
    """Return the signed statement that the chain had this head."""
    payload = {
        "iss": issuer,
        "chain": head.chain,
        "position": head.position,
        "head": head.chained,
        "iat": int(at.timestamp()),
    }
    return statements.sign(payload, TYPE, key)


def read(signed: str, trusted: Collection[str] | None) -> Checkpoint:
    """Return what a checkpoint states; ``trusted`` as in :func:`ipse.audit.statements.read`.

    Raises:
        StatementInvalid: not a checkpoint, or changed.
        UnknownSigner: signed by another key.
    """
    statement = statements.read(signed, TYPE, trusted)
    match statement.payload:
        case {"iss": str(issuer), "chain": str(chain), "position": int(position), "head": str(head), "iat": int(iat)}:
            return Checkpoint(issuer, Head(chain, position, head), datetime.fromtimestamp(iat, UTC), statement.kid)
        case _:
            raise StatementInvalid("A member of the checkpoint is missing.")


def signer(signed: str) -> str | None:
    """Return the key that signed a checkpoint; None when it is not one."""
    try:
        return read(signed, None).kid
    except StatementInvalid:
        return None


async def make(tx: Transaction, services: Services, head: Head) -> AuditCheckpointRow:
    """Sign, store and log a checkpoint of ``head``; the one that exists already is returned.

    ``tx`` must hold the chain (:func:`ipse.audit.repository.hold`).
    """
    existing = await repository.checkpoint_from(tx, head.chain, head.position)
    if existing is not None:
        return existing
    key, now = await signing_keys.current(tx, services), services.clock.now()
    row = AuditCheckpointRow(
        id=services.identifiers.uuid(),
        chain=head.chain,
        position=head.position,
        head=head.chained,
        signed=sign(head, issuer=services.settings.public_url, at=now, key=key),
        created_at=now,
    )
    tx.add(row)
    await tx.flush()
    log.info("audit.checkpoint", chain=row.chain, position=row.position, head=row.head, signed=row.signed)
    return row
