"""Writing the audit log: one entry for every administrative and decision act, in the transaction of the act.

An entry is written without its place in the chain, so that acts do not wait for one another; ``ipse.audit.linking``
gives it a place a moment later. If the act is rolled back, so is its entry.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ipse.audit.chain import INSTALLATION, SALT_BYTES, Entry, commitment, digest, instant
from ipse.audit.sealing import seal_content
from ipse.runtime.scope import SYSTEM, Actor, Scope
from ipse.runtime.services import Services
from ipse.security.canonical_json import canonical_bytes
from ipse.storage.database import Transaction
from ipse.storage.tables import AuditEntryRow

_LAST: Final = "ipse.audit.last_moment"
"""Where a transaction keeps the moment of its last entry."""


async def record(
    scope: Scope,
    act: str,
    *,
    object_type: str,
    object_id: str | None,
    vendor_data: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act of the actor of ``scope`` in the chain of its application.

    Args:
        act: dotted, past tense, such as ``session.decided``; at most 64 characters.
        object_type: such as ``session``; at most 32 characters. With ``object_id`` it makes the tag by which the
            entries of an object are found.
        vendor_data: the person it is about: erasing the person destroys the content of the entry.
        details: JSON values; sealed. Never a secret, an image or a template.

    Raises:
        NotCanonical: ``details`` are not JSON.
    """
    _add(
        scope.tx,
        scope.services,
        scope.application_id,
        act,
        scope.actor,
        object_type=object_type,
        object_id=object_id,
        object_tag=None if object_id is None else object_tag(scope, object_type, object_id),
        vendor_data=vendor_data,
        subject_tag=None if vendor_data is None else subject_tag(scope, vendor_data),
        details=details,
    )


async def record_installation(
    services: Services,
    tx: Transaction,
    act: str,
    *,
    actor_type: str = SYSTEM.kind,
    object_type: str,
    object_id: str | None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act that belongs to no application, such as a new master key or a sign-in.

    Raises:
        NotCanonical: ``details`` are not JSON.
    """
    await record_chain(
        services,
        tx,
        INSTALLATION,
        act,
        actor=Actor(actor_type, actor_type),
        object_type=object_type,
        object_id=object_id,
        details=details,
    )


async def record_chain(
    services: Services,
    tx: Transaction,
    chain: str,
    act: str,
    *,
    actor: Actor = SYSTEM,
    object_type: str,
    object_id: str | None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act where there is no scope: in the chain of an application, by its id, or the installation's.

    Raises:
        NotCanonical: ``details`` are not JSON.
    """
    _add(
        tx,
        services,
        chain,
        act,
        actor,
        object_type=object_type,
        object_id=object_id,
        object_tag=None if object_id is None else services.lookup.tag(object_type, chain, object_id),
        vendor_data=None,
        subject_tag=None,
        details=details,
    )


def object_tag(scope: Scope, object_type: str, object_id: str) -> str:
    """The tag by which the entries of an object are found."""
    return scope.services.lookup.tag(object_type, scope.application_id, object_id)


def subject_tag(scope: Scope, vendor_data: str) -> str:
    """The tag by which the entries about a person are found."""
    return scope.services.lookup.tag("subject", scope.application_id, vendor_data)


def _add(
    tx: Transaction,
    services: Services,
    chain: str,
    act: str,
    actor: Actor,
    *,
    object_type: str,
    object_id: str | None,
    object_tag: str | None,
    vendor_data: str | None,
    subject_tag: str | None,
    details: Mapping[str, Any] | None,
) -> None:
    now, entry_id, salt = _moment(tx, services), services.identifiers.uuid(), secrets.token_bytes(SALT_BYTES)
    content = canonical_bytes(
        {
            "actor": {"display": actor.display, "email": actor.email},
            "object_id": object_id,
            "vendor_data": vendor_data,
            "details": details or {},
        }
    )
    entry = Entry(
        id=entry_id,
        chain=chain,
        occurred_at=instant(now),
        act=act,
        actor_type=actor.kind,
        object_type=object_type,
        object_tag=object_tag,
        subject_tag=subject_tag,
        commitment=commitment(salt, content),
    )
    tx.add(
        AuditEntryRow(
            id=entry_id,
            chain=chain,
            position=None,
            occurred_at=now,
            act=act,
            actor_type=actor.kind,
            object_type=object_type,
            object_tag=object_tag,
            subject_tag=subject_tag,
            commitment=entry.commitment,
            details_sealed=seal_content(services.ordinary_ring, chain, entry_id, salt, content),
            digest=digest(entry),
            chained=None,
        )
    )


def _moment(tx: Transaction, services: Services) -> datetime:
    """Now, or one microsecond after the last entry of ``tx``: the acts of one transaction keep their order."""
    last: datetime | None = tx.info.get(_LAST)
    now = services.clock.now()
    moment = now if last is None else max(now, last + timedelta(microseconds=1))
    tx.info[_LAST] = moment
    return moment
