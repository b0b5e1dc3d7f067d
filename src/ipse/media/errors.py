"""What can go wrong with a stored image."""

from __future__ import annotations


class MediaError(Exception):
    """Parent of the errors of this package; ``code`` is stable."""

    code = "MEDIA_ERROR"


class MediumNotFound(MediaError):
    """No medium of this application has the id, or its bytes were erased."""

    code = "MEDIUM_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("This medium does not exist (any more).")


class MediumDamaged(MediaError):
    """The stored bytes are not those that were written, or the biometric key ring does not open them."""

    code = "MEDIUM_DAMAGED"

    def __init__(self, media_id: str) -> None:
        super().__init__(f"The stored bytes of medium {media_id} are damaged. Restore its blob from a backup.")
