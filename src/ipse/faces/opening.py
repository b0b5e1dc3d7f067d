"""Unsealing what search compares, for the copy in memory and for the database's index alike."""

from __future__ import annotations

from ipse.biometrics.errors import MalformedTemplate
from ipse.biometrics.templates import Template
from ipse.faces.repository import SealedFace
from ipse.faces.rotation import SearchSpace
from ipse.faces.sealing import open_sealed, open_search_vector
from ipse.faces.search_vectors import SearchVector
from ipse.runtime.scope import Scope


class OtherSpace(Exception):
    """A face stands in another search space than the one that was read: the space was renewed meanwhile."""


def opened(scope: Scope, face: SealedFace, space: SearchSpace) -> SearchVector:
    """The search vector of a face in ``space``; one that was stored without is turned from its unprotected template.

    Raises:
        OtherSpace: the vector stands in another search space.
        CannotOpen: the sealed bytes belong to another row, another key ring, or were changed.
        MalformedTemplate: they hold no vector.
    """
    if face.search_sealed is not None:
        vector = open_search_vector(scope, face.id, face.search_sealed)
        if vector.fingerprint != space.fingerprint:
            raise OtherSpace
        return vector
    template = open_sealed(scope, face.id, face.template_sealed or b"")
    if not isinstance(template, Template):
        raise MalformedTemplate(f"The searchable face {face.id} has no search vector.")
    return SearchVector.of(template, space)
