"""What 1:N search guarantees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import delete

from ipse.biometrics.calibration import SIMILARITY, similarity_score
from ipse.biometrics.templates import Template
from ipse.clock import ManualClock
from ipse.faces import service as faces
from ipse.faces.rotation import SearchSpace
from ipse.faces.search import search
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.storage.tables import FaceRow, SessionRow
from ipse.users.service import ensure_user
from tests.conftest import MakeApplication
from tests.unit.checks.selfies import near, template

pytestmark = pytest.mark.anyio

PROBE = template(1)
_number = iter(range(1, 10_000))


async def session(scope: Scope, *, status: str = "Approved", vendor_data: str | None = None) -> SessionRow:
    now = scope.services.clock.now()
    row = SessionRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        session_number=next(_number),
        kind="HOSTED",
        environment="sandbox",
        status=status,
        vendor_data=vendor_data,
        created_at=now,
        decided_at=now,
        expires_at=now,
    )
    scope.tx.add(row)
    await scope.tx.flush()
    return row


async def stored(scope: Scope, face: Template, *, owner: SessionRow | None = None, **changes: Any) -> FaceRow:
    values: dict[str, Any] = {
        "user": None,
        "session_id": owner.id if owner else None,
        "vendor_data": owner.vendor_data if owner else None,
        "media_id": None,
        "template": face,
        "purpose": "probe",
        "source": "session" if owner else "imported",
        "supplied_by": "person",
        "searchable": True,
    }
    return await faces.add(scope, **{**values, **changes})


async def found(scope: Scope, **options: Any) -> list[str]:
    return [hit.face_id for hit in await search(scope, PROBE, **options)]


async def test_the_most_similar_face_comes_first_with_its_calibrated_similarity(scope: Scope) -> None:
    owner = await session(scope, vendor_data="somebody")
    far = await stored(scope, near(PROBE, 0.55), owner=await session(scope))
    close = await stored(scope, near(PROBE, 0.8), owner=owner)
    await stored(scope, near(PROBE, 0.2), owner=await session(scope))
    hits = await search(scope, PROBE)
    assert [hit.face_id for hit in hits] == [close.id, far.id]
    assert hits[0].similarity_percentage == pytest.approx(similarity_score(0.8), abs=0.05)
    assert (hits[0].session_id, hits[0].session_number) == (owner.id, owner.session_number)
    assert (hits[0].vendor_data, hits[0].status, hits[0].source) == ("somebody", "Approved", "session")
    assert hits[0].verification_date == "2026-11-20T10:00:00Z"


@pytest.mark.parametrize(("similarity", "matches"), [(61.5, 0), (62.5, 1)])
async def test_the_smallest_similarity_shown_is_62(scope: Scope, similarity: float, matches: int) -> None:
    await stored(scope, near(PROBE, SIMILARITY.inverse(similarity)))
    assert len(await found(scope)) == matches


async def test_faces_of_the_same_person_can_be_left_out(scope: Scope) -> None:
    user = await ensure_user(scope, "user-42")
    own = await stored(scope, PROBE, user=user)
    other = await stored(scope, near(PROBE, 0.9), vendor_data="user-43")
    nobody = await stored(scope, near(PROBE, 0.7))
    assert await found(scope) == [own.id, other.id, nobody.id]
    assert await found(scope, exclude_vendor_data="user-42") == [other.id, nobody.id]


async def test_many_faces_of_the_same_person_do_not_hide_the_others(scope: Scope) -> None:
    user = await ensure_user(scope, "user-42")
    for seed in range(60):
        await stored(scope, near(PROBE, 0.95, seed), user=user)
    other = await stored(scope, near(PROBE, 0.7))
    assert await found(scope, exclude_vendor_data="user-42", limit=5) == [other.id]


async def test_a_deleted_face_is_gone_at_once(scope: Scope) -> None:
    one, other = await stored(scope, PROBE), await stored(scope, near(PROBE, 0.9))
    assert await found(scope) == [one.id, other.id]
    await scope.tx.execute(delete(FaceRow).where(FaceRow.id == one.id))
    assert await found(scope) == [other.id]
    assert scope.services.face_vectors.ids(scope.application_id) == {other.id}


async def test_a_face_stored_in_place_of_a_deleted_one_is_found(scope: Scope) -> None:
    """SQLite hands the number of a deleted last row out again: numbers say nothing about identity."""
    one = await stored(scope, PROBE)
    assert await found(scope) == [one.id]
    await scope.tx.execute(delete(FaceRow).where(FaceRow.id == one.id))
    again = await stored(scope, near(PROBE, 0.9))
    assert await found(scope) == [again.id]


async def test_what_is_rolled_back_was_never_there(services: Services, make_application: MakeApplication) -> None:
    application = (await make_application()).application
    opened = await services.database.open(write=True)
    scope = Scope(opened.tx, application, services)
    await stored(scope, PROBE)
    assert len(await found(scope)) == 1
    await opened.rollback()
    async with services.database.reading() as tx:
        assert await found(Scope(tx, application, services)) == []


async def test_no_application_finds_the_faces_of_another(services: Services, make_application: MakeApplication) -> None:
    mine, theirs = (await make_application()).application, (await make_application()).application
    async with services.database.writing() as tx:
        await stored(Scope(tx, theirs, services), PROBE)
    async with services.database.reading() as tx:
        assert await found(Scope(tx, mine, services)) == []
        assert len(await found(Scope(tx, theirs, services))) == 1


async def test_another_process_catches_up_with_what_this_one_stored(
    services: Services, make_application: MakeApplication
) -> None:
    from dataclasses import replace

    from ipse.storage.vector_index import VectorIndex

    application = (await make_application()).application
    other_process = replace(services, face_vectors=VectorIndex())
    for expected in (1, 2):
        async with services.database.writing() as tx:
            await stored(Scope(tx, application, services), near(PROBE, 0.9, expected))
        async with services.database.reading() as tx:
            assert len(await found(Scope(tx, application, other_process))) == expected


async def test_faces_that_are_not_searchable_deleted_sessions_and_other_models_stay_hidden(scope: Scope) -> None:
    gone = await session(scope)
    gone.deleted_at = scope.services.clock.now()
    await stored(scope, PROBE, searchable=False)
    await stored(scope, PROBE, owner=gone)
    await stored(scope, template(1, "sface-older"))
    assert await found(scope) == []


async def test_a_session_is_shown_once_and_can_be_restricted_to_approved_ones(scope: Scope) -> None:
    approved, declined = await session(scope), await session(scope, status="Declined")
    first = await stored(scope, PROBE, owner=approved)
    await stored(scope, near(PROBE, 0.9), owner=approved)
    other = await stored(scope, near(PROBE, 0.8), owner=declined)
    assert await found(scope) == [first.id, other.id]
    assert await found(scope, only_approved=True) == [first.id]
    assert await found(scope, exclude_session_id=approved.id) == [other.id]


async def test_many_faces_are_taken_in_at_once(scope: Scope) -> None:
    for seed in range(300):
        await stored(scope, template(1000 + seed))
    wanted = await stored(scope, near(PROBE, 0.9))
    assert (await found(scope))[0] == wanted.id
    assert scope.services.face_vectors.count(scope.application_id) == 301


async def test_a_large_gallery_is_searched_on_a_thread_and_compared_with_the_database_from_time_to_time(
    scope: Scope, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    from ipse.faces import gallery, repository

    counted = list[int]()
    count = repository.count_searchable

    async def counting(scope: Scope) -> int:
        counted.append(1)
        return await count(scope)

    monkeypatch.setattr(gallery, "_LARGE", 2)
    monkeypatch.setattr(repository, "count_searchable", counting)
    one, other = await stored(scope, PROBE), await stored(scope, near(PROBE, 0.9))
    await stored(scope, template(5))
    assert await found(scope) == [one.id, other.id]
    await scope.tx.execute(delete(FaceRow).where(FaceRow.id == one.id))
    assert await found(scope) == [other.id]  # read again, although the copy still holds the face
    assert len(counted) == 1
    assert scope.services.face_vectors.contains(scope.application_id, one.id)
    clock.advance(timedelta(seconds=31))
    assert await found(scope) == [other.id]
    assert not scope.services.face_vectors.contains(scope.application_id, one.id)
    clock.advance(timedelta(seconds=-60))  # a clock that was set back does not put the comparison off
    await found(scope)
    assert len(counted) == 3


async def test_a_large_gallery_is_read_in_pages_and_once_by_simultaneous_searches(
    services: Services, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipse.faces import gallery

    taken = list[int]()
    take_in = gallery._unseal

    def counting(scope: Scope, space: SearchSpace, page: Sequence[Any]) -> None:
        taken.append(len(page))
        take_in(scope, space, page)

    monkeypatch.setattr(gallery, "_PAGE", 50)
    monkeypatch.setattr(gallery, "_unseal", counting)
    application = (await make_application()).application
    async with services.database.writing() as tx:
        for seed in range(120):
            await stored(Scope(tx, application, services), template(1000 + seed))
        wanted = await stored(Scope(tx, application, services), PROBE)
    answers = list[list[str]]()

    async def one_search() -> None:
        async with services.database.reading() as tx:
            answers.append(await found(Scope(tx, application, services)))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(one_search)
    assert answers == [[wanted.id]] * 4
    assert sum(taken) == 121
    assert max(taken) == 50


async def test_a_template_that_was_changed_stops_every_search(scope: Scope) -> None:
    """A gallery with holes could miss a blocked person: it answers nobody."""
    await stored(scope, PROBE)
    damaged = await stored(scope, near(PROBE, 0.9))
    assert damaged.search_sealed is not None
    damaged.search_sealed = damaged.search_sealed[:-1] + bytes([damaged.search_sealed[-1] ^ 1])
    await scope.tx.flush()
    with pytest.raises(CannotOpen):
        await found(scope)


@pytest.mark.parametrize(
    ("name", "born", "expected"),
    [
        ("Anna Schmidt", "1990-01-02", (False, False)),
        ("SCHMIDT Anna", None, (False, False)),
        ("Petra Kowalska", "1990-01-02", (True, False)),
        (None, "1991-01-02", (False, True)),
    ],
)
async def test_a_match_tells_whether_its_person_is_known_under_another_name_or_birth_date(
    scope: Scope, name: str | None, born: str | None, expected: tuple[bool, bool]
) -> None:
    person, twin = await ensure_user(scope, "user-42"), await ensure_user(scope, "user-43")
    person.full_name, person.date_of_birth = "Anna Schmidt", "1990-01-02"
    twin.full_name, twin.date_of_birth = name, born
    await stored(scope, near(PROBE, 0.9), user=twin)
    (hit,) = await search(scope, PROBE, exclude_vendor_data="user-42")
    assert (hit.has_other_name, hit.has_other_birth_date) == expected
    (hit,) = await search(scope, PROBE)  # nobody to hold it against
    assert (hit.has_other_name, hit.has_other_birth_date) == (False, False)
