"""The keys that sign verdicts: made at first need, sealed at rest, published until their last token has expired.

One set serves the whole installation; ``aud`` keeps applications apart. Two processes that both need the first key may
each make one: both are published, and the newest that is not retired signs.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.jwk import OKPKey
from sqlalchemy import delete, or_, select, update

from ipse.audit.service import record_installation
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.step_up.tokens import ALGORITHM, SigningKey
from ipse.storage.database import Transaction
from ipse.storage.tables import SigningKeyRow

CURVE: Final = "Ed25519"
CACHED: Final = timedelta(minutes=5)
"""How long a verifier may keep the published set; a retired key stays in it that much longer."""


def private_context(kid: str) -> bytes:
    """Associated data that ties a sealed private key to its row."""
    return f"signing-key|{kid}".encode()


async def current(tx: Transaction, services: Services) -> SigningKey:
    """The key that signs now; made when there is none. ``tx`` must be a writing transaction."""
    row = await tx.scalar(_active().limit(1))
    return await create(tx, services) if row is None else _opened(services, row)


async def current_id(tx: Transaction) -> str | None:
    """The ``kid`` of the key that signs now; None before the first is made."""
    row = await tx.scalar(_active().limit(1))
    return None if row is None else str(row.id)


async def proven_ids(tx: Transaction, services: Services) -> frozenset[str]:
    """The ``kid`` of every key whose private half is stored and opens: nobody puts one there without our key ring."""
    proven = set()
    for row in (await tx.scalars(select(SigningKeyRow))).all():
        with contextlib.suppress(CannotOpen):
            proven.add(_opened(services, row).key.thumbprint())
    return frozenset(proven)


async def create(tx: Transaction, services: Services) -> SigningKey:
    """Make a key; it signs from now on."""
    key = OKPKey.generate_key(CURVE)
    kid = key.thumbprint()
    private = json.dumps(key.as_dict(private=True)).encode()
    tx.add(
        SigningKeyRow(
            id=kid,
            algorithm=ALGORITHM,
            public_jwk=dict(key.as_dict(private=False)),
            private_sealed=services.ordinary_ring.seal(private, context=private_context(kid)),
            created_at=services.clock.now(),
            retired_at=None,
        )
    )
    await tx.flush()
    return SigningKey(kid, key)


async def rotate(tx: Transaction, services: Services, *, compromised: bool = False) -> SigningKey:
    """Make a key and retire every other; what those signed stays verifiable until it expires.

    ``compromised``: the others are destroyed instead, and nothing that they signed verifies any more.
    """
    if compromised:
        await tx.execute(delete(SigningKeyRow))
    else:
        await tx.execute(delete(SigningKeyRow).where(SigningKeyRow.retired_at <= _needed_since(services)))
        await tx.execute(
            update(SigningKeyRow).where(SigningKeyRow.retired_at.is_(None)).values(retired_at=services.clock.now())
        )
    made = await create(tx, services)
    await record_installation(
        services,
        tx,
        "signing_key.rotated",
        object_type="signing_key",
        object_id=made.kid,
        details={"compromised": compromised},
    )
    return made


async def public_keys(tx: Transaction, services: Services) -> Mapping[str, OKPKey]:
    """Every key that may have signed a verdict which still holds, by ``kid``."""
    return {row.id: OKPKey.import_key(row.public_jwk) for row in await _published(tx, services)}


async def jwks(tx: Transaction, services: Services) -> dict[str, Any]:
    """The published set (RFC 7517)."""
    return {
        "keys": [
            {**row.public_jwk, "kid": row.id, "use": "sig", "alg": row.algorithm}
            for row in await _published(tx, services)
        ]
    }


async def _published(tx: Transaction, services: Services) -> Sequence[SigningKeyRow]:
    found = await tx.scalars(
        select(SigningKeyRow)
        .where(or_(SigningKeyRow.retired_at.is_(None), SigningKeyRow.retired_at > _needed_since(services)))
        .order_by(SigningKeyRow.created_at.desc(), SigningKeyRow.id)
    )
    return found.all()


def _needed_since(services: Services) -> datetime:
    """Of a key that was retired earlier no token holds any more."""
    return services.clock.now() - timedelta(seconds=services.settings.verdict_lifetime_s) - CACHED


def _active() -> Any:
    return (
        select(SigningKeyRow)
        .where(SigningKeyRow.retired_at.is_(None))
        .order_by(SigningKeyRow.created_at.desc(), SigningKeyRow.id)
    )


def _opened(services: Services, row: SigningKeyRow) -> SigningKey:
    private = services.ordinary_ring.open(row.private_sealed, context=private_context(row.id))
    return SigningKey(row.id, OKPKey.import_key(json.loads(private)))
