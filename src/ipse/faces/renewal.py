"""Renewing the templates of an application: a new secret, and every stored face under it (decision 0018).

A face whose portrait is kept is embedded from it again, without the person. The others stay in the space they are in
until their person succeeds the next time; their reference then becomes the live face of that success. A portrait that
does not show the stored face renews nothing: whoever exchanges a picture must not become the person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ipse.audit import service as audit
from ipse.biometrics.calibration import SIMILARITY
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import ImageError, decode
from ipse.biometrics.protection import Comparable, Reference
from ipse.biometrics.templates import Template
from ipse.faces import repository, search_renewal, service, spaces
from ipse.faces.errors import NoTemplate, TemplateRevoked
from ipse.media import service as media
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.storage.tables import FaceRow, SessionRow

Progress = Callable[[str, int, int], None]
"""Called with what is worked on, how much of it is done, and how much there is."""

SAME_FACE: Final = SIMILARITY.inverse(60.0)
"""Cosine from which a kept portrait shows the stored face: where a face match is approved (FMR 1.3e-5 on LFW)."""
_PAGE: Final = 16
"""Faces embedded at a time and written in one transaction, so that a killed renewal loses little."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """``version`` protects new templates now. ``waiting`` faces stay as they are until their person succeeds again;
    the secrets of ``destroyed`` versions were needed by nobody any more."""

    version: int
    renewed: int
    waiting: int
    destroyed: tuple[int, ...]


async def renew(
    services: Services, application: Application, *, resume: bool = False, progress: Progress | None = None
) -> Renewal:
    """Make a new template space, and a new search space, and renew what can be renewed without the person.

    ``resume`` finishes a renewal that was interrupted: it makes no new space. Safe beside running servers.

    Raises:
        CannotOpen: something stored was sealed elsewhere or changed; what was renewed so far stays so.
    """
    async with services.database.writing() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        if resume:
            version = (await spaces.current(scope)).version
        else:
            version = (await spaces.advance(scope)).version
            await search_renewal.move(scope)
        total = await repository.count_behind(scope, version)
    renewed = done = last = 0
    while True:
        async with services.database.reading() as tx:
            page = await repository.behind(Scope(tx, application, services), version, last, limit=_PAGE)
        if not page:
            break
        fresh = await asyncio.gather(*(_again(services, application, row) for row in page))
        async with services.database.writing() as tx:
            scope = Scope(tx, application, services, SYSTEM)
            for row, face in zip(page, fresh, strict=True):
                renewed += face is not None and await _replace(scope, row, face)
        last, done = page[-1].sequence, done + len(page)
        if progress is not None:
            progress(application.name, done, max(total, done))
    async with services.database.writing() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        outcome = Renewal(version, renewed, await repository.count_behind(scope, version), await spaces.destroy(scope))
        told = {"renewed": renewed, "waiting": outcome.waiting, "destroyed": list(outcome.destroyed)}
        await _tell(scope, "templates.renewed", version, told)
        return outcome


async def revoke(
    services: Services, application: Application, *, needed_too: bool = False
) -> tuple[tuple[int, ...], int]:
    """Destroy the secrets of retired spaces; their numbers, and how many faces can match no more.

    Those that a face still needs stay, unless ``needed_too``.
    """
    async with services.database.writing() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        gone = await spaces.destroy(scope, needed_too=needed_too)
        lost = await repository.count_in(scope, gone)
        if gone:
            await _tell(scope, "templates.revoked", gone[-1], {"spaces": list(gone), "faces_to_enrol_again": lost})
        return gone, lost


async def after_success(scope: Scope, session: SessionRow, probe: FaceRow) -> bool:
    """Protect the reference that a person has just been compared with anew, from their live face, if it is behind.

    Row, provenance and purpose stay; only what is compared the next time is new. Return whether it was renewed.
    """
    row = await repository.by_id(scope, session.reference_face_id) if session.reference_face_id else None
    if row is None or row.id == probe.id or service.NO_MODEL in (row.model_id, probe.model_id):
        return False
    if row.space_version is not None and row.space_version >= (await spaces.current(scope)).version:
        return False
    try:
        live = await service.open_template(scope, probe)
        stored = await service.open_template(scope, row)
    except TemplateRevoked:  # nobody was compared with it, so this success says nothing about it
        return False
    if live.model_id != stored.model_id or stored.compare(live) < SAME_FACE:
        return False
    await service.protect_anew(scope, row, live)
    row.renewed_at = scope.services.clock.now()
    await scope.tx.flush()
    await spaces.destroy(scope)
    return True


async def _tell(scope: Scope, act: str, version: int, details: Mapping[str, Any]) -> None:
    await audit.record(scope, act, object_type="template_space", object_id=str(version), details=details)


async def _again(services: Services, application: Application, row: FaceRow) -> Comparable | None:
    """The face of a row without its person: from the portrait; unprotected ones are there already. Else None."""
    async with services.database.reading() as tx:
        scope = Scope(tx, application, services)
        try:
            stored = await service.open_template(scope, row)
        except (NoTemplate, TemplateRevoked):
            return None
        if row.space_version is None:
            return stored
        if row.media_id is None:
            return None
        try:
            picture = await media.read(scope, row.media_id)
        except (MediumNotFound, MediumDamaged):
            return None
    embedded = await services.inference.run(_embed, services.face_engine(), picture.content)
    return embedded if embedded is not None and _shows(stored, embedded) else None


def _embed(engine: FaceEngine, content: bytes) -> Template | None:
    try:
        image = decode(content)
    except ImageError:
        return None
    scan = engine.scan(image)
    if scan.primary is None:
        scan = engine.scan(image, rotate=True)
    return engine.template(scan) if scan.primary is not None else None


def _shows(stored: Reference, embedded: Template) -> bool:
    return stored.model_id == embedded.model_id and stored.compare(embedded) >= SAME_FACE


async def _replace(scope: Scope, seen: FaceRow, face: Comparable) -> bool:
    """Write the renewed template, unless the face was deleted or renewed meanwhile."""
    row = await repository.by_id(scope, seen.id, lock=True)
    if row is None or row.space_version != seen.space_version:
        return False
    await service.protect_anew(scope, row, face)
    row.renewed_at = scope.services.clock.now()
    await scope.tx.flush()
    return True


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """A template space: ``state`` is ``protects``, ``retired`` or ``destroyed``."""

    version: int
    state: str
    faces: int


@dataclass(frozen=True, slots=True)
class Status:
    """``unprotected`` faces were stored before templates were protected: they are sealed, but compared in clear.

    ``renewable`` of the faces that are ``behind`` the newest space need not wait for their person.
    """

    spaces: Sequence[SpaceStatus]
    unprotected: int
    behind: int
    renewable: int


async def status(services: Services, application: Application) -> Status:
    """How the templates of an application are protected; counts faces of every purpose."""
    async with services.database.reading() as tx:
        scope = Scope(tx, application, services)
        newest = await spaces.newest_version(scope)
        counts = await repository.count_by_space(scope)
        found = [
            SpaceStatus(row.version, spaces.state(row), counts.get(row.version, 0))
            for row in await spaces.all_of(scope)
        ]
        behind = await repository.count_behind(scope, newest)
        renewable = await repository.count_behind(scope, newest, renewable=True)
        return Status(found, counts.get(None, 0), behind, renewable)
