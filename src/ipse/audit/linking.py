"""Giving entries their place in the chain, a moment after they were written.

Acts never wait for the chain: they write unlinked entries, and one process at a time links what has been committed, in
the order of ``occurred_at``. An entry whose transaction took long gets a later place than its moment suggests; the
place says in which order entries became part of the log, ``occurred_at`` when they happened.
"""

from __future__ import annotations

from typing import Final

from ipse.audit import checkpoints, repository
from ipse.audit.chain import Head, link
from ipse.audit.service import record_chain
from ipse.runtime.services import Services
from ipse.step_up import signing_keys
from ipse.storage.database import Transaction
from ipse.storage.tables import AuditCheckpointRow

AT_ONCE: Final = 500
"""Entries that one transaction links: SQLite has one writer, and acts shall not wait for long."""


async def link_waiting(services: Services) -> int:
    """Link what is waiting in any chain; return how many entries. Every worker may run it at the same time."""
    async with services.database.reading() as tx:
        waiting = await repository.chains_to_link(tx)
    count = 0
    for chain in waiting:
        while (linked := await _link_some(services, chain)) > 0:
            count += linked
            if linked < AT_ONCE:
                break
    return count


async def link_all(tx: Transaction, services: Services, chain: str) -> Head:
    """Link every entry of ``chain`` that ``tx``, a writing transaction, can see; return how far the chain reaches."""
    await tx.flush()
    await repository.hold(tx, chain, wait=True)
    while await _link(tx, chain) == AT_ONCE:
        pass
    return await repository.head(tx, chain)


async def checkpoint_grown(services: Services) -> int:
    """Sign a checkpoint of every chain that has grown since its last one; return how many.

    A chain whose last checkpoint was signed with a key that signs no more grows by an entry that says so: a later
    rotation forgets that key, and the end of the chain would rest on a signature that nobody can attribute.
    """
    async with services.database.reading() as tx:
        chains = await repository.chains(tx)
    return sum([await _checkpoint_if_grown(services, chain) for chain in chains])


async def checkpoint_now(tx: Transaction, services: Services, chain: str) -> AuditCheckpointRow | None:
    """Link everything of ``chain`` and sign its end in ``tx``, a writing transaction; None for an empty chain."""
    head = await link_all(tx, services, chain)
    return await checkpoints.make(tx, services, head) if head.position else None


async def _link_some(services: Services, chain: str) -> int:
    async with services.database.writing() as tx:
        if not await repository.hold(tx, chain, wait=False):
            return 0
        count = await _link(tx, chain)
        last = await repository.last_checkpoint(tx, chain)
        head = await repository.head(tx, chain)
        if head.position - (last.position if last else 0) >= checkpoints.EVERY_ENTRIES:
            await checkpoints.make(tx, services, head)
        return count


async def _link(tx: Transaction, chain: str) -> int:
    waiting = await repository.unlinked(tx, chain, AT_ONCE)
    if not waiting:
        return 0
    head = await repository.head(tx, chain)
    position, chained = head.position, head.chained
    places = []
    for entry_id, digest in waiting:
        position, chained = position + 1, link(chained, digest)
        places.append({"id": entry_id, "position": position, "chained": chained})
    await repository.place(tx, places)
    return len(places)


async def _checkpoint_if_grown(services: Services, chain: str) -> bool:
    async with services.database.reading() as tx:
        head, last = await repository.head(tx, chain), await repository.last_checkpoint(tx, chain)
        key_id = await signing_keys.current_id(tx)
    stands = last is not None and last.position == head.position
    renewed = stands and last is not None and checkpoints.signer(last.signed) != key_id
    if head.position == 0 or (stands and not renewed):
        return False
    async with services.database.writing() as tx:
        if renewed:
            await record_chain(services, tx, chain, "signing_key.changed", object_type="signing_key", object_id=key_id)
        await checkpoint_now(tx, services, chain)
    return True
