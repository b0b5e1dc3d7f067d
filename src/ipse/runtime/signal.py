"""A bell that wakes the worker of the same process; other processes poll."""

from __future__ import annotations

import asyncio


class Signal:
    """An event that is consumed by waiting for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits, now or at the next wait."""
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the bell for at most ``timeout_s`` seconds; True when it rang."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return False
        self._event.clear()
        return True
