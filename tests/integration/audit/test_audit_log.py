"""What happened stands in the audit log, in an order that nobody can change unseen."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from ipse.audit import checkpoints, erasure, linking, proof, reading, verification
from ipse.audit.chain import INSTALLATION, Fault
from ipse.audit.reading import Query
from ipse.audit.sealing import open_content
from ipse.audit.service import record, record_installation
from ipse.audit.statements import StatementInvalid
from ipse.clock import ManualClock
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.step_up import signing_keys
from ipse.storage.tables import AuditCheckpointRow, AuditEntryRow
from tests.conftest import MakeApplication
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

SESSION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


async def act(services: Services, application: RegisteredApplication, *names: str, session: str = SESSION) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        for name in names:
            await record(
                scope,
                name,
                object_type="session",
                object_id=session,
                vendor_data="ada",
                details={"name": "Ada Lovelace", "score": 0.98765},
            )


async def rows(services: Services, chain: str) -> list[AuditEntryRow]:
    async with services.database.reading() as tx:
        found = await tx.scalars(
            select(AuditEntryRow).where(AuditEntryRow.chain == chain).order_by(AuditEntryRow.position)
        )
        return list(found)


async def fault(services: Services, chain: str, *outside: str) -> tuple[Fault, int] | None:
    found = (await verification.verify_chain(services, chain, outside=outside)).verified.contradiction
    return None if found is None else (found.fault, found.position)


@pytest.fixture
async def grown(services: Services, application: RegisteredApplication, clock: ManualClock) -> str:
    """A chain with linked acts on two sessions and a checkpoint; its name."""
    chain = application.application.id
    for number in range(4):
        await act(services, application, "session.created", "session.decided", session=SESSION if number else OTHER)
        clock.advance(timedelta(seconds=1))
    await linking.link_waiting(services)
    await linking.checkpoint_grown(services)
    return chain


async def tamper(services: Services, statement: str, **values: Any) -> None:
    """Change the database as somebody who owns it can: without its triggers."""
    async with services.database.writing() as tx:
        if services.database.is_sqlite:
            found = await tx.execute(text("SELECT name FROM sqlite_master WHERE type='trigger' AND name LIKE 'audit%'"))
            for (name,) in found.all():
                await tx.execute(text(f"DROP TRIGGER {name}"))
        else:
            await tx.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
            await tx.execute(text("ALTER TABLE audit_checkpoints DISABLE TRIGGER USER"))
        await tx.execute(text(statement), values)


async def test_an_act_that_is_rolled_back_leaves_no_entry(
    services: Services, application: RegisteredApplication
) -> None:
    before = len(await rows(services, application.application.id))
    opened = await services.database.open(write=True)
    await record(
        Scope(opened.tx, application.application, services), "list.created", object_type="list", object_id=None
    )
    await opened.tx.flush()
    await opened.rollback()
    assert len(await rows(services, application.application.id)) == before


async def test_linked_entries_verify_from_the_first_to_the_last(services: Services, grown: str) -> None:
    report = await verification.verify_chain(services, grown)
    linked = [row for row in await rows(services, grown) if row.position is not None]
    assert report.verified.contradiction is None
    assert report.verified.entries == len(linked) >= 8
    assert [row.position for row in linked] == list(range(1, len(linked) + 1))
    assert (report.checkpoints, report.erased, report.waiting) == (1, 0, 0)


async def test_acts_of_one_transaction_keep_their_order_though_the_clock_stands(
    services: Services, application: RegisteredApplication
) -> None:
    acts = [f"session.step_{number:02d}" for number in range(12)]
    await act(services, application, *acts)
    await linking.link_waiting(services)
    linked = [row.act for row in await rows(services, application.application.id)]
    assert [one for one in linked if one.startswith("session.step_")] == acts


async def test_entries_of_transactions_at_once_are_linked_once(
    services: Services, application: RegisteredApplication, grown: str
) -> None:
    await act(services, application, "user.created")
    async with services.database.writing() as tx:
        first = await linking.link_all(tx, services, grown)
        await record_installation(services, tx, "master_key.changed", object_type="key", object_id="ordinary")
    assert await linking.link_waiting(services) >= 1  # that of the installation
    async with services.database.writing() as tx:
        assert await linking.link_all(tx, services, grown) == first
    assert await fault(services, grown) is None
    assert await fault(services, INSTALLATION) is None


async def test_the_clear_columns_of_an_entry_name_nobody(services: Services, grown: str) -> None:
    for row in await rows(services, grown):
        clear = [row.act, row.actor_type, row.object_type, row.object_tag, row.subject_tag, row.commitment]
        assert not {"ada", SESSION} & set(clear)
        assert b"Ada" not in (row.details_sealed or b"")
    row = (await rows(services, grown))[-1]
    _, content = open_content(services.ordinary_ring, grown, row.id, row.details_sealed or b"")
    assert content["vendor_data"] == "ada"
    assert content["object_id"] == SESSION
    assert content["details"] == {"name": "Ada Lovelace", "score": 0.9877}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_entries",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_entries SET act = 'x'",
        "UPDATE audit_entries SET position = position + 100 WHERE position IS NOT NULL",
        "UPDATE audit_entries SET chained = NULL WHERE position IS NOT NULL",
        "UPDATE audit_entries SET subject_tag = NULL",
        "UPDATE audit_checkpoints SET position = 1",
    ],
)
async def test_the_database_refuses_to_change_or_delete_entries(services: Services, grown: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with services.database.writing() as tx:
            await tx.execute(text(statement))
    assert await fault(services, grown) is None


async def test_a_destroyed_content_cannot_be_put_back(
    services: Services, application: RegisteredApplication, grown: str
) -> None:
    async with services.database.writing() as tx:
        await erasure.forget_application(Scope(tx, application.application, services))
    with pytest.raises(DBAPIError, match="append-only"):
        async with services.database.writing() as tx:
            await tx.execute(text("UPDATE audit_entries SET details_sealed = :other"), {"other": b"x"})


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit_entries SET act = 'x' WHERE position = 3 AND chain = :chain", (Fault.CHANGED_ENTRY, 3)),
        ("DELETE FROM audit_entries WHERE position = 3 AND chain = :chain", (Fault.MISSING_ENTRY, 3)),
        ("DELETE FROM audit_entries WHERE position > 5 AND chain = :chain", (Fault.CUT, 6)),
        (
            "UPDATE audit_entries SET details_sealed = (SELECT details_sealed FROM audit_entries AS other WHERE "
            "other.position = 4 AND other.chain = :chain) WHERE position = 3 AND chain = :chain",
            (Fault.CHANGED_CONTENT, 3),
        ),
        ("UPDATE audit_checkpoints SET signed = 'e30.e30.e30' WHERE chain = :chain", (Fault.FORGED_CHECKPOINT, None)),
        ("UPDATE audit_checkpoints SET position = 5 WHERE chain = :chain", (Fault.FORGED_CHECKPOINT, 5)),
    ],
)
async def test_whoever_owns_the_database_is_found_out_at_the_place(
    services: Services, grown: str, statement: str, expected: tuple[Fault, int | None]
) -> None:
    await tamper(services, statement, chain=grown)
    found = await fault(services, grown)
    assert found is not None
    assert found[0] is expected[0]
    assert expected[1] is None or found[1] == expected[1]


async def test_a_checkpoint_kept_elsewhere_shows_what_the_database_no_longer_does(
    services: Services, grown: str
) -> None:
    async with services.database.reading() as tx:
        kept = await tx.scalar(select(AuditCheckpointRow.signed).where(AuditCheckpointRow.chain == grown))
    assert kept is not None
    await tamper(services, "DELETE FROM audit_checkpoints WHERE chain = :chain", chain=grown)
    async with services.database.writing() as tx:
        await tx.execute(text("DELETE FROM audit_entries WHERE position > 5 AND chain = :chain"), {"chain": grown})
    assert await fault(services, grown) is None
    assert await fault(services, grown, kept) == (Fault.CUT, 6)
    with pytest.raises(StatementInvalid):
        await fault(services, grown, "e30.e30.e30")


async def test_a_checkpoint_by_a_key_that_is_not_ours_is_forged(services: Services, grown: str) -> None:
    async with services.database.writing() as tx:
        await signing_keys.rotate(tx, services, compromised=True)
    assert (await fault(services, grown) or (None,))[0] is Fault.FORGED_CHECKPOINT
    assert await linking.checkpoint_grown(services) == 1  # the chain says that the key changed, under the new key
    assert await fault(services, grown) is None
    assert (await rows(services, grown))[-1].act == "signing_key.changed"
    assert await linking.checkpoint_grown(services) == 0


async def test_erasing_a_person_leaves_a_chain_that_verifies_and_tells_nothing(
    services: Services, application: RegisteredApplication, grown: str
) -> None:
    async with services.database.writing() as tx:
        count = await erasure.forget(Scope(tx, application.application, services), vendor_data="ada")
    assert count == 8
    report = await verification.verify_chain(services, grown)
    assert report.verified.contradiction is None
    assert report.erased == 8


async def test_erasing_a_session_leaves_the_entries_of_others(
    services: Services,
    application: RegisteredApplication,
    make_application: MakeApplication,
    grown: str,
) -> None:
    stranger = await make_application()
    async with services.database.writing() as tx:
        assert await erasure.forget(Scope(tx, stranger.application, services), session_ids=[OTHER]) == 0
        scope = Scope(tx, application.application, services)
        assert await erasure.forget(scope, session_ids=[OTHER]) == 2
        assert await erasure.forget(scope, session_ids=[OTHER]) == 0
    assert await fault(services, grown) is None


async def test_the_proof_of_a_session_holds_without_a_database(
    services: Services, application: RegisteredApplication, grown: str
) -> None:
    await act(services, application, "session.created", session=OTHER)  # not linked, no checkpoint yet
    async with services.database.writing() as tx:
        given = await proof.of_session(Scope(tx, application.application, services), OTHER)
        keys = await signing_keys.proven_ids(tx, services)
    found = proof.verify(given, keys)
    assert [entry.act for entry, _ in found] == ["session.created", "session.decided", "session.created"]
    assert all(content is not None and content["object_id"] == OTHER for _, content in found)
    assert SESSION not in str(given)
    for path, change in (
        (("steps", 0, "content", "details"), {}),
        (("steps", 0, "entry", "act"), "session.deleted"),
        (("steps", -1, "digest"), "00" * 32),
        (("before",), "00" * 32),
        (("from",), 7),
        (("steps",), []),
    ):
        with pytest.raises(proof.ProofInvalid):
            proof.verify(_changed(given, path, change), keys)
    with pytest.raises(StatementInvalid):
        proof.verify(given, {"another"})


def _changed(given: Any, path: tuple[str | int, ...], value: Any) -> Any:
    result = copy.deepcopy(given)
    place = result["segments"][0]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return result


async def test_the_entries_about_a_person_are_found(services: Services, grown: str) -> None:
    found = await reading.latest(services, Query(grown, act="session", vendor_data="ada"), 100)
    assert len(found) == 8
    assert found[0]["occurred_at"] >= found[-1]["occurred_at"]
    assert found[0]["content"]["object_id"] == SESSION
    about = Query(grown, act="session.decided", object_type="session", object_id=OTHER)
    assert [entry["act"] for entry in await reading.latest(services, about, 100)] == ["session.decided"]
    assert await reading.latest(services, Query(grown, vendor_data="eve"), 100) == []
    with pytest.raises(ValueError, match="application"):
        await reading.latest(services, Query(vendor_data="ada"), 100)


async def test_an_entry_costs_one_statement(services: Services, application: RegisteredApplication) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        event.listen(services.database.engine.sync_engine, "before_cursor_execute", note)
        try:
            for _ in range(3):
                await record(scope, "session.decided", object_type="session", object_id=SESSION, vendor_data="ada")
            await tx.flush()
        finally:
            event.remove(services.database.engine.sync_engine, "before_cursor_execute", note)
    assert len(statements) == 1  # three entries of one flush


async def test_a_thousand_entries_are_followed_by_a_checkpoint(
    services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    for _ in range(2):
        await act(services, application, *["session.decided"] * (checkpoints.EVERY_ENTRIES // 2))
    await linking.link_waiting(services)
    async with services.database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(AuditCheckpointRow)) == 1
    assert await fault(services, application.application.id) is None
