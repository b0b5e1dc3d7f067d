"""What 1:N search in PostgreSQL guarantees (decision 0016)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import delete, event, select, text

from ipse.clock import ManualClock
from ipse.faces import database_index, index_building, renewal
from ipse.faces.index_building import IndexUnavailable
from ipse.faces.search import search
from ipse.jobs.key_rotation import rotate
from ipse.runtime.application import Application
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen, Ring
from ipse.storage import vector_table
from ipse.storage.tables import FaceRow, FaceSpaceRow
from ipse.storage.vector_index import VectorIndex
from tests.conftest import MakeApplication
from tests.integration.faces.test_search import PROBE, stored
from tests.unit.checks.selfies import near, template

pytestmark = pytest.mark.anyio


@pytest.fixture
def chosen(services: Services) -> Services:
    """Services of an installation that searches in PostgreSQL; skips on SQLite, which has no vector index."""
    if services.database.is_sqlite:
        pytest.skip("the vector index needs PostgreSQL: IPSE_TEST_DATABASE=postgresql")
    settings = services.settings.model_copy(update={"face_index": "pgvector"})
    return replace(services, settings=settings, face_vectors=VectorIndex())


@pytest.fixture
async def owner(make_application: MakeApplication) -> Application:
    return (await make_application()).application


async def add(services: Services, owner: Application, *cosines: float, first: int = 0) -> list[str]:
    """Store faces at these cosines from the probe, in one transaction."""
    async with services.database.writing() as tx:
        scope = Scope(tx, owner, services)
        return [(await stored(scope, near(PROBE, one, 500 + first + seed))).id for seed, one in enumerate(cosines)]


async def found(services: Services, owner: Application) -> list[str]:
    async with services.database.reading() as tx:
        return [hit.face_id for hit in await search(Scope(tx, owner, services), PROBE)]


async def relies_on_index(services: Services, owner: Application) -> bool:
    async with services.database.reading() as tx:
        return await database_index.is_usable(Scope(tx, owner, services))


async def rows(services: Services) -> list[tuple[str, str]]:
    async with services.database.reading() as tx:
        found = await tx.execute(text("SELECT face_id, vector::text FROM face_vectors ORDER BY face_id"))
        return [(str(face), str(vector)) for face, vector in found]


async def test_a_built_index_answers_like_the_search_in_memory(chosen: Services, owner: Application) -> None:
    ids = await add(chosen, owner, 0.9, 0.3, 0.6, 0.7)
    await index_building.build(chosen)
    assert await relies_on_index(chosen, owner)
    assert await found(chosen, owner) == [ids[0], ids[3], ids[2]]
    assert chosen.face_vectors.count(owner.id) == 0
    in_memory = replace(chosen, settings=chosen.settings.model_copy(update={"face_index": "memory"}))
    async with chosen.database.reading() as tx:
        from_index = await search(Scope(tx, owner, chosen), PROBE)
        assert from_index == await search(Scope(tx, owner, in_memory), PROBE)


async def test_a_graph_is_used_and_finds_the_same(chosen: Services, owner: Application) -> None:
    async with chosen.database.writing() as tx:
        scope = Scope(tx, owner, chosen)
        for seed in range(300):
            await stored(scope, template(1000 + seed))
    wanted = (await add(chosen, owner, 0.8, 0.6))[:2]
    await index_building.build(chosen, graph_from=100)
    await index_building.build(chosen, graph_from=100)
    status = await index_building.status(chosen)
    assert (status.coverage[owner.id].missing, status.coverage[owner.id].with_graph) == (0, True)
    async with chosen.database.reading() as tx:
        await tx.execute(text("SET LOCAL enable_sort = off"))  # so few rows would be sorted otherwise
        seen = list[str]()

        def see(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement)

        engine = chosen.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", see)
        try:
            assert [hit.face_id for hit in await search(Scope(tx, owner, chosen), PROBE)] == wanted
        finally:
            event.remove(engine, "before_cursor_execute", see)
        (statement,) = [one for one in seen if "ORDER BY vector <#>" in one]
        query = "[" + ",".join(["0.1"] * 128) + "]"
        connection = await tx.connection()
        plan = (await connection.exec_driver_sql(f"EXPLAIN {statement}", {"query": query, "limit": 50})).scalars().all()
        assert any("Index Scan using face_vectors_" in line for line in plan), plan


async def test_a_face_is_found_from_the_transaction_that_stores_it_on(chosen: Services, owner: Application) -> None:
    await index_building.build(chosen)
    async with chosen.database.writing() as tx:
        scope = Scope(tx, owner, chosen)
        face = await stored(scope, near(PROBE, 0.9))
        assert [hit.face_id for hit in await search(scope, PROBE)] == [face.id]
    assert await found(chosen, owner) == [face.id]


async def test_what_is_rolled_back_was_never_there(chosen: Services, owner: Application) -> None:
    await index_building.build(chosen)
    opened = await chosen.database.open(write=True)
    await stored(Scope(opened.tx, owner, chosen), PROBE)
    await opened.rollback()
    assert await found(chosen, owner) == []
    assert await rows(chosen) == []


async def test_a_deleted_face_is_gone_at_once_with_its_vector(chosen: Services, owner: Application) -> None:
    await index_building.build(chosen)
    one, other = await add(chosen, owner, 0.9, 0.8)
    async with chosen.database.writing() as tx:
        await tx.execute(delete(FaceRow).where(FaceRow.id == one))
        assert [hit.face_id for hit in await search(Scope(tx, owner, chosen), PROBE)] == [other]
    assert [face for face, _ in await rows(chosen)] == [other]


async def test_a_gap_in_the_index_sends_the_search_to_memory(
    chosen: Services, owner: Application, clock: ManualClock
) -> None:
    """Another process without the setting stores a face: nobody is missed once the next examination is due."""
    await index_building.build(chosen)
    in_memory = replace(chosen, settings=chosen.settings.model_copy(update={"face_index": "memory"}))
    (indexed,) = await add(chosen, owner, 0.9)
    assert await relies_on_index(chosen, owner)
    (elsewhere,) = await add(in_memory, owner, 0.8, first=1)
    clock.advance(timedelta(minutes=6))
    assert not await relies_on_index(chosen, owner)
    assert await found(chosen, owner) == [indexed, elsewhere]
    await index_building.build(chosen)
    clock.advance(timedelta(minutes=6))
    assert await relies_on_index(chosen, owner)
    assert await found(chosen, owner) == [indexed, elsewhere]


async def test_before_it_is_built_the_search_is_made_in_memory(chosen: Services, owner: Application) -> None:
    (face,) = await add(chosen, owner, 0.9)
    assert not await relies_on_index(chosen, owner)
    assert await found(chosen, owner) == [face]
    assert not (await index_building.status(chosen)).exists


async def test_rotating_the_keys_does_not_break_search(chosen: Services, owner: Application) -> None:
    await index_building.build(chosen)
    before = await add(chosen, owner, 0.9, 0.8)
    async with chosen.database.reading() as tx:
        sealed = await tx.scalar(select(FaceSpaceRow.seed_sealed))

    async def at_once(_seconds: float) -> None:
        pass

    done = await rotate(chosen, Ring.BIOMETRIC, settle=at_once)
    assert done.moved["face spaces"] == 1
    chosen.biometric_ring.take_over(chosen.biometric_ring.with_only_primary())  # the old key is gone for good
    async with chosen.database.reading() as tx:
        assert await tx.scalar(select(FaceSpaceRow.seed_sealed)) != sealed
    after = await add(chosen, owner, 0.7, first=2)
    assert await found(chosen, owner) == [*before, *after]
    assert await relies_on_index(chosen, owner)


async def test_a_renewal_turns_the_index_too_and_search_goes_on_relying_on_it(
    chosen: Services, owner: Application, clock: ManualClock
) -> None:
    await index_building.build(chosen)
    ids = await add(chosen, owner, 0.9, 0.7)
    before = await rows(chosen)
    await renewal.renew(chosen, owner)
    clock.advance(timedelta(minutes=6))
    assert await relies_on_index(chosen, owner)
    assert await found(chosen, owner) == ids
    after = await rows(chosen)
    assert [face for face, _ in after] == [face for face, _ in before]
    for (_, old), (_, new) in zip(before, after, strict=True):
        one, other = (np.array(text.strip("[]").split(","), dtype=np.float64) for text in (old, new))
        assert abs(float(one @ other)) < 0.5, "the same face stands differently than before"


async def test_no_application_finds_the_faces_of_another_nor_shares_its_rotation(
    chosen: Services, make_application: MakeApplication
) -> None:
    mine, theirs = (await make_application()).application, (await make_application()).application
    await index_building.build(chosen)
    await add(chosen, theirs, 1.0)
    assert await found(chosen, mine) == []
    await add(chosen, mine, 1.0)
    vectors = [np.array(vector.strip("[]").split(","), dtype=np.float64) for _, vector in await rows(chosen)]
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0, abs=1e-2)
    assert abs(float(vectors[0] @ vectors[1])) < 0.5, "the same face stands differently in two applications"
    assert abs(float(vectors[0] @ PROBE.vector)) < 0.5, "a stored vector is not the template"


async def test_faces_that_search_may_no_longer_return_leave_the_index_with_the_next_build(
    chosen: Services, owner: Application
) -> None:
    await index_building.build(chosen)
    hidden, shown = await add(chosen, owner, 0.9, 0.8)
    async with chosen.database.writing() as tx:
        face = await tx.scalar(select(FaceRow).where(FaceRow.id == hidden))
        assert face is not None
        face.searchable = False
    assert await found(chosen, owner) == [shown]
    await index_building.build(chosen)
    assert [face for face, _ in await rows(chosen)] == [shown]


async def test_a_seed_that_was_changed_stops_the_search(chosen: Services, owner: Application) -> None:
    await index_building.build(chosen)
    await add(chosen, owner, 0.9)
    async with chosen.database.writing() as tx:
        space = await tx.get(FaceSpaceRow, owner.id)
        assert space is not None
        space.seed_sealed = space.seed_sealed[:-1] + bytes([space.seed_sealed[-1] ^ 1])
    with pytest.raises(CannotOpen):
        await found(chosen, owner)


async def test_after_a_drop_the_search_is_made_in_memory_and_a_new_build_holds_the_same(
    chosen: Services, owner: Application, clock: ManualClock
) -> None:
    await index_building.build(chosen)
    ids = await add(chosen, owner, 0.9)
    before = await rows(chosen)
    await index_building.drop(chosen)
    clock.advance(timedelta(minutes=6))
    assert await found(chosen, owner) == ids
    await index_building.build(chosen)
    after = await rows(chosen)
    assert after == before


async def test_a_server_without_the_extension_says_so_and_searches_in_memory(
    chosen: Services, owner: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(_tx: object) -> None:
        return None

    monkeypatch.setattr(vector_table, "extension_version", none)
    (face,) = await add(chosen, owner, 0.9)
    with pytest.raises(IndexUnavailable, match="pgvector"):
        await index_building.build(chosen)
    assert await found(chosen, owner) == [face]


async def test_sqlite_refuses_an_index_and_searches_in_memory(services: Services, owner: Application) -> None:
    if not services.database.is_sqlite:
        pytest.skip("for SQLite")
    settings = services.settings.model_copy(update={"face_index": "pgvector"})
    chosen = replace(services, settings=settings)
    (face,) = await add(chosen, owner, 0.9)
    assert await found(chosen, owner) == [face]
    with pytest.raises(IndexUnavailable, match="SQLite"):
        await index_building.build(chosen)
    assert not (await index_building.status(chosen)).exists
    await index_building.drop(chosen)


async def test_a_model_id_that_could_break_out_of_a_statement_is_refused(chosen: Services, owner: Application) -> None:
    with pytest.raises(ValueError, match="model id"):
        await vector_table.build_graph(chosen.database.engine, owner.id, "x' OR '1'='1")


@pytest.mark.parametrize("is_built_later", [False, True])
async def test_a_listed_face_is_found_although_the_graph_overlooks_it(
    chosen: Services, owner: Application, monkeypatch: pytest.MonkeyPatch, is_built_later: bool
) -> None:
    """A duplicate that an approximate index misses costs a hint; a blocked person must not get in."""
    if not is_built_later:
        await index_building.build(chosen)
    async with chosen.database.writing() as tx:
        scope = Scope(tx, owner, chosen)
        listed = await stored(scope, near(PROBE, 0.7), source="list_entry", purpose="listed")
        await stored(scope, near(PROBE, 0.9))
    if is_built_later:
        await index_building.build(chosen)

    async def blind(*_arguments: object, **_options: object) -> list[str]:
        return []

    monkeypatch.setattr(vector_table, "nearest", blind)
    assert await relies_on_index(chosen, owner)
    assert await found(chosen, owner) == [listed.id]
