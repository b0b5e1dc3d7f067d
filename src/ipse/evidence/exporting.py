"""Put the evidence pack of a session together and sign it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import ipse
from ipse.audit import proof, statements
from ipse.audit.service import record as record_act
from ipse.biometrics.ledger import LEDGER
from ipse.evidence import pack, repository, service
from ipse.evidence.errors import EvidenceError
from ipse.evidence.observed import plain
from ipse.evidence.pack import MANIFEST, SIGNATURE, SIGNATURE_TYPE, VERDICT
from ipse.evidence.record import Record, canonical, digest
from ipse.evidence.replaying import graph_of, run_again
from ipse.media import service as media
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.sessions import signals
from ipse.step_up import signing_keys, verdicts
from ipse.storage.tables import MediaRow, SessionRow, VerdictRow
from ipse.webhooks.service import payload_context

_OF_SESSION: Final = (
    "application_id",
    "session_number",
    "kind",
    "environment",
    "status",
    "version",
    "workflow_id",
    "workflow_version_id",
    "workflow_version",
    "workflow_content",
    "vendor_data",
    "reference_kind",
    "action",
    "action_hash",
    "status_override",
    "experiments",
    "created_at",
    "opened_at",
    "decided_at",
)


async def export(scope: Scope, session_id: str, *, with_images: bool = False) -> bytes:
    """Return the pack of a session that ran checks. ``scope`` must be on a writing transaction.

    The export is itself an entry of the audit log, and the proof in the pack covers it.

    Raises:
        NotFound: unknown, deleted or foreign.
        EvidenceError: nothing was recorded, the workflow is gone or changed, or what would be decided now from the
            record is not what was: such a session is looked at with ``ipse replay``, not exported.
        BlobStoreUnavailable: the images cannot be hashed.
    """
    session = await sessions.get(scope, session_id, lock=True)
    content = service.content_of(scope, session)
    kept = service.read_record(scope, session)
    workflow = await service.pinned(scope, session)
    decided = run_again(kept, graph_of(workflow.graph))
    if decided.sha256 != kept.passes[-1].outcome:
        raise EvidenceError(f"The decision of session {session.id} is not reproduced; `ipse replay` shows where.")
    standing = await service.standing(scope, session)
    await record_act(
        scope,
        "evidence.exported",
        object_type="session",
        object_id=session.id,
        vendor_data=session.vendor_data,
        details={"with_images": with_images, "decision_sha256": decided.sha256},
    )
    images, pictures = await _images(scope, session, with_images=with_images)
    issued = await repository.verdicts_of(scope, session.id)
    files = {
        "audit.json": canonical_of(await proof.of_session(scope, session.id)),
        "decision.json": decided.content,
        "images.json": canonical(images),
        "input.json": content,
        "keys.json": canonical(await signing_keys.jwks(scope.tx, scope.services)),
        "models.json": canonical(_models(kept)),
        "reports.json": canonical(standing.to_json()),
        "session.json": canonical({"session_id": session.id, **{name: getattr(session, name) for name in _OF_SESSION}}),
        "signals.json": canonical(await signals.stored(scope, session)),
        "verdicts.json": canonical([_verdict(row) for row in issued]),
        "webhooks.json": canonical(await _webhooks(scope, session)),
        "workflow.json": canonical({"sha256": workflow.digest, "graph": workflow.graph, "settings": workflow.settings}),
        **pictures,
        **await _spent_verdict(scope, session, issued),
    }
    return await _signed(scope, session, files)


async def _signed(scope: Scope, session: SessionRow, files: dict[str, bytes]) -> bytes:
    now, issuer = scope.services.clock.now(), scope.services.settings.public_url
    manifest = pack.manifest_of(
        files,
        {
            "session_id": session.id,
            "application_id": scope.application_id,
            "created_at": now,
            "issuer": issuer,
            "code": ipse.__version__,
        },
    )
    key = await signing_keys.current(scope.tx, scope.services)
    stated = {"iss": issuer, "sid": session.id, "manifest": digest(manifest), "iat": int(now.timestamp())}
    signature = statements.sign(stated, SIGNATURE_TYPE, key)
    return pack.write({**files, MANIFEST: manifest, SIGNATURE: signature.encode()})


def canonical_of(value: Mapping[str, Any]) -> bytes:
    """Canonical JSON of what another part of the service has put together."""
    return canonical(dict(value))


def _models(kept: Record) -> dict[str, Any]:
    """What decided last: each model by name and digest, with what the ledger knows of it."""
    made = kept.passes[-1].made
    known = {model.name: model for model in LEDGER}
    return {
        "code": made.code,
        "calibration": made.calibration,
        "models": [
            {
                "name": name,
                "sha256": sha256,
                "purpose": known[name].purpose if name in known else None,
                "licence": known[name].licence if name in known else None,
            }
            for name, sha256 in sorted(made.models.items())
        ],
    }


async def _images(
    scope: Scope, session: SessionRow, *, with_images: bool
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """What is known of every image, and the images themselves where they were asked for."""
    listed: list[dict[str, Any]] = []
    pictures: dict[str, bytes] = {}
    for row in await repository.media_of(scope, session.id):
        clear = await _opened(scope, row)
        listed.append(
            {
                "media_id": row.id,
                "kind": row.kind,
                "content_type": row.content_type,
                "size": row.byte_count,
                "sha256": None if clear is None else digest(clear),
                "sealed_sha256": row.sha256,
                "created_at": plain(row.created_at),
            }
        )
        if with_images and clear is not None:
            pictures[f"images/{row.id}"] = clear
    return listed, pictures


async def _opened(scope: Scope, row: MediaRow) -> bytes | None:
    """The image in clear; None where its blob is gone or damaged, which the pack then says by having no digest."""
    try:
        return (await media.open_row(scope.services, row)).content
    except (MediumNotFound, MediumDamaged):
        return None


async def _webhooks(scope: Scope, session: SessionRow) -> list[dict[str, Any]]:
    ring = scope.services.ordinary_ring
    found = []
    for sent in await repository.sent_of(scope, session.id):
        event = sent.event
        body = ring.open(event.payload_sealed, context=payload_context(event.application_id, event.id))
        found.append(
            {
                "event_id": event.id,
                "type": event.webhook_type,
                "status": event.status,
                "session_version": event.session_version,
                "occurred_at": event.occurred_at,
                "sha256": digest(body),
                "deliveries": [
                    {
                        "state": one.state,
                        "attempts": one.attempts,
                        "delivered_at": one.delivered_at,
                        "response_status": one.response_status,
                    }
                    for one in sent.deliveries
                ],
            }
        )
    return found


def _verdict(row: VerdictRow) -> dict[str, Any]:
    return {
        "jti": row.id,
        "session_version": row.session_version,
        "action_hash": row.action_hash,
        "issued_at": row.issued_at,
        "expires_at": row.expires_at,
        "redeemed_at": row.redeemed_at,
        "revoked_at": row.revoked_at,
    }


async def _spent_verdict(scope: Scope, session: SessionRow, issued: Sequence[VerdictRow]) -> dict[str, bytes]:
    """The latest verdict on the status that holds, signed once more; never one that could still be used."""
    now = scope.services.clock.now()
    for row in reversed(issued):
        is_spent = row.redeemed_at is not None or row.expires_at <= now
        if row.revoked_at is None and is_spent and row.session_version == session.version:
            # Ed25519 is deterministic: until the key rotates these are the very bytes that were issued.
            claims = replace(
                await verdicts.claims_of(scope, session, row.id),
                iat=int(row.issued_at.timestamp()),
                exp=int(row.expires_at.timestamp()),
            )
            return {VERDICT: (await verdicts.signed(scope, claims)).token.encode()}
    return {}
