"""Templates at rest: sealed with the biometric ring, each bound to its row."""

from __future__ import annotations

from ipse.biometrics.templates import Template
from ipse.runtime.scope import Scope


def template_context(application_id: str, face_id: str) -> bytes:
    """Associated data that ties a sealed template to its row; key rotation needs it too."""
    return f"face-template|{application_id}|{face_id}".encode()


def search_context(application_id: str, face_id: str) -> bytes:
    """Associated data that ties a sealed search vector to its row; key rotation needs it too."""
    return f"face-search|{application_id}|{face_id}".encode()


def seal_template(scope: Scope, face_id: str, template: Template) -> bytes:
    """The template as the row of this face may hold it."""
    context = template_context(scope.application_id, face_id)
    return scope.services.biometric_ring.seal(template.to_bytes(), context=context)


def open_sealed(scope: Scope, face_id: str, template_sealed: bytes) -> Template:
    """Unseal the template of a face of this application.

    Raises:
        CannotOpen: the sealed bytes belong to another row, another key ring, or were changed.
    """
    context = template_context(scope.application_id, face_id)
    return Template.from_bytes(scope.services.biometric_ring.open(template_sealed, context=context))
