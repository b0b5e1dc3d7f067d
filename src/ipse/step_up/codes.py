"""Short codes: what the person reads after an approval in place of an SMS (decision 0014).

A code is eight digits derived from the identifier of its verdict under the ordinary key ring, so it is stored nowhere.
The row keeps a keyed digest that says which key of the ring made it: a rotation in between changes no code.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from ipse.decision.statuses import SessionStatus
from ipse.runtime.scope import Scope
from ipse.security.keyring import KeyRing
from ipse.storage.tables import SessionRow, VerdictRow

DIGITS: Final = 8
MOST_WRONG: Final = 5
"""Wrong tries before a code locks: a guess succeeds once in 20 million sessions."""
_KEY_ID_BYTES: Final = 4
_MAKE: Final = "otp code"
_CHECK: Final = "otp code check"


def digest_of_new_code(ring: KeyRing, verdict_id: str) -> str:
    """The digest under which the code of a new verdict is recognised: 64 hexadecimal digits."""
    code = _digits(ring.tag(verdict_id.encode(), purpose=_MAKE))
    return _checks(ring, verdict_id, code)[0]


def code_of(ring: KeyRing, row: VerdictRow) -> str | None:
    """The code of a verdict; None when the key that made it is gone."""
    for tag in ring.tags(row.id.encode(), purpose=_MAKE):
        code = _digits(tag)
        if matches(ring, row, code):
            return code
    return None


def matches(ring: KeyRing, row: VerdictRow, code: str) -> bool:
    """Whether ``code`` is the code of a verdict, in time that does not depend on where they differ."""
    stored = row.code_hash or ""
    found = [hmac.compare_digest(check, stored) for check in _checks(ring, row.id, code)]
    return any(found)


async def awaited(scope: Scope, session_id: str) -> VerdictRow | None:
    """The verdict of a session that a code will use up; None for every other session."""
    row: VerdictRow | None = await scope.tx.scalar(
        select(VerdictRow)
        .where(
            VerdictRow.application_id == scope.application_id,
            VerdictRow.session_id == session_id,
            VerdictRow.code_hash.is_not(None),
            VerdictRow.redeemed_at.is_(None),
            VerdictRow.revoked_at.is_(None),
        )
        .order_by(VerdictRow.issued_at.desc())
        .limit(1)
    )
    return row


async def to_show(scope: Scope, session: SessionRow) -> str | None:
    """The code that the page shows: after the approval, until it is used, locked, or too late."""
    if session.status != SessionStatus.APPROVED.value or not is_fresh(scope, session.decided_at):
        return None
    row = await awaited(scope, session.id)
    if row is None or row.wrong_codes >= MOST_WRONG:
        return None
    return code_of(scope.services.ordinary_ring, row)


def is_fresh(scope: Scope, decided_at: datetime | None) -> bool:
    """Whether a decision is young enough for a verdict (setting ``verdict_window_s``)."""
    window = timedelta(seconds=scope.services.settings.verdict_window_s)
    return decided_at is not None and scope.services.clock.now() < decided_at + window


def _checks(ring: KeyRing, verdict_id: str, code: str) -> list[str]:
    tags = ring.tags(f"{verdict_id}|{code}".encode(), purpose=_CHECK)
    return [tag[_KEY_ID_BYTES:].hex() for tag in tags]


def _digits(tag: bytes) -> str:
    number = int.from_bytes(tag[_KEY_ID_BYTES : _KEY_ID_BYTES + 8], "big") % 10**DIGITS
    return str(number).zfill(DIGITS)
