"""Answers to customisations that cannot be carried out."""

from __future__ import annotations

from ipse.edge.errors import FieldErrors


class UnusableImage(FieldErrors):
    """An uploaded logo that cannot be shown as it is; the reason says what to change."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__({field: [reason]})
