"""The portrait of an approved liveness check becomes the person's reference, bound to ``vendor_data``.

A step-up never replaces the reference it was compared with: the target stays locked to the enrolment
(requirement 109). A new session of a workflow that does not compare faces with a stored reference
(enrolment, KYC) does replace it (requirement 161). Only a reference whose template space was retired is protected anew
from the live face, because nothing else is left to renew it from.
"""

from __future__ import annotations

from ipse.decision.features import Feature
from ipse.decision.statuses import Cause, FeatureStatus
from ipse.faces import of_session, renewal
from ipse.faces import service as faces
from ipse.runtime.scope import Scope
from ipse.sessions import repository
from ipse.storage.tables import SessionRow, UserRow

_PROVES_LIFE = frozenset({Feature.LIVENESS, Feature.AGE_ESTIMATION})


async def enrol(scope: Scope, row: SessionRow, cause: Cause) -> None:
    """Make the session's probe the reference of its person, where the rule above allows it.

    A workflow may end in Approved over a face that no liveness check approved; such a face enrols nobody unless a
    reviewer has looked at it.
    """
    if row.user_id is None or not await _is_live(scope, row, cause):
        return
    probe = await of_session.probe_of(scope, row.id)
    if probe is None:
        return
    await renewal.after_success(scope, row, probe)
    current = await faces.current_reference(scope, row.user_id)
    if current is not None and (row.reference_kind is not None or current.session_id == row.id):
        return
    user = await scope.tx.get_one(UserRow, row.user_id)
    await faces.promote_to_reference(scope, probe, user)


async def _is_live(scope: Scope, row: SessionRow, cause: Cause) -> bool:
    checks = [r for r in await repository.reports_of(scope, row.id) if r.feature in _PROVES_LIFE]
    return bool(checks) and (cause is Cause.REVIEWER or all(r.status == FeatureStatus.APPROVED for r in checks))


async def revoke(scope: Scope, row: SessionRow) -> None:
    """A session that is declined after all takes back the reference that it had provided."""
    await faces.revoke_reference_from(scope, row.id)
