"""Which face a session compares with, decided when the session is created and fixed from then on.

Order of the contract (file 10, "Reference face"): the supplied portrait, then the face stored at enrolment,
then a profile face. The application's ``reference_source`` narrows it (requirement X16).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import ImageError, ImageLimits, decode
from ipse.biometrics.templates import Template
from ipse.checks import face_match
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, WorkflowGraph
from ipse.edge.authentication import Caller
from ipse.edge.errors import FieldErrors
from ipse.faces import of_session
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.runtime.application import ReferenceSource
from ipse.runtime.scope import Scope
from ipse.sessions.errors import NoReferenceFace, PortraitDoesNotMatch, SuppliedReferenceRefused
from ipse.storage.tables import FaceRow, SessionRow, UserRow

MAX_PORTRAIT_BYTES = 2 * 2**20
"""Contract 90, B4: the larger of the documented limits."""

FIRST_USE = "first_use"
"""``reference_kind`` of a session that enrols an unknown person instead of comparing (contract 90, B6)."""

SAME_PERSON_SCORE = 60.0
"""Score from which a supplied portrait counts as the enrolled person: FMR 1.3e-5 on LFW (docs/biometrics)."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A supplied portrait that was checked. ``template`` is None where results come from scenarios."""

    content: bytes
    content_type: str
    template: Template | None


def compares_with_reference(graph: WorkflowGraph) -> bool:
    """True when the workflow has a face match that no document precedes: then a reference must exist."""
    seen_document = False
    compares = False
    for node in graph.nodes.values():
        if isinstance(node, FeatureNode):
            seen_document = seen_document or node.feature in {Feature.OCR, Feature.NFC}
            compares = compares or node.feature is Feature.FACE_MATCH
    return compares and not seen_document


def decode_base64(text: str) -> bytes:
    """Bytes of a base64 text, a ``data:`` prefix and line breaks tolerated; 400 for anything else."""
    payload = text.partition(";base64,")[2] if text.startswith("data:") else text
    payload = "".join(payload.split())
    if len(payload) > MAX_PORTRAIT_BYTES * 4 // 3 + 8:
        raise FieldErrors({"portrait_image": ["The image is larger than 2 MB."]})
    try:
        content = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FieldErrors({"portrait_image": ["This is not valid base64."]}) from error
    if not content:
        raise FieldErrors({"portrait_image": ["The image is empty."]})
    return content


async def examine_portrait(caller: Caller, text: str) -> Portrait:
    """Check a supplied portrait: an image of at most 2 MB with one usable face. No transaction is open."""
    content = decode_base64(text)
    limits = ImageLimits(max_bytes=MAX_PORTRAIT_BYTES)
    services = caller.services
    try:
        if caller.application.answers_by_scenario:
            image = await services.inference.run(decode, content, limits)
            return Portrait(content, f"image/{image.format}", None)
        engine = services.face_engine()
        content_type, template = await services.inference.run(_portrait_template, engine, content, limits)
    except ImageError as error:
        raise FieldErrors({"portrait_image": [error.message]}) from error
    if template is None:
        raise FieldErrors({"portrait_image": ["No face was found in the image."]})
    return Portrait(content, content_type, template)


def _portrait_template(engine: FaceEngine, content: bytes, limits: ImageLimits) -> tuple[str, Template | None]:
    image = decode(content, limits)
    scan = engine.scan(image)
    if scan.primary is None:
        scan = engine.scan(image, rotate=True)
    return f"image/{image.format}", engine.template(scan) if scan.primary is not None else None


async def attach(
    scope: Scope, session: SessionRow, user: UserRow | None, portrait: Portrait | None, *, required: bool
) -> None:
    """Fix the session's reference; 400 when the workflow needs one and none can be found."""
    policy = scope.application.reference_source
    if portrait is not None and policy is ReferenceSource.STORED_ONLY and required:
        raise SuppliedReferenceRefused
    if not required:
        return
    stored = await faces.current_reference(scope, user.id) if user is not None else None
    if portrait is not None:
        if policy is ReferenceSource.SUPPLIED_MUST_MATCH_STORED and stored is not None:
            await _require_same_person(scope, portrait, stored)
        session.reference_face_id = (await _keep_portrait(scope, session, user, portrait)).id
        session.reference_kind = "supplied"
    elif stored is not None:
        session.reference_face_id = stored.id
        session.reference_kind = "profile" if stored.purpose == "profile" else "stored"
    elif user is not None and scope.application.enroll_on_first_use:
        session.reference_face_id = None
        session.reference_kind = FIRST_USE
    else:
        raise NoReferenceFace(has_subject=user is not None)


async def _require_same_person(scope: Scope, portrait: Portrait, stored: FaceRow) -> None:
    if portrait.template is None:
        return
    score = face_match.similarity(portrait.template, await of_session.reference_face(scope, stored.id, "stored"))
    if score is None or score < SAME_PERSON_SCORE:
        raise PortraitDoesNotMatch


async def _keep_portrait(scope: Scope, session: SessionRow, user: UserRow | None, portrait: Portrait) -> FaceRow:
    kept = await media.store(
        scope,
        kind="supplied_portrait",
        content=portrait.content,
        content_type=portrait.content_type,
        session_id=session.id,
    )
    return await faces.add(
        scope,
        user=user,
        session_id=session.id,
        media_id=kept.id,
        template=portrait.template,
        purpose="supplied",
        source="imported",
        supplied_by="integrator",
        searchable=False,
    )
