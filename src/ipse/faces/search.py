"""Exact 1:N search over the searchable faces of one application.

The similarity of a match is the calibrated 0-100 score of the 1:1 comparison (``biometrics.calibration``). On that
scale the contract's bands mean: *possible* from 62 is a cosine of about .478, *certain* from 68 about .510; both lie
beyond FMR 1.3e-5, which LFW impostors reach at 60 (docs/biometrics). A search makes as many comparisons as there are
faces, so with 10,000 faces about one search in ten of a stranger may show a "possible" match: a hint, no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Final

from ipse.biometrics.calibration import SIMILARITY, similarity_score
from ipse.biometrics.templates import Template
from ipse.checks import names
from ipse.checks.screening import APPROVED, FaceHit
from ipse.decision.settings import DUPLICATE_POSSIBLE
from ipse.faces import gallery, repository
from ipse.lists import service as lists
from ipse.lists.values import ListType
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, SessionRow, UserRow
from ipse.storage.vector_index import Neighbour

Told = Mapping[str, tuple[FaceRow, SessionRow | None, UserRow | None]]

MAX_MATCHES: Final = 5
"""Matches in one answer (contract 30 section 3)."""
_LOOKED_THROUGH: Final = 4096
"""Lookalikes among which the listed ones are looked for when more are near than can be shown."""


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
    deleted a moment ago cannot appear. What stands on a blocklist is never left out, and found behind any number of
    more similar faces.
    """
    wanted = limit * 8
    while True:
        near, listed = await _near(scope, template, wanted, SIMILARITY.inverse(minimum))
        told = await repository.told_about(scope, [one.id for one in near])
        hits: dict[str, FaceHit] = {}
        for one in near:
            if one.id not in told:
                continue
            face, session, user = told[one.id]
            hit = _hit(face, session, user, similarity_score(one.cosine), listed.get(face.id))
            if not hit.is_blocklisted:
                if exclude_vendor_data is not None and face.vendor_data == exclude_vendor_data:
                    continue
                if session is not None and session.id == exclude_session_id:
                    continue
                if only_approved and hit.status != APPROVED:
                    continue
            hits.setdefault(hit.session_id or hit.face_id, hit)
        if len(hits) >= limit or len(near) < wanted:
            chosen = _chosen(tuple(hits.values()), limit)
            return await _compared(scope, chosen, told, exclude_vendor_data) if exclude_vendor_data else chosen
        wanted *= 8


async def _near(
    scope: Scope, template: Template, wanted: int, minimum: float
) -> tuple[tuple[Neighbour, ...], Mapping[str, str]]:
    """The nearest faces, with the listed ones that lie behind them, and the type of list of each listed face."""
    near = await gallery.nearest(scope, template, limit=wanted, minimum=minimum)
    if len(near) < wanted:
        return near, await lists.face_entries(scope, [one.id for one in near])
    far = await gallery.nearest(scope, template, limit=max(wanted, _LOOKED_THROUGH), minimum=minimum)
    listed = await lists.face_entries(scope, [one.id for one in far])
    return (*near, *(one for one in far[len(near) :] if one.id in listed)), listed


async def _compared(scope: Scope, hits: Sequence[FaceHit], told: Told, vendor_data: str) -> tuple[FaceHit, ...]:
    """The hits, with what is known about their people held against what is known about the one searched for."""
    person = await repository.person(scope, vendor_data)
    if person is None:
        return tuple(hits)
    return tuple(_held_against(hit, told[hit.face_id][2], person) for hit in hits)


def _held_against(hit: FaceHit, owner: UserRow | None, person: UserRow) -> FaceHit:
    if owner is None or owner.id == person.id:
        return hit
    born, other_born = person.date_of_birth, owner.date_of_birth
    return replace(
        hit,
        has_other_name=names.differ(person.full_name, owner.full_name),
        has_other_birth_date=born is not None and other_born is not None and born != other_born,
    )


def _chosen(hits: Sequence[FaceHit], limit: int) -> tuple[FaceHit, ...]:
    """``limit`` hits, nearest first; what stands on a list is shown before anything else is."""
    kept = sorted(hits, key=lambda hit: (not hit.is_blocklisted, not hit.is_allowlisted))[:limit]
    return tuple(sorted(kept, key=lambda hit: -hit.similarity_percentage))


def _hit(
    face: FaceRow, session: SessionRow | None, user: UserRow | None, similarity: float, list_type: str | None
) -> FaceHit:
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
        is_blocklisted=list_type == ListType.BLOCKLIST,
        is_allowlisted=list_type == ListType.ALLOWLIST,
    )
