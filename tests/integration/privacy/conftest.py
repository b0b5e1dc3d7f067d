"""A person about whom every table has something, and a count of everything that is stored."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ipse.audit import service as audit
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import AttemptRow, Base, ChallengeRow, LockRow
from tests.services import actions

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

KEPT = frozenset(
    {"erasure_receipts", "audit_entries", "audit_checkpoints", "signing_keys", "leases", "request_counters"}
)
"""Tables that an erasure leaves alone or adds to."""


@dataclass(frozen=True)
class Person:
    """What the API answered while the person became known."""

    vendor_data: str
    session_ids: tuple[str, ...]
    user: Mapping[str, Any]


async def counted(services: Services) -> dict[str, int]:
    """Rows of every table, and blobs."""
    async with services.database.reading() as tx:
        rows = {
            table.name: await tx.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
    blobs = [blob.key async for blob in services.blobs.list_blobs()]
    return {**rows, "blobs": len(blobs)}


async def become_known(
    client: AsyncClient, services: Services, application: RegisteredApplication, name: str, *, sessions: int = 2
) -> Person:
    """Leave something about ``name`` in every table that can hold something about a person."""
    user = await client.post("/v3/users/create/", json={"vendor_data": name, "full_name": f"{name} Lovelace"})
    assert user.status_code == 201, user.text
    await client.post("/v3/webhook/destinations/", json={"url": "https://shop.example.org/hooks"})
    device = {"persistent_id": f"device-of-{name:0>16}", "fingerprint": hashlib.sha256(name.encode()).hexdigest()}
    evaluation = await client.post(
        "/v3/step-up/evaluate/",
        json={"action": actions.TRANSFER, "vendor_data": name, "ip_address": "62.1.2.3", "device": device},
    )
    assert evaluation.status_code == 200, evaluation.text
    changed = await client.patch(f"/v3/users/{name}/", json={"display_name": f"Dear {name}"})
    assert changed.status_code == 200, changed.text
    made = []
    for _ in range(sessions):
        session = await actions.approved(client, vendor_data=name, metadata={"note": name})
        await actions.minted(client, session["session_id"])
        made.append(session["session_id"])
    waiting = await client.post(
        "/v3/session/", json={"workflow_id": "wf_enrolment", "vendor_data": name}, headers={"Idempotency-Key": name}
    )
    started = {"Session-Token": waiting.json()["session_token"]}
    await client.post("/v1/capture/start/", headers=started)
    offered = await client.post("/v1/capture/handoffs/", headers=started)
    assert offered.status_code in (200, 201), offered.text
    reviewed = await client.patch(
        f"/v3/session/{made[0]}/update-status/", json={"new_status": "Declined", "comment": f"not {name}"}
    )
    assert reviewed.status_code == 200, reviewed.text
    await _list(client, name, made)
    await _behind_the_api(services, application, name, made[0])
    return Person(name, (*made, waiting.json()["session_id"]), user.json())


async def _list(client: AsyncClient, name: str, sessions: list[str]) -> None:
    made = await client.post("/v3/lists/", json={"name": f"Of {name}", "list_type": "custom", "entry_type": "face"})
    custom = made.json()["uuid"]
    listed = await client.post(f"/v3/lists/{custom}/entries/", json={"reference_session_id": sessions[1]})
    assert listed.status_code == 201, listed.text
    blocked = await client.post("/v3/blocklist/add/", json={"session_id": sessions[0], "blocklist_face": True})
    assert blocked.status_code == 200, blocked.text


async def _behind_the_api(services: Services, application: RegisteredApplication, name: str, session_id: str) -> None:
    """What other parts leave only after failures, or in applications that run the face engine."""
    now = services.clock.now()
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        tag = services.lookup.tag("subject", application.id, name)
        given = {"application_id": application.id, "subject_tag": tag}
        tx.add(AttemptRow(id=str(uuid.uuid4()), session_id=session_id, has_passed=False, attempted_at=now, **given))
        tx.add(
            ChallengeRow(
                id=str(uuid.uuid4()),
                session_id=session_id,
                node_id="feature_liveness",
                attempt=1,
                method="FLASHING",
                phases=[],
                created_at=now,
                expires_at=now,
            )
        )
        tx.add(LockRow(device_tag="", failures=3, updated_at=now, **given))
        await media.store(
            scope,
            kind="selfie",
            content=b"\xff\xd8" + name.encode() * 99,
            content_type="image/jpeg",
            session_id=session_id,
        )
        await audit.record(
            scope,
            "session.noted",
            object_type="session",
            object_id=session_id,
            vendor_data=name,
            details={"name": name},
        )
