"""A face in the shape of an SMS code: ``start`` gives a link instead of sending a message, ``check`` takes the code.

``approved`` is answered once, to the call that brings the right code; no other call ever says it, because code written
for SMS services reads nothing but that word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import select

from ipse.decision.statuses import UNFINISHED, SessionStatus
from ipse.edge.authentication import Caller, as_uuid
from ipse.edge.errors import NotFound
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.sessions.schemas import CreateSession
from ipse.step_up import codes, verdicts
from ipse.step_up.otp_schemas import OtpCheck, OtpStart
from ipse.step_up.verdicts import Verdict
from ipse.storage.tables import SessionRow, VerdictRow

DEFAULT_WORKFLOW: Final = "wf_ato_step_up"

OtpStatus = Literal["approved", "pending", "denied", "expired", "locked"]


@dataclass(frozen=True, slots=True)
class Started:
    """A code that the person will read once their face is approved."""

    id: str
    session: SessionRow
    url: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a code was worth. ``verdict`` is there only with ``approved``."""

    status: OtpStatus
    verdict: Verdict | None = None


async def start(caller: Caller, body: OtpStart) -> Started:
    """Create the session, or hand out the person's unfinished one, and promise a code for it.

    Raises what creating a session raises.
    """
    created = await sessions.create(
        caller,
        CreateSession(
            workflow_id=body.workflow or DEFAULT_WORKFLOW,
            vendor_data=body.vendor_data,
            action=body.action,
            callback=body.callback,
            language=body.locale,
        ),
    )
    scope = await caller.begin()
    session = await sessions.get(scope, created["session_id"], lock=True)
    row = await codes.awaited(scope, session.id) or _promise(scope, session)
    row.action_hash = session.action_hash
    row.expires_at = session.expires_at + timedelta(seconds=scope.services.settings.verdict_window_s)
    await scope.tx.flush()
    return Started(row.id, session, str(created["url"]))


async def check(scope: Scope, body: OtpCheck) -> Checked:
    """Compare a code. The right one, once, for an approved session, is ``approved``.

    Raises:
        NotFound: no such start of this application.
    """
    session, row = await _find(scope, as_uuid(body.id))
    status = _standing(scope, session, row)
    if status is not None:
        return Checked(status)
    code = "".join(character for character in body.code if not character.isspace())
    if not codes.matches(scope.services.ordinary_ring, row, code):
        row.wrong_codes += 1
        return Checked("locked" if row.wrong_codes >= codes.MOST_WRONG else "pending")
    claims = await verdicts.claims_of(scope, session, row.id)
    row.session_version = session.version
    await scope.tx.flush()
    await verdicts.use(scope, session, row.id)
    return Checked("approved", await verdicts.signed(scope, claims))


def _promise(scope: Scope, session: SessionRow) -> VerdictRow:
    verdict_id = scope.services.identifiers.uuid()
    row = VerdictRow(
        id=verdict_id,
        application_id=scope.application_id,
        session_id=session.id,
        session_version=session.version,
        code_hash=codes.digest_of_new_code(scope.services.ordinary_ring, verdict_id),
        wrong_codes=0,
        issued_at=scope.services.clock.now(),
    )
    scope.tx.add(row)
    return row


async def _find(scope: Scope, verdict_id: str) -> tuple[SessionRow, VerdictRow]:
    """The session, locked, and its verdict as it is under that lock."""
    mine = (VerdictRow.id == verdict_id, VerdictRow.application_id == scope.application_id)
    session_id = await scope.tx.scalar(select(VerdictRow.session_id).where(*mine, VerdictRow.code_hash.is_not(None)))
    if session_id is None:
        raise NotFound
    session = await sessions.get(scope, session_id, lock=True)
    row = await scope.tx.scalar(select(VerdictRow).where(*mine))
    if row is None:
        raise NotFound
    return session, row


def _standing(scope: Scope, session: SessionRow, row: VerdictRow) -> OtpStatus | None:
    """What any code is worth now; None when it is worth comparing."""
    status = SessionStatus(session.status)
    if row.wrong_codes >= codes.MOST_WRONG:
        return "locked"
    if row.redeemed_at is not None:
        return "expired"
    if row.revoked_at is not None or status is SessionStatus.DECLINED:
        return "denied"
    if status in UNFINISHED and session.expires_at <= scope.services.clock.now():
        return "expired"
    if status in UNFINISHED or status is SessionStatus.IN_REVIEW:
        return "pending"
    if status is not SessionStatus.APPROVED or not codes.is_fresh(scope, session.decided_at):
        return "expired"
    return None
