"""Whether the blob store takes blobs: found out by storing one, as seldom as will do."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from ipse.storage.blobs import BlobError, BlobStore

log = structlog.get_logger(__name__)

LONGEST_WAIT_S: Final = 5.0
"""A load balancer gives up at about that time."""

FRESH_FOR_S: Final = 10.0
"""The health check needs no key; whoever calls it all day long must not make the store write all day long."""


class StorageProbes:
    """Remembers for each store what became of the last probe."""

    def __init__(self) -> None:
        self._last: WeakKeyDictionary[BlobStore, tuple[float, str]] = WeakKeyDictionary()

    async def state(self, store: BlobStore) -> str:
        """``ok``, ``unreachable`` or ``slow``; at most ten seconds old."""
        last = self._last.get(store)
        if last is not None and time.monotonic() - last[0] < FRESH_FOR_S:
            return last[1]
        # Written down at once, so that calls meanwhile do not probe as well.
        self._last[store] = (time.monotonic(), last[1] if last is not None else "ok")
        found = await _probe(store)
        self._last[store] = (time.monotonic(), found)
        return found


async def _probe(store: BlobStore) -> str:
    key = f"health/{uuid.uuid4()}"  # left by a crash it has no row, and the sweeper takes it
    try:
        async with asyncio.timeout(LONGEST_WAIT_S):
            await store.put(key, b"health check")
            await store.delete(key)
    except TimeoutError:
        log.error("healthcheck.blobs", error="slow")
        return "slow"
    except BlobError as error:
        log.error("healthcheck.blobs", error=type(error).__name__)
        return "unreachable"
    return "ok"
