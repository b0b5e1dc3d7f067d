"""Refusals of the capture API; each tells the page what to do."""

from __future__ import annotations

from ipse.edge.errors import ApiError, Detail, FieldErrors


class LinkExpired(Detail):
    """410: the link is no longer valid."""

    def __init__(self) -> None:
        super().__init__(410, "This link has expired. Ask for a new one where you came from.")


class AlreadyDecided(ApiError):
    """409: nothing more can be submitted."""

    def __init__(self, status: str) -> None:
        super().__init__(409, {"detail": "This session is already finished.", "status": status})


class OtherStep(ApiError):
    """409: another step is next; ``start`` or ``state`` tells which."""

    def __init__(self, node_id: str | None) -> None:
        super().__init__(409, {"detail": "Another step comes next. Read the session's state.", "node_id": node_id})


class ChangedMeanwhile(Detail):
    """409: the session moved on while the frames were examined."""

    def __init__(self) -> None:
        super().__init__(409, "The session changed in the meantime. Read its state.", {"Retry-After": "1"})


class UnusableFrame(FieldErrors):
    """400: a frame that is not a usable image."""

    def __init__(self, message: str) -> None:
        super().__init__({"frames": [message]})
