"""What the worker does for devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ipse.devices import repository
from ipse.runtime.services import Services

SETTLED: Final = timedelta(hours=1)
"""Younger devices are left alone: the sighting may be on its way."""
_AT_ONCE: Final = 500


async def forget_unseen(services: Services) -> int:
    """Delete devices that no sighting names any more, because users or sessions were deleted; return how many."""
    deleted = 0
    while True:
        async with services.database.writing() as tx:
            count = await repository.delete_unseen(tx, services.clock.now() - SETTLED, _AT_ONCE)
        deleted += count
        if count < _AT_ONCE:
            return deleted
