"""Exact 1:N search over the searchable faces of one application.

The similarity of a match is the calibrated 0-100 score of the 1:1 comparison (``biometrics.calibration``). On that
scale the contract's bands mean: *possible* from 62 is a cosine of about .478, *certain* from 68 about .510; both lie
beyond FMR 1.3e-5, which LFW impostors reach at 60 (docs/biometrics). A search makes as many comparisons as there are
faces, so with 10,000 faces about one search in ten of a stranger may show a "possible" match: a hint, no verdict.
"""

from __future__ import annotations

from datetime import UTC
from typing import Final

from ipse.biometrics.calibration import SIMILARITY, similarity_score
from ipse.biometrics.templates import Template
from ipse.checks.screening import FaceHit
from ipse.decision.settings import DUPLICATE_POSSIBLE
from ipse.faces import gallery, repository
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, SessionRow, UserRow

MAX_MATCHES: Final = 5
"""Matches in one answer (contract 30 section 3)."""


async def search(
    scope: Scope,
    template: Template,
    *,
    limit: int = MAX_MATCHES,
    exclude_vendor_data: str | None = None,
    exclude_session_id: str | None = None,
    only_approved: bool = False,
    minimum: float = DUPLICATE_POSSIBLE,
) -> tuple[FaceHit, ...]:
    """The most similar stored faces of at least ``minimum`` similarity (0-100), nearest first.

    One hit per session and, for faces without a session, one per face. ``exclude_vendor_data`` leaves a person's own
    faces out: nobody is a duplicate of themselves. Every hit is read from the database again, so a face that was
    deleted a moment ago cannot appear.
    """
    await gallery.catch_up(scope)
    wanted = limit * 8
    while True:
        near = await gallery.nearest(scope, template, limit=wanted, minimum=SIMILARITY.inverse(minimum))
        told = await repository.told_about(scope, [one.id for one in near])
        hits: dict[str, FaceHit] = {}
        for one in near:
            if one.id not in told:
                continue
            face, session, user = told[one.id]
            if exclude_vendor_data is not None and face.vendor_data == exclude_vendor_data:
                continue
            if session is not None and session.id == exclude_session_id:
                continue
            hit = _hit(face, session, user, similarity_score(one.cosine))
            if not only_approved or hit.status == "Approved":
                hits.setdefault(hit.session_id or hit.face_id, hit)
        if len(hits) >= limit or len(near) < wanted:
            return tuple(hits.values())[:limit]
        wanted *= 8


def _hit(face: FaceRow, session: SessionRow | None, user: UserRow | None, similarity: float) -> FaceHit:
    verified = session.decided_at if session is not None else None
    return FaceHit(
        face_id=face.id,
        similarity_percentage=similarity,
        source=face.source,
        session_id=session.id if session is not None else None,
        session_number=session.session_number if session is not None else None,
        vendor_data=face.vendor_data,
        verification_date=verified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if verified is not None else None,
        full_name=user.full_name if user is not None else None,
        status=session.status if session is not None else None,
        api_service=session.api_service if session is not None else None,
        media_id=face.media_id,
    )
