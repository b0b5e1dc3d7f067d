"""Portraits that an integrator already has: uploaded as profile faces, compared with when nothing better exists."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ipse.audit.service import record
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import ImageError, ImageLimits, decode
from ipse.biometrics.templates import Template
from ipse.edge.authentication import Caller, as_uuid
from ipse.edge.errors import NotFound
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, UserRow
from ipse.users import repository
from ipse.users.errors import TooManyFaces, UnusableImage

MAX_BYTES = 2 * 2**20
MOST_FACES = 5
_FORMATS = frozenset({"jpeg", "png"})


@dataclass(frozen=True, slots=True)
class ExaminedPortrait:
    """An image that can serve. ``template`` is None where results come from scenarios."""

    content: bytes
    content_type: str
    template: Template | None


async def examine(caller: Caller, text: str) -> ExaminedPortrait:
    """Check an uploaded portrait; no transaction is open meanwhile.

    Raises:
        UnusableImage: not base64, not a JPEG or PNG, above 2 MB, or without a face.
    """
    content = _decode_base64(text)
    services = caller.services
    engine = None if caller.application.answers_by_scenario else services.face_engine()
    try:
        return await services.inference.run(_examine, engine, content)
    except ImageError as error:
        raise UnusableImage(error.message) from error


async def store(scope: Scope, user: UserRow, portrait: ExaminedPortrait, comment: str) -> FaceRow:
    """Keep an examined portrait as a profile face, searchable as ``imported``.

    Raises:
        TooManyFaces: the user has five already.
    """
    if await repository.uploaded_faces(scope, user.id) >= MOST_FACES:
        raise TooManyFaces(MOST_FACES)
    kept = await media.store(
        scope, kind="profile_face", content=portrait.content, content_type=portrait.content_type, session_id=None
    )
    face = await faces.add(
        scope,
        user=user,
        session_id=None,
        media_id=kept.id,
        template=portrait.template,
        purpose="profile",
        source="imported",
        supplied_by="integrator",
        searchable=True,
        comment=comment or None,
    )
    await _record(scope, "user.face_added", user, face)
    return face


async def forget(scope: Scope, user: UserRow, face_id: str) -> None:
    """Delete one face of a person with its image; search does not find it from then on.

    Raises:
        NotFound: it is no face of this person.
    """
    row = next((face for face in await repository.faces(scope, user) if face.id == as_uuid(face_id)), None)
    if row is None:
        raise NotFound
    if row.media_id is not None:
        await media.erase(scope, [row.media_id])
    await scope.tx.delete(row)
    await _record(scope, "user.face_removed", user, row)
    await scope.tx.flush()


async def _record(scope: Scope, act: str, user: UserRow, face: FaceRow) -> None:
    details = {"face_id": face.id, "source": face.source}
    await record(scope, act, object_type="user", object_id=user.id, vendor_data=user.vendor_data, details=details)


def _decode_base64(text: str) -> bytes:
    payload = "".join((text.partition(";base64,")[2] if text.startswith("data:") else text).split())
    if len(payload) > MAX_BYTES * 4 // 3 + 8:
        raise UnusableImage("The image is larger than 2 MB.")
    try:
        content = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnusableImage("This is not valid base64.") from error
    if not content:
        raise UnusableImage("The image is empty.")
    return content


def _examine(engine: FaceEngine | None, content: bytes) -> ExaminedPortrait:
    image = decode(content, ImageLimits(max_bytes=MAX_BYTES))
    if image.format not in _FORMATS:
        raise UnusableImage("Send a JPEG or a PNG.")
    if engine is None:
        return ExaminedPortrait(content, f"image/{image.format}", None)
    scan = engine.scan(image)
    if scan.primary is None:
        scan = engine.scan(image, rotate=True)
    if scan.primary is None:
        raise UnusableImage("No face was found in the image.")
    return ExaminedPortrait(content, f"image/{image.format}", engine.template(scan))
