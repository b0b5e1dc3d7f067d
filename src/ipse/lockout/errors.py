"""The refusal that a person in front of the camera sees."""

from __future__ import annotations

import math
from datetime import datetime

from ipse.edge.errors import ApiError


class LockedOut(ApiError):
    """429: too many attempts failed.

    ``{"detail", "locked": {"until", "alternative"}}``: ``until`` null means that waiting does not help. Which limit was
    reached, and whether the person is known at all, is not told.
    """

    def __init__(self, until: datetime | None, now: datetime, alternative: str | None) -> None:
        seconds = None if until is None else max(1, math.ceil((until - now).total_seconds()))
        wait = "Please wait before you try again." if until is not None else "Ask where you came from for another way."
        super().__init__(
            429,
            {
                "detail": f"Too many attempts failed. {wait}",
                "locked": {
                    "until": None if until is None else until.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "alternative": None if alternative is None else {"url": alternative},
                },
            },
            {} if seconds is None else {"Retry-After": str(seconds)},
        )
