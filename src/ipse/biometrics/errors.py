"""The one error family of the face engine: a stable ``code`` for programs, a plain sentence for people."""

from __future__ import annotations

from typing import ClassVar


class BiometricsError(Exception):
    """Base of every error the face engine raises on purpose."""

    code: ClassVar[str] = "biometrics_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NoFace(BiometricsError):
    """An operation that needs a face was given a scan without one."""

    code = "no_face"


class ModelMismatch(BiometricsError):
    """Two templates of different models were compared; their numbers have nothing to do with one another."""

    code = "model_mismatch"


class MalformedTemplate(BiometricsError):
    """Bytes are not a template of a version this release reads."""

    code = "malformed_template"


class ModelError(BiometricsError):
    """Base of the errors about model files."""

    code = "model_error"


class ModelMissing(ModelError):
    """A required model file is not in the models directory."""

    code = "model_missing"


class ModelChanged(ModelError):
    """A file carries a name of the ledger but not its bytes."""

    code = "model_changed"


class ModelUnlisted(ModelError):
    """A model file in the directory is not in the ledger."""

    code = "model_unlisted"


class ModelUnobtainable(ModelError):
    """A model could not be fetched, or what arrived was not what the ledger expects."""

    code = "model_unobtainable"
