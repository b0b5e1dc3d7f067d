"""Verdicts of a session that changes its mind. Issuing and redeeming them is the work of ``ipse.step_up``."""

from __future__ import annotations

from sqlalchemy import update

from ipse.runtime.scope import Scope
from ipse.storage.tables import VerdictRow


async def revoke(scope: Scope, session_id: str) -> None:
    """End every verdict of a session that was not redeemed: its status changed, or a newer one takes its place."""
    await scope.tx.execute(
        update(VerdictRow)
        .where(
            VerdictRow.application_id == scope.application_id,
            VerdictRow.session_id == session_id,
            VerdictRow.redeemed_at.is_(None),
            VerdictRow.revoked_at.is_(None),
        )
        .values(revoked_at=scope.services.clock.now())
    )
