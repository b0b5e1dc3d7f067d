"""A rotation moves every sealed value to the new key and loses none."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.jobs.key_rotation import SEALED_COLUMNS, rotate
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security import keysets
from ipse.security.keyring import Ring
from ipse.sessions.service import report_row
from ipse.sessions.view import token_context
from ipse.step_up import signing_keys
from ipse.storage.tables import Base, DestinationRow, EventRow, KeysetRow, SessionRow, SigningKeyRow
from ipse.webhooks import destinations
from ipse.webhooks import service as webhooks
from ipse.webhooks.schemas import NewDestination
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def no_wait(_seconds: float) -> None:
    """There is no other process."""


async def test_the_ordinary_ring_moves_secrets_events_session_tokens_and_signing_keys(
    services: Services, application: RegisteredApplication
) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        destination = await destinations.create(scope, NewDestination(url="https://shop.example.org/"))
        secret = destinations.secret_of(scope, destination)
        session_id = str(uuid.uuid4())
        event_id = await webhooks.record_event(
            scope,
            session_id=session_id,
            session_version=1,
            webhook_type="status.updated",
            status="Approved",
            payload={"session_id": session_id, "note": "kept"},
        )
        now = services.clock.now()
        tx.add(
            SessionRow(
                id=session_id,
                application_id=application.id,
                session_number=1,
                environment="sandbox",
                status="Approved",
                token_sealed=services.ordinary_ring.seal(b"token", context=token_context(session_id)),
                created_at=now,
                expires_at=now,
                contact_details={"email": "ada@example.org"},
            )
        )
        await tx.flush()
        tx.add(report_row(session_id, Report(Feature.LIVENESS, "liveness", FeatureStatus.APPROVED), 0, scope))
        signing = await signing_keys.create(tx, services)
    before = services.ordinary_ring.primary_key_id
    seen: set[str] = set()
    done = await rotate(services, Ring.ORDINARY, settle=no_wait, progress=lambda name, _done, _total: seen.add(name))
    assert done.key_id == services.ordinary_ring.primary_key_id != before
    moved = {name: count for name, count in done.moved.items() if count and "." not in name}
    assert moved.pop("audit details", 1) > 0
    assert moved == {"webhook secrets": 1, "events": 1, "session tokens": 1, "signing keys": 1}
    assert done.moved["sessions.contact_details"] == done.moved["reports.report"] == 1
    assert set(moved) <= seen <= set(done.moved)
    async with services.database.reading() as tx:
        scope = Scope(tx, application.application, services)
        row = await destinations.get(scope, destination.id)
        event = await tx.get(EventRow, event_id)
        session = await tx.get(SessionRow, session_id)
        assert event is not None
        assert session is not None
        assert session.token_sealed is not None
        key = await tx.get(SigningKeyRow, signing.kid)
        assert key is not None
        assert (await signing_keys.current(tx, services)).key.as_dict() == signing.key.as_dict()
        for sealed in (row.secret_sealed, event.payload_sealed, session.token_sealed, key.private_sealed):
            assert not services.ordinary_ring.needs_rewrap(sealed)
        assert session.contact_details == {"email": "ada@example.org"}
        assert destinations.secret_of(scope, row) == secret
        assert webhooks.open_payload(services.ordinary_ring, event)["note"] == "kept"


async def test_the_biometric_ring_moves_keys_of_images_and_leaves_the_other_ring_alone(
    services: Services, application: RegisteredApplication
) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        row = await media.store(scope, kind="selfie", content=b"face", content_type="image/jpeg")
    ordinary = services.ordinary_ring.primary_key_id
    done = await rotate(services, Ring.BIOMETRIC, settle=no_wait)
    assert {name: count for name, count in done.moved.items() if count} == {"keys of images": 1}
    assert services.ordinary_ring.primary_key_id == ordinary
    async with services.database.reading() as tx:
        assert (await media.read(Scope(tx, application.application, services), row.id)).content == b"face"


async def test_the_new_key_opens_before_it_seals_and_every_version_is_stored(services: Services) -> None:
    first = services.ordinary_ring.primary_key_id
    waited: list[tuple[float, int, int]] = []

    async def settle(seconds: float) -> None:
        async with services.database.reading() as tx:
            versions = (await tx.scalars(select(KeysetRow.version).where(KeysetRow.ring == "ordinary"))).all()
        waited.append((seconds, services.ordinary_ring.primary_key_id, max(versions)))

    done = await rotate(services, Ring.ORDINARY, settle=settle)
    assert waited == [(keysets.SETTLE_SECONDS, first, 2)]
    assert done.version == 3
    masters = keysets.load_master_keys(services.settings)
    ordinary, _ = await keysets.load_rings(services.database, masters, services.clock)
    assert ordinary.primary_key_id == done.key_id


async def test_a_value_that_cannot_be_opened_does_not_stop_a_rotation(
    services: Services, application: RegisteredApplication
) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        for number in range(2):
            await destinations.create(scope, NewDestination(url=f"https://shop.example.org/{number}"))
        damaged = (await tx.scalars(select(DestinationRow))).first()
        assert damaged is not None
        damaged.secret_sealed = damaged.secret_sealed[:-1] + bytes([damaged.secret_sealed[-1] ^ 1])
    assert (await rotate(services, Ring.ORDINARY, settle=no_wait)).moved["webhook secrets"] == 1


def test_every_sealed_column_of_the_schema_takes_part() -> None:
    """Answers kept for idempotency live a day under the old key, which stays on the ring."""
    everywhere = {
        (mapper.class_, column.name)
        for mapper in Base.registry.mappers
        for column in mapper.columns
        if column.name.endswith("_sealed") and mapper.class_.__name__ != "IdempotencyRow"
    }
    assert {(column.table, column.column) for column in SEALED_COLUMNS} == everywhere
