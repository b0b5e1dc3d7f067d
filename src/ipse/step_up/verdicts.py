"""Verdicts: minted for an approved session, redeemed once for the action that was shown.

Whoever mints or redeems has locked the row of the session, as everybody has who changes its status: an approval that
is taken back and the redemption of its verdict never both win.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from ipse.audit.service import record
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import SessionStatus
from ipse.edge.errors import NotFound
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.sessions import verdict_rows
from ipse.step_up import codes, signing_keys, velocity
from ipse.step_up.actions import CanonicalAction
from ipse.step_up.errors import (
    ActionMismatch,
    AlreadyRedeemed,
    EndsWithCode,
    ExpiredToken,
    InvalidToken,
    NotApproved,
    NoVerdictHere,
    VerdictRevoked,
    WindowOver,
)
from ipse.step_up.tokens import Claims, TokenExpired, TokenInvalid, moment, sign, verify
from ipse.storage.tables import ReportRow, SessionRow, VerdictRow

APPROVED: Final = SessionStatus.APPROVED.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """A signed verdict and what it says."""

    token: str
    claims: Claims


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A verdict that was just used up, and the policy evaluation that had asked for the face."""

    claims: Claims
    evaluation_id: str | None


async def mint(scope: Scope, session_id: str) -> Verdict:
    """Sign a verdict for an approved session; it takes the place of an earlier one that was not redeemed.

    Raises:
        NotFound, NoVerdictHere, NotApproved, WindowOver, EndsWithCode, AlreadyRedeemed.
    """
    session = await sessions.get(scope, session_id, lock=True)
    _require_fresh_approval(scope, session)
    earlier = (await scope.tx.scalars(select(VerdictRow).where(VerdictRow.session_id == session.id))).all()
    if any(row.code_hash is not None for row in earlier):
        raise EndsWithCode
    if any(row.redeemed_at is not None for row in earlier):
        raise AlreadyRedeemed
    await verdict_rows.revoke(scope, session.id)
    claims = await claims_of(scope, session, scope.services.identifiers.uuid())
    scope.tx.add(
        VerdictRow(
            id=claims.jti,
            application_id=scope.application_id,
            session_id=session.id,
            session_version=session.version,
            action_hash=session.action_hash,
            issued_at=moment(claims.iat),
            expires_at=moment(claims.exp),
        )
    )
    await _record(scope, "verdict.issued", session, claims.jti)
    await scope.tx.flush()
    return await signed(scope, claims)


async def redeem(scope: Scope, token: str, action: CanonicalAction | None) -> Redeemed:
    """Use a verdict up for ``action``, which must be the one that was shown. Works once.

    Raises:
        InvalidToken, ExpiredToken, ActionMismatch, AlreadyRedeemed, VerdictRevoked.
    """
    claims = await _verified(scope, token)
    if claims.act != (action.hash if action else None):
        raise ActionMismatch
    try:
        session = await sessions.get(scope, claims.sid, lock=True)
    except NotFound as error:  # deleted since
        raise InvalidToken from error
    row = await scope.tx.get(VerdictRow, claims.jti)
    if row is None or row.application_id != scope.application_id:
        raise InvalidToken
    if row.redeemed_at is not None:
        raise AlreadyRedeemed
    if row.revoked_at is not None or (session.status, session.version) != (APPROVED, row.session_version):
        raise VerdictRevoked
    await use(scope, session, row.id)
    return Redeemed(claims, session.evaluation_id)


async def use(scope: Scope, session: SessionRow, verdict_id: str) -> None:
    """Mark a verdict used, once, and its evaluation completed. Raises :class:`AlreadyRedeemed`."""
    now = scope.services.clock.now()
    used = await scope.tx.scalar(
        update(VerdictRow)
        .where(VerdictRow.id == verdict_id, VerdictRow.redeemed_at.is_(None), VerdictRow.revoked_at.is_(None))
        .values(redeemed_at=now)
        .returning(VerdictRow.id)
    )
    if used is None:
        raise AlreadyRedeemed
    await _record(scope, "verdict.redeemed", session, verdict_id)
    if session.evaluation_id is not None:
        await velocity.complete(scope, session.evaluation_id)


async def claims_of(scope: Scope, session: SessionRow, jti: str) -> Claims:
    """What a verdict on ``session`` says if it is issued now."""
    issued_at = int(scope.services.clock.now().timestamp())
    return Claims(
        iss=scope.services.settings.public_url,
        aud=scope.application_id,
        sub=session.vendor_data,
        sid=session.id,
        ver=session.version,
        act=session.action_hash,
        env=session.environment,
        status=session.status,
        method=await _method(scope, session.id),
        ref=session.reference_kind,
        iat=issued_at,
        exp=issued_at + scope.services.settings.verdict_lifetime_s,
        jti=jti,
    )


async def signed(scope: Scope, claims: Claims) -> Verdict:
    """Sign ``claims`` with the key in force."""
    return Verdict(sign(claims, await signing_keys.current(scope.tx, scope.services)), claims)


async def _record(scope: Scope, act: str, session: SessionRow, verdict_id: str) -> None:
    await record(
        scope,
        act,
        object_type="session",
        object_id=session.id,
        vendor_data=session.vendor_data,
        details={"verdict_id": verdict_id, "session_version": session.version},
    )


def _require_fresh_approval(scope: Scope, session: SessionRow) -> None:
    if session.kind != "HOSTED":
        raise NoVerdictHere
    if session.status != APPROVED:
        raise NotApproved(session.status)
    if not codes.is_fresh(scope, session.decided_at):
        raise WindowOver


async def _verified(scope: Scope, token: str) -> Claims:
    services = scope.services
    keys = await signing_keys.public_keys(scope.tx, services)
    try:
        return verify(
            token,
            keys,
            issuer=services.settings.public_url,
            audience=scope.application_id,
            now=services.clock.now(),
        )
    except TokenExpired as error:
        raise ExpiredToken from error
    except TokenInvalid as error:
        raise InvalidToken from error


async def _method(scope: Scope, session_id: str) -> str | None:
    """How the face was captured, as the liveness report has it."""
    stored = await scope.tx.scalar(
        select(ReportRow)
        .where(ReportRow.session_id == session_id, ReportRow.feature == Feature.LIVENESS.value)
        .order_by(ReportRow.created_at, ReportRow.position)
        .limit(1)
    )
    method = Report.from_json(stored.report).facts.get("method") if stored is not None else None
    return method if isinstance(method, str) else None
