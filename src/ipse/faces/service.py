"""Enrolled references and stored faces. Every template is sealed with the biometric ring, bound to its row."""

from __future__ import annotations

from typing import Final

from ipse.biometrics.templates import Template
from ipse.faces import database_index, repository
from ipse.faces.errors import NoTemplate
from ipse.faces.sealing import open_sealed, seal_template
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
    template: Template | None,
    purpose: str,
    source: str,
    supplied_by: str,
    searchable: bool,
    vendor_data: str | None = None,
    comment: str | None = None,
) -> FaceRow:
    """Store a face. ``vendor_data`` defaults to that of ``user``; a face without template is never searchable."""
    face_id = scope.services.identifiers.uuid()
    row = FaceRow(
        id=face_id,
        application_id=scope.application_id,
        user_id=user.id if user else None,
        vendor_data=vendor_data if user is None else user.vendor_data,
        session_id=session_id,
        media_id=media_id,
        purpose=purpose,
        source=source,
        supplied_by=supplied_by,
        searchable=searchable and template is not None,
        model_id=template.model_id if template else NO_MODEL,
        template_sealed=b"" if template is None else seal_template(scope, face_id, template),
        comment=comment,
        created_at=scope.services.clock.now(),
        superseded_at=None,
    )
    scope.tx.add(row)
    await scope.tx.flush()
    if template is not None and row.searchable:
        await database_index.remember(scope, face_id, template, source=source)
    return row


async def current_reference(scope: Scope, user_id: str) -> FaceRow | None:
    """The face a person is compared with: the enrolled reference, else the newest profile face, else None."""
    enrolled = await repository.current(scope, user_id, "reference")
    return enrolled if enrolled is not None else await repository.current(scope, user_id, "profile")


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


def open_template(scope: Scope, row: FaceRow) -> Template:
    """Unseal a template.

    Raises:
        NoTemplate: the face was stored without one.
        CannotOpen: the sealed bytes belong to another row, another key ring, or were changed.
    """
    if row.model_id == NO_MODEL:
        raise NoTemplate(row.id)
    return open_sealed(scope, row.id, row.template_sealed)
