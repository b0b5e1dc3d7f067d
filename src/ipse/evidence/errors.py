"""What cannot be replayed, exported or verified."""

from __future__ import annotations


class EvidenceError(Exception):
    """A sentence that says what is wrong with a record or a pack."""


class InvalidRecord(EvidenceError):
    """The stored input of a decision is not what this program, or an older release of it, writes."""


class NothingRecorded(EvidenceError):
    """No check ran in the session, so there is no decision to replay."""
