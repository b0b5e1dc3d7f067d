"""Verifying what is stored: each chain from its beginning, against its checkpoints and copies kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ipse.audit import checkpoints, repository
from ipse.audit.chain import Contradiction, Fault, Head, Verified, Verifier, commits_to
from ipse.audit.sealing import open_content
from ipse.audit.statements import StatementInvalid, UnknownSigner
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.step_up import signing_keys
from ipse.storage.database import Transaction
from ipse.storage.tables import AuditCheckpointRow, AuditEntryRow

Progress = Callable[[str, int, int], None]
"""Called with the chain, how many entries were followed and how many there are."""

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one chain."""

    verified: Verified
    checkpoints: int
    """How many agree, copies kept elsewhere included."""
    erased: int
    """Entries whose content was destroyed; their commitments stand."""
    waiting: int
    """Entries that have no place yet: they are not protected."""


def nothing(_chain: str, _done: int, _total: int) -> None:
    """Report no progress."""


async def chain_names(services: Services, outside: Sequence[str] = ()) -> Sequence[str]:
    """The chains that exist or that a checkpoint kept elsewhere speaks of.

    Raises:
        StatementInvalid: one of ``outside`` is not a checkpoint.
    """
    spoken_of = {checkpoints.read(signed, None).head.chain for signed in outside}
    async with services.database.reading() as tx:
        return sorted({*await repository.chains(tx), *spoken_of})


async def verify_chain(
    services: Services, chain: str, *, outside: Sequence[str] = (), progress: Progress = nothing
) -> Report:
    """Follow one chain as it stands at this moment.

    Args:
        outside: signed checkpoints that were kept elsewhere; those of other chains are passed over. Their signer need
            not be known any more: who kept a copy vouches for it.

    Raises:
        StatementInvalid: one of ``outside`` is not a checkpoint.
    """
    given = [one.head for one in (checkpoints.read(signed, None) for signed in outside) if one.head.chain == chain]
    async with services.database.reading() as tx:
        trusted = await signing_keys.proven_ids(tx, services)
        stored, forged = _read(chain, await repository.checkpoints(tx, chain), trusted)
        total = (await repository.head(tx, chain)).position
        conflict = _conflict(chain, stored, given)
        verifier = Verifier(chain, [*stored, *given])
        erased, changed = await _follow(tx, services, verifier, lambda done: progress(chain, done, total))
        found = verifier.finish()
        waiting = await repository.count_unlinked(tx, chain)
    first = min(
        (one for one in (found.contradiction, forged, conflict, changed) if one is not None),
        key=lambda one: one.position,
        default=None,
    )
    return Report(replace(found, contradiction=first), len(stored) + len(given), erased, waiting)


async def _follow(
    tx: Transaction, services: Services, verifier: Verifier, progress: Callable[[int], None]
) -> tuple[int, Contradiction | None]:
    """Feed every entry to ``verifier``; return how many were erased, and the first whose content was exchanged."""
    erased, position, done = 0, 0, 0
    changed: Contradiction | None = None
    while rows := await repository.linked_after(tx, verifier.chain, position, _BATCH):
        for row in rows:
            verifier.add(repository.linked_of(row))
            erased += row.details_sealed is None
            if changed is None and not _keeps_its_word(services, row):
                changed = Contradiction(Fault.CHANGED_CONTENT, row.chain, row.position or 0, row.id)
        position, done = rows[-1].position or 0, done + len(rows)
        tx.expunge_all()
        progress(done)
    return erased, changed


def _keeps_its_word(services: Services, row: AuditEntryRow) -> bool:
    if row.details_sealed is None:
        return True
    try:
        salt, content = open_content(services.ordinary_ring, row.chain, row.id, row.details_sealed)
    except (CannotOpen, ValueError):
        return False
    return commits_to(row.commitment, salt, content)


def _read(
    chain: str, rows: Sequence[AuditCheckpointRow], trusted: Collection[str]
) -> tuple[list[Head], Contradiction | None]:
    """The stored checkpoints, and the first forged one.

    One whose key is gone says nothing of who signed it, and only the last one must be attributable: it covers the rest.
    """
    heads: list[Head] = []
    for number, row in enumerate(rows, 1):
        try:
            stated = checkpoints.read(row.signed, trusted).head
        except UnknownSigner:
            if number == len(rows):
                return heads, Contradiction(Fault.FORGED_CHECKPOINT, chain, row.position)
            stated = checkpoints.read(row.signed, None).head
        except StatementInvalid:
            return heads, Contradiction(Fault.FORGED_CHECKPOINT, chain, row.position)
        if stated != Head(chain, row.position, row.head):
            return heads, Contradiction(Fault.FORGED_CHECKPOINT, chain, row.position)
        heads.append(stated)
    return heads, None


def _conflict(chain: str, stored: Sequence[Head], given: Sequence[Head]) -> Contradiction | None:
    """Two checkpoints of one position that state different heads."""
    known: dict[int, Head] = {}
    for head in (*stored, *given):
        if known.setdefault(head.position, head) != head:
            return Contradiction(Fault.REWRITTEN, chain, head.position)
    return None
