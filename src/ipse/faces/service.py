"""Enrolled references and stored faces. Templates are stored protected (decision 0018), sealed, bound to their row."""

from __future__ import annotations

from typing import Final

from ipse.biometrics.protection import AuxiliaryData, Comparable, Reference, Transformation, protect
from ipse.biometrics.templates import Template
from ipse.faces import database_index, repository, rotation, spaces
from ipse.faces.errors import NoTemplate
from ipse.faces.sealing import open_sealed, seal_search_vector, seal_template
from ipse.faces.search_vectors import SearchVector
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, UserRow

NO_MODEL: Final = "none"
"""``model_id`` of a face kept by an application that answers by scenario: there is no template to compare."""


async def add(
    scope: Scope,
    *,
    user: UserRow | None,
    session_id: str | None,
    media_id: str | None,
    template: Comparable | None,
    purpose: str,
    source: str,
    supplied_by: str,
    searchable: bool,
    vendor_data: str | None = None,
    comment: str | None = None,
) -> FaceRow:
    """Store a face, live or a stored one that is copied.

    ``vendor_data`` defaults to that of ``user``; a face without template is never searchable.
    """
    row = FaceRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        user_id=user.id if user else None,
        vendor_data=vendor_data if user is None else user.vendor_data,
        session_id=session_id,
        media_id=media_id,
        purpose=purpose,
        source=source,
        supplied_by=supplied_by,
        searchable=searchable and template is not None,
        model_id=NO_MODEL,
        template_sealed=b"",
        comment=comment,
        created_at=scope.services.clock.now(),
        superseded_at=None,
    )
    if template is not None:
        await protect_anew(scope, row, template)
    scope.tx.add(row)
    await scope.tx.flush()
    await database_index.remember(scope, row)
    return row


async def protect_anew(scope: Scope, row: FaceRow, face: Comparable) -> None:
    """Make ``face`` the template of a row, under a fresh transformation in the newest template space.

    A searchable face gets its search vector if it has none; one that it has stands in a space of its own.
    """
    space = await spaces.current(scope)
    auxiliary = AuxiliaryData.fresh(face.model_id, space.version)
    protected = protect(face, auxiliary, _transformation(scope, space, row.id, auxiliary))
    row.model_id = face.model_id
    row.space_version = space.version
    row.template_sealed = seal_template(scope, row.id, protected)
    if row.searchable and row.search_sealed is None:
        vector = SearchVector.of(face, await rotation.of_application(scope))
        row.search_sealed = seal_search_vector(scope, row.id, vector)


async def current_reference(scope: Scope, user_id: str) -> FaceRow | None:
    """The face a person is compared with: the enrolled reference, else the newest profile face, else None."""
    return await repository.current(scope, user_id, "reference", "profile")


async def promote_to_reference(scope: Scope, probe: FaceRow, user: UserRow) -> FaceRow:
    """Make a live face the person's reference; the one before is kept, superseded."""
    await repository.mark_superseded(scope, user.id, scope.services.clock.now())
    probe.purpose = "reference"
    probe.user_id = user.id
    probe.vendor_data = user.vendor_data
    probe.superseded_at = None
    await scope.tx.flush()
    return probe


async def revoke_reference_from(scope: Scope, session_id: str) -> None:
    """Take back the reference that a session provided; if it was in use, the one before it is in use again."""
    for row in await repository.references_of_session(scope, session_id):
        in_use = row.superseded_at is None
        row.purpose = "probe"
        row.superseded_at = None
        await scope.tx.flush()
        if in_use and row.user_id is not None:
            earlier = await repository.last_superseded(scope, row.user_id)
            if earlier is not None:
                earlier.superseded_at = None
    await scope.tx.flush()


async def open_template(scope: Scope, row: FaceRow) -> Reference:
    """The template of a face, ready to be compared.

    Raises:
        NoTemplate: the face was stored without one.
        TemplateRevoked: the secret of its space was destroyed.
        CannotOpen: the sealed bytes belong to another row, another key ring, or were changed.
    """
    if row.model_id == NO_MODEL:
        raise NoTemplate(row.id)
    stored = open_sealed(scope, row.id, row.template_sealed)
    if isinstance(stored, Template):
        return Reference.unprotected(stored)
    space = await spaces.of_version(scope, stored.auxiliary.space_version)
    return Reference.of(stored, _transformation(scope, space, row.id, stored.auxiliary))


def _transformation(
    scope: Scope, space: spaces.TemplateSpace, face_id: str, auxiliary: AuxiliaryData
) -> Transformation:
    return Transformation.of(space.secret, auxiliary, application_id=scope.application_id, face_id=face_id)
