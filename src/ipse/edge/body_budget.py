"""How many bytes of request bodies a process holds at once: beyond it callers wait, and the process lives."""

from __future__ import annotations

from starlette.exceptions import HTTPException


class BodyBudget:
    """Bytes of bodies that are being read or worked on. Uploads stay in memory, so memory must bound them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes taken now."""
        return self._held

    def take(self, count: int) -> None:
        """Take ``count`` bytes.

        A single body is always taken when nothing else is held, however small the budget.

        Raises:
            HTTPException: 503 with ``Retry-After``: too many bodies at once. Nothing was taken.
        """
        if self._held and self._held + count > self._limit:
            raise HTTPException(
                503, "The service is receiving too many large uploads. Please try again.", {"Retry-After": "2"}
            )
        self._held += count

    def give_back(self, count: int) -> None:
        """Return what was taken."""
        self._held -= count
