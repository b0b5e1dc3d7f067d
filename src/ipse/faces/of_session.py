"""The faces of one session: the live one that was shown, and the one it is compared with."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from ipse.biometrics.protection import Reference
from ipse.biometrics.templates import Template
from ipse.checks.selfie import ReferenceFace
from ipse.faces import service
from ipse.faces.errors import NoTemplate, TemplateRevoked
from ipse.runtime.scope import Scope
from ipse.storage.columns import Id
from ipse.storage.tables import FaceRow, UserRow

_PROBE: Final = (
    select(FaceRow)
    .where(
        FaceRow.application_id == bindparam("application", type_=Id),
        FaceRow.session_id == bindparam("session", type_=Id),
        FaceRow.purpose.in_(["probe", "reference"]),
    )
    .order_by(FaceRow.sequence.desc())
    .limit(1)
)
"""Built once: every step of a capture asks."""


async def probe_of(scope: Scope, session_id: str) -> FaceRow | None:
    """The last accepted selfie of a session, also after it has become the person's reference."""
    row: FaceRow | None = await scope.tx.scalar(_PROBE, {"application": scope.application_id, "session": session_id})
    return row


async def replace_probe(
    scope: Scope,
    *,
    user: UserRow | None,
    session_id: str,
    media_id: str,
    template: Template | None,
    searchable: bool,
) -> FaceRow:
    """Keep the face of a new submission; earlier ones of the session stop being found by search."""
    earlier = await scope.tx.scalars(
        select(FaceRow).where(
            FaceRow.application_id == scope.application_id,
            FaceRow.session_id == session_id,
            FaceRow.purpose == "probe",
        )
    )
    for row in earlier:
        row.searchable = False
    return await service.add(
        scope,
        user=user,
        session_id=session_id,
        media_id=media_id,
        template=template,
        purpose="probe",
        source="session",
        supplied_by="person",
        searchable=searchable,
    )


async def template_of(scope: Scope, probe: FaceRow) -> Reference | None:
    """The live face of a session, opened for a later request of it; None where there is nothing to compare (any more).

    The check that needs it then reports that no comparison was made.
    """
    try:
        return await service.open_template(scope, probe)
    except (NoTemplate, TemplateRevoked):
        return None


async def reference_face(scope: Scope, face_id: str | None, kind: str | None) -> ReferenceFace | None:
    """The reference that was fixed when the session was created, opened; None when there is none (any more).

    A reference whose template was revoked is there and compares with nobody: the check says to enrol again.

    Faces of applications that answer by scenario have no template and are compared with nothing.
    """
    if face_id is None or kind is None:
        return None
    row: FaceRow | None = await scope.tx.scalar(
        select(FaceRow).where(FaceRow.application_id == scope.application_id, FaceRow.id == face_id)
    )
    if row is None or row.model_id == service.NO_MODEL:
        return None
    try:
        template = await service.open_template(scope, row)
    except TemplateRevoked:
        template = Reference.revoked()
    return ReferenceFace(
        template=template,
        kind=kind,
        supplied_by=row.supplied_by,
        session_id=row.session_id,
        created_at=row.created_at,
        media_id=row.media_id,
        face_id=row.id,
    )
