"""What can be wrong with the subject of a risk call."""

from __future__ import annotations

from ipse.edge.errors import FieldErrors


class NotReadable(FieldErrors):
    """The text is no address, mailbox or number; the sentence says what one looks like."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: [message]})
