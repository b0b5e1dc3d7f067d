"""The hash chain of the audit log, without a database: digests, links, and where a chain first contradicts itself.

An entry is *committed to* by ``digest``: SHA-256 of the canonical JSON of its clear fields (:class:`Entry`). A *link*
is SHA-256 of the link before and that digest, so the link at position n fixes every entry from 1 to n and their order.
What an entry says about anybody is not among the clear fields: ``commitment`` stands for it, SHA-256 of a random salt
and the content, so the content can be destroyed and the chain still verifies.

A checkpoint (``ipse.audit.checkpoints``) is a signed statement of the link at some position. Without one, whoever can
write to the database could cut the end of the chain off, or compute the whole chain anew.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from ipse.security.canonical_json import canonical_bytes

INSTALLATION: Final = "installation"
"""Name of the chain of acts that belong to no application."""

SALT_BYTES: Final = 32

_DOMAIN: Final = "ipse|audit|"


@dataclass(frozen=True, slots=True)
class Entry:
    """The clear fields of an entry: what ``digest`` is computed over. Digests are 64 hexadecimal digits."""

    id: str
    chain: str
    occurred_at: str
    """Instant in UTC with six decimals (:func:`instant`)."""
    act: str
    actor_type: str
    object_type: str
    object_tag: str | None
    subject_tag: str | None
    commitment: str


FIELDS: Final = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True, slots=True)
class LinkedEntry:
    """An entry with its place, as stored."""

    entry: Entry
    position: int
    digest: str
    chained: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain had grown: what a checkpoint states. Position 0 is the empty chain."""

    chain: str
    position: int
    chained: str


class Fault(enum.StrEnum):
    """What contradicts."""

    CHANGED_ENTRY = "changed_entry"
    """The digest is not that of the fields."""
    CHANGED_CONTENT = "changed_content"
    """The content is not what was committed to."""
    MISSING_ENTRY = "missing_entry"
    """No entry stands at this position, yet later ones do."""
    REORDERED = "reordered"
    """The entry that belongs here stands further on: entries were exchanged, or one was put in."""
    BROKEN_LINK = "broken_link"
    """The link does not follow from the one before: an entry was removed, or the link was changed."""
    CUT = "cut"
    """A checkpoint was signed further on than the chain reaches."""
    REWRITTEN = "rewritten"
    """The chain agrees with itself, but not with a checkpoint."""
    FORGED_CHECKPOINT = "forged_checkpoint"
    """The signature of a checkpoint does not hold, or it is not the one of its row."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The first place where a chain cannot be what was written."""

    fault: Fault
    chain: str
    position: int
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """The end of a verification: how many entries agree, and what contradicts after them, if anything."""

    chain: str
    entries: int
    head: str
    contradiction: Contradiction | None = None


def instant(moment: datetime) -> str:
    """Return the one spelling of a moment: ``2026-11-22T10:00:00.000000+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def commitment(salt: bytes, content: bytes) -> str:
    """Return SHA-256 of ``salt`` and the canonical JSON that ``content`` is, in hex."""
    return hashlib.sha256(salt + content).hexdigest()


def commits_to(expected: str, salt: bytes, content: Mapping[str, Any]) -> bool:
    """Return whether ``expected`` is the commitment to this content."""
    return hmac.compare_digest(expected, commitment(salt, canonical_bytes(content)))


def digest(entry: Entry) -> str:
    """Return SHA-256 of the canonical JSON of the clear fields, in hex."""
    return hashlib.sha256(canonical_bytes({name: getattr(entry, name) for name in FIELDS})).hexdigest()


def genesis(chain: str) -> str:
    """Return the link before the first entry; it ties a chain to its name."""
    return hashlib.sha256(f"{_DOMAIN}{chain}".encode()).hexdigest()


def link(before: str, entry_digest: str) -> str:
    """Return the link of an entry: SHA-256 of the link before and its digest, each as 32 bytes.

    Raises:
        ValueError: one of them is not hexadecimal.
    """
    return hashlib.sha256(bytes.fromhex(before) + bytes.fromhex(entry_digest)).hexdigest()


class Verifier:
    """Follows one chain from its beginning, entry by entry, in the order of their positions.

    After a broken link it reads on only to tell whether the entry that belongs there stands further on.
    """

    def __init__(self, chain: str, checkpoints: Sequence[Head] = ()) -> None:
        self.chain = chain
        self.entries = 0
        self.head = genesis(chain)
        self.contradiction: Contradiction | None = None
        self._stated = {head.position: head for head in checkpoints}
        self._furthest = max(self._stated, default=0)

    def add(self, linked: LinkedEntry) -> None:
        """Check the next entry against everything before it."""
        if self.contradiction is not None:
            self._look_for_displaced(linked)
            return
        self.contradiction = self._contradiction_of(linked)
        if self.contradiction is None:
            self.entries, self.head = linked.position, linked.chained

    def finish(self) -> Verified:
        """Return what was found, now that no entry is left."""
        if self.contradiction is None and self._furthest > self.entries:
            self.contradiction = Contradiction(Fault.CUT, self.chain, self.entries + 1)
        return Verified(self.chain, self.entries, self.head, self.contradiction)

    def _contradiction_of(self, linked: LinkedEntry) -> Contradiction | None:
        entry, due = linked.entry, self.entries + 1
        if linked.position > due:
            return Contradiction(Fault.MISSING_ENTRY, self.chain, due)
        place = (self.chain, due, entry.id)
        if linked.position < due:
            return Contradiction(Fault.BROKEN_LINK, *place)
        if entry.chain != self.chain or digest(entry) != linked.digest:
            return Contradiction(Fault.CHANGED_ENTRY, *place)
        if link(self.head, linked.digest) != linked.chained:
            return Contradiction(Fault.BROKEN_LINK, *place)
        stated = self._stated.get(linked.position)
        if stated is not None and (stated.chained != linked.chained or stated.chain != self.chain):
            return Contradiction(Fault.REWRITTEN, *place)
        return None

    def _look_for_displaced(self, linked: LinkedEntry) -> None:
        found = self.contradiction
        if found is None or found.fault is not Fault.BROKEN_LINK or digest(linked.entry) != linked.digest:
            return
        if link(self.head, linked.digest) == linked.chained:
            self.contradiction = Contradiction(Fault.REORDERED, found.chain, found.position, found.entry_id)


def verify(chain: str, entries: Iterable[LinkedEntry], checkpoints: Sequence[Head] = ()) -> Verified:
    """Follow a chain from its beginning and compare it with checkpoints whose signatures were checked before.

    Args:
        entries: all of them, by ascending position.
    """
    verifier = Verifier(chain, checkpoints)
    for linked in entries:
        verifier.add(linked)
    return verifier.finish()
