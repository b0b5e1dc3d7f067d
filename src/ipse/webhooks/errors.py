"""Answers to destinations and resends that cannot be carried out."""

from __future__ import annotations

from collections.abc import Sequence

from ipse.edge.errors import Detail, FieldErrors, NotFound


class DuplicateUrl(FieldErrors):
    """Another destination of the application has the URL."""

    def __init__(self) -> None:
        super().__init__({"url": ["A webhook destination with this URL already exists for this application."]})


class UnusableDestinationUrl(FieldErrors):
    """The URL can never be delivered to."""

    def __init__(self, reason: str) -> None:
        super().__init__({"url": [reason]})


class NoEvents(FieldErrors):
    """An explicit empty list of events."""

    def __init__(self) -> None:
        super().__init__({"subscribed_events": ["Subscribe to at least one event, or omit the field for all of them."]})


class UnknownEvents(FieldErrors):
    """Names that are no events."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__({"subscribed_events": [f'"{name}" is not a valid choice.' for name in names]})


class NotStoredHere(FieldErrors):
    """A setting of the legacy endpoint that this service keeps elsewhere or does not have."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: [message]})


class DestinationNotFound(NotFound):
    """Unknown or of another application."""


class DeliveryNotFound(NotFound):
    """Unknown, of another session or of another application."""


class DestinationDisabled(Detail):
    """A resend to a destination that is switched off."""

    def __init__(self) -> None:
        super().__init__(400, "This destination is disabled. Enable it first, then resend.")
