"""What is known of an address: the one entry point of address intelligence.

    network = NetworkIntelligence.load(folder)
    network.look_up("8.8.8.8", on=today).country

A look-up reads mapped files and takes a fifth of a millisecond (``bench/ip_lookup.py``). The files may be replaced
while the process runs: at most once a minute a look-up notices and has them loaded on a thread, and goes on with the
old ones until that is done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import structlog

from ipse.intelligence.addresses import MAX_TEXT
from ipse.intelligence.datasets import MANIFEST
from ipse.intelligence.facts import NetworkFacts, Source
from ipse.intelligence.loading import load_snapshot
from ipse.intelligence.own import own_files
from ipse.intelligence.snapshot import Problem, Snapshot

log = structlog.get_logger(__name__)

_LOOK_AGAIN_SECONDS: Final = 60.0
_REMEMBERED: Final = 4096

_Stamp = tuple[tuple[str, int, int], ...]


class NetworkIntelligence:
    """The data files of one folder, loaded. Safe to use from several threads."""

    def __init__(self, folder: Path | None, snapshot: Snapshot, stamp: _Stamp) -> None:
        self._folder = folder
        self._snapshot = snapshot
        self._recent = _remembering(snapshot)
        self._stamp = stamp
        self._looked_at = time.monotonic()
        self._loading = threading.Lock()

    @classmethod
    def load(cls, folder: Path | None) -> NetworkIntelligence:
        """Load what is there. Never raises: files that are missing or broken are named in the facts and the log."""
        stamp = _stamp_of(folder)
        return cls(folder, _loaded(folder), stamp)

    def look_up(self, address: str | None, *, on: date) -> NetworkFacts:
        """Return what is known of ``address``; ages of the sources are counted to the day ``on``.

        Text that is no address gives facts whose ``address`` is None.
        """
        if time.monotonic() - self._looked_at > _LOOK_AGAIN_SECONDS:
            self._looked_at = time.monotonic()
            threading.Thread(target=self.refresh, name="ipse-intelligence", daemon=True).start()
        # Whatever is longer than an address is none, and must not fill the memory of recent look-ups.
        return self._recent(address if address and len(address) <= MAX_TEXT else None, on)

    def datasets(self, on: date | None = None) -> tuple[Source, ...]:
        """The data sets in force, the most believed first; with ages where a day is given."""
        sources = [layer.dataset.source(on or date.min) for layer in self._snapshot.layers]
        if on is None:
            sources = [Source(one.dataset, one.version, one.published, None) for one in sources]
        return tuple(sources)

    @property
    def missing(self) -> tuple[str, ...]:
        """Data sets that are not installed or cannot be used."""
        return self._snapshot.missing

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Files that are there and cannot be used."""
        return self._snapshot.problems

    def refresh(self) -> bool:
        """Load the files again if they have changed; say whether they had."""
        with self._loading:
            stamp = _stamp_of(self._folder)
            if stamp == self._stamp:
                return False
            self._snapshot, self._stamp = _loaded(self._folder), stamp
            self._recent = _remembering(self._snapshot)
        log.info("intelligence.reloaded", datasets=[layer.dataset.name for layer in self._snapshot.layers])
        return True


def _remembering(snapshot: Snapshot) -> Callable[[str | None, date], NetworkFacts]:
    """One session asks for its address several times."""
    return lru_cache(_REMEMBERED)(snapshot.facts)


def _loaded(folder: Path | None) -> Snapshot:
    snapshot = load_snapshot(folder)
    for problem in snapshot.problems:
        log.error("intelligence.unusable", file=problem.name, reason=problem.reason)
    return snapshot


def _stamp_of(folder: Path | None) -> _Stamp:
    """What tells one state of the folder from another: names, times and sizes."""
    if folder is None:
        return ()
    found = []
    for path in (folder / MANIFEST, *own_files(folder)):
        try:
            facts = path.stat()
        except OSError:  # not there, or replaced at this moment: the next look sees it
            continue
        found.append((path.name, facts.st_mtime_ns, facts.st_size))
    return tuple(found)
