"""What proves, without a database, that the entries about a session stand in a signed chain.

A proof is cut into segments. Each begins with the link before its first entry, names every step from there to a
checkpoint (our own entries with all their fields, those of others by digest only, which tells nothing) and ends with
the signed checkpoint: whoever follows the steps must arrive at the head that was signed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from ipse.audit import checkpoints, repository
from ipse.audit.chain import Entry, commits_to, digest, link
from ipse.audit.linking import checkpoint_now
from ipse.audit.sealing import open_content
from ipse.audit.service import object_tag
from ipse.runtime.scope import Scope
from ipse.security.keyring import KeyRing
from ipse.storage.tables import AuditEntryRow

FORMAT: Final = 1


class ProofInvalid(Exception):
    """The proof does not hold; the message says where."""


async def of_session(scope: Scope, session_id: str) -> Mapping[str, Any]:
    """Return the proof of every entry about a session, as JSON values.

    ``scope`` must be on a writing transaction: what is not linked yet is linked now, and a checkpoint is made when none
    covers the last entry. The content of an erased entry is None.
    """
    tx, chain = scope.tx, scope.application_id
    tag = object_tag(scope, "session", session_id)
    await tx.flush()
    rows = await repository.about(tx, chain, tag)
    last = max((row.position or 0 for row in rows), default=0)
    if any(row.position is None for row in rows) or (
        rows and await repository.checkpoint_from(tx, chain, last) is None
    ):
        await checkpoint_now(tx, scope.services, chain)
        rows = await repository.about(tx, chain, tag)
    return {"format": FORMAT, "chain": chain, "segments": await _segments(scope, rows)}


def verify(
    proof: Mapping[str, Any], trusted: Collection[str] | None
) -> Sequence[tuple[Entry, Mapping[str, Any] | None]]:
    """Check a proof; return the entries with their contents (None where erased), in order.

    Args:
        trusted: thumbprints of the keys that may have signed; None accepts any.

    Raises:
        ProofInvalid: a member is missing, a content is not what was committed to, or the steps do not arrive at the
            signed head.
        StatementInvalid: a checkpoint is not one, or was signed by another key.
    """
    try:
        if proof["format"] != FORMAT:
            raise ProofInvalid("The format of the proof is not known.")
        found = [one for segment in proof["segments"] for one in _checked(str(proof["chain"]), segment, trusted)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProofInvalid("A member of the proof is missing or has the wrong type.") from error
    return found


async def _segments(scope: Scope, rows: Sequence[AuditEntryRow]) -> list[dict[str, Any]]:
    tx, chain, ring = scope.tx, scope.application_id, scope.services.ordinary_ring
    ours = {row.position or 0: row for row in rows}
    segments: list[dict[str, Any]] = []
    covered = 0
    for position in sorted(ours):
        if position <= covered:
            continue
        checkpoint = await repository.checkpoint_from(tx, chain, position)
        assert checkpoint is not None  # of_session has just made one
        covered = checkpoint.position
        steps = [
            _full(ring, ours[at]) if at in ours else {"digest": entry_digest}
            for at, entry_digest in await repository.digests_between(tx, chain, position, covered)
        ]
        before = await repository.chained_at(tx, chain, position - 1)
        segments.append({"from": position, "before": before, "steps": steps, "checkpoint": checkpoint.signed})
    return segments


def _full(ring: KeyRing, row: AuditEntryRow) -> dict[str, Any]:
    step: dict[str, Any] = {"entry": asdict(repository.entry_of(row)), "salt": None, "content": None}
    if row.details_sealed is not None:
        salt, step["content"] = open_content(ring, row.chain, row.id, row.details_sealed)
        step["salt"] = salt.hex()
    return step


def _checked(
    chain: str, segment: Mapping[str, Any], trusted: Collection[str] | None
) -> list[tuple[Entry, Mapping[str, Any] | None]]:
    stated = checkpoints.read(segment["checkpoint"], trusted).head
    position, chained = segment["from"], segment["before"]
    found: list[tuple[Entry, Mapping[str, Any] | None]] = []
    for number, step in enumerate(segment["steps"]):
        if "entry" not in step:
            chained = link(chained, step["digest"])
            continue
        entry = Entry(**step["entry"])
        if entry.chain != chain:
            raise ProofInvalid(f"Entry {position + number} belongs to another chain.")
        if step["content"] is not None and not commits_to(
            entry.commitment, bytes.fromhex(step["salt"]), step["content"]
        ):
            raise ProofInvalid(f"The content of entry {position + number} is not what was committed to.")
        chained = link(chained, digest(entry))
        found.append((entry, step["content"]))
    reached = position + len(segment["steps"]) - 1
    if (stated.chain, stated.position, stated.chained) != (chain, reached, chained):
        raise ProofInvalid(f"The entries from {position} on do not lead to the signed checkpoint.")
    return found
