"""Calls of the demo that must succeed."""

from __future__ import annotations

from typing import Any

from httpx2 import Response


class DemoFailed(Exception):
    """The service did not do what the demo shows; the message says which call."""


async def called(request: Any) -> dict[str, Any]:
    """The JSON that a call answered; raises :class:`DemoFailed` for anything but success."""
    response: Response = await request
    if not response.is_success:
        raise DemoFailed(
            f"{response.request.method} {response.request.url.path} answered {response.status_code}: {response.text}"
        )
    answer: dict[str, Any] = response.json()
    return answer
