"""Templates and search vectors at rest: sealed with the biometric ring, each bound to its row."""

from __future__ import annotations

from ipse.biometrics.protection import Protected, is_protected
from ipse.biometrics.templates import Template
from ipse.faces.search_vectors import SearchVector
from ipse.runtime.scope import Scope


def template_context(application_id: str, face_id: str) -> bytes:
    """Associated data that ties a sealed template to its row; key rotation needs it too."""
    return f"face-template|{application_id}|{face_id}".encode()


def search_context(application_id: str, face_id: str) -> bytes:
    """Associated data that ties a sealed search vector to its row; key rotation needs it too."""
    return f"face-search|{application_id}|{face_id}".encode()


def seal_template(scope: Scope, face_id: str, template: Protected) -> bytes:
    """The protected template as the row of this face may hold it."""
    context = template_context(scope.application_id, face_id)
    return scope.services.biometric_ring.seal(template.to_bytes(), context=context)


def open_sealed(scope: Scope, face_id: str, template_sealed: bytes) -> Protected | Template:
    """Unseal the template of a face of this application; a ``Template`` where it was stored before protection.

    Raises:
        CannotOpen: the sealed bytes belong to another row, another key ring, or were changed.
        MalformedTemplate: they hold no template.
    """
    context = template_context(scope.application_id, face_id)
    content = scope.services.biometric_ring.open(template_sealed, context=context)
    return Protected.from_bytes(content) if is_protected(content) else Template.from_bytes(content)


def seal_search_vector(scope: Scope, face_id: str, vector: SearchVector) -> bytes:
    """The search vector as the row of this face may hold it."""
    context = search_context(scope.application_id, face_id)
    return scope.services.biometric_ring.seal(vector.to_bytes(), context=context)


def open_search_vector(scope: Scope, face_id: str, search_sealed: bytes) -> SearchVector:
    """Unseal the search vector of a face of this application.

    Raises:
        CannotOpen: the sealed bytes belong to another row, another key ring, or were changed.
        MalformedTemplate: they hold no search vector.
    """
    context = search_context(scope.application_id, face_id)
    return SearchVector.from_bytes(scope.services.biometric_ring.open(search_sealed, context=context))
