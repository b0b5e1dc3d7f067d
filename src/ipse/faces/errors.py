"""What can be wrong with a stored face."""

from __future__ import annotations


class NoTemplate(Exception):
    """The face has no template: it was kept by an application whose results come from sandbox scenarios."""

    code = "NO_TEMPLATE"

    def __init__(self, face_id: str) -> None:
        super().__init__(f"Face {face_id} was stored without a template and cannot be compared.")
        self.face_id = face_id


class TemplateRevoked(Exception):
    """The secret that the template needs was destroyed: nobody can be compared with it again."""

    code = "TEMPLATE_REVOKED"

    def __init__(self, version: int) -> None:
        super().__init__(f"The templates of space {version} were revoked; enrol again.")
        self.version = version
