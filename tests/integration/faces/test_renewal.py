"""What renewing and revoking templates guarantees (decision 0018)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import anyio
import pytest
from sqlalchemy import select

from ipse.biometrics.templates import Template
from ipse.faces import of_session, renewal, repository, spaces
from ipse.faces import service as faces
from ipse.faces.errors import TemplateRevoked
from ipse.faces.sealing import template_context
from ipse.faces.search import search
from ipse.jobs.key_rotation import rotate
from ipse.lists import listed_faces
from ipse.lists.errors import RefusedValue
from ipse.media import service as media
from ipse.runtime.application import Application
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen, Ring
from ipse.storage.tables import AuditEntryRow, FaceRow, TemplateSpaceRow
from tests.conftest import MakeApplication
from tests.integration.faces.test_search import session, stored
from tests.unit.checks.selfies import near, template

pytestmark = pytest.mark.anyio

FACE = template(1)
LIVE = near(FACE, 0.8)
"""The same person on another day."""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, Template | None]:
    """What the recognition network sees in a kept picture; tests/faces renews from real ones."""
    seen = dict[bytes, Template | None]()
    monkeypatch.setattr(renewal, "_embed", lambda _engine, content: seen.get(content))
    return seen


@pytest.fixture
def recognising(services: Services) -> Services:
    return replace(services, faces=cast(Any, object()))


@pytest.fixture
async def owner(make_application: MakeApplication) -> Application:
    return (await make_application()).application


async def keep(services: Services, owner: Application, face: Template, picture: bytes | None, **columns: Any) -> str:
    """Store a face, with the picture it was taken from."""
    async with services.database.writing() as tx:
        scope = Scope(tx, owner, services)
        kept = None
        if picture is not None:
            kept = (await media.store(scope, kind="selfie", content=picture, content_type="image/png")).id
        return (await stored(scope, face, media_id=kept, **columns)).id


async def unprotect(services: Services, owner: Application, face_id: str, face: Template) -> None:
    """Make a row what it was before templates were protected."""
    async with services.database.writing() as tx:
        row = (await tx.scalars(select(FaceRow).where(FaceRow.id == face_id))).one()
        context = template_context(owner.id, face_id)
        row.template_sealed = services.biometric_ring.seal(face.to_bytes(), context=context)
        row.space_version = row.search_sealed = None


async def row_of(services: Services, face_id: str) -> FaceRow:
    async with services.database.reading() as tx:
        return (await tx.scalars(select(FaceRow).where(FaceRow.id == face_id))).one()


async def similarity(services: Services, owner: Application, face_id: str, probe: Template = LIVE) -> float:
    async with services.database.reading() as tx:
        scope = Scope(tx, owner, services)
        return (await faces.open_template(scope, await row_of(services, face_id))).compare(probe)


async def found(services: Services, owner: Application) -> list[tuple[str, float]]:
    async with services.database.reading() as tx:
        return [(hit.face_id, hit.similarity_percentage) for hit in await search(Scope(tx, owner, services), LIVE)]


async def test_templates_are_renewed_without_the_person_where_the_portrait_is_kept(
    recognising: Services, owner: Application, shown: dict[bytes, Template | None]
) -> None:
    shown[b"portrait"] = near(FACE, 0.999)
    kept = await keep(recognising, owner, FACE, b"portrait")
    lost = await keep(recognising, owner, template(2), None)
    before = await row_of(recognising, kept)
    done = await renewal.renew(recognising, owner)
    assert (done.version, done.renewed, done.waiting, done.destroyed) == (2, 1, 1, ())
    after = await row_of(recognising, kept)
    assert (after.space_version, (await row_of(recognising, lost)).space_version) == (2, 1)
    assert after.renewed_at is not None
    assert after.template_sealed != before.template_sealed
    assert (after.created_at, after.supplied_by, after.media_id) == (
        before.created_at,
        before.supplied_by,
        before.media_id,
    )
    assert await similarity(recognising, owner, kept) == pytest.approx(0.8, abs=0.05)
    told = await renewal.status(recognising, owner)
    assert [(one.version, one.state, one.faces) for one in told.spaces] == [(1, "retired", 1), (2, "protects", 1)]
    assert (told.unprotected, told.behind, told.renewable) == (0, 1, 0)
    async with recognising.database.reading() as tx:
        acts = (await tx.scalars(select(AuditEntryRow.act).where(AuditEntryRow.chain == owner.id))).all()
    assert "templates.renewed" in acts


async def test_the_secret_that_no_template_needs_is_destroyed_with_the_renewal(
    recognising: Services, owner: Application, shown: dict[bytes, Template | None]
) -> None:
    shown[b"portrait"] = FACE
    face = await keep(recognising, owner, FACE, b"portrait")
    assert (await renewal.renew(recognising, owner)).destroyed == (1,)
    async with recognising.database.reading() as tx:
        old = (await tx.scalars(select(TemplateSpaceRow).where(TemplateSpaceRow.version == 1))).one()
        assert old.seed_sealed == spaces.DESTROYED
    assert await similarity(recognising, owner, face, FACE) > 0.99
    assert (await renewal.renew(recognising, owner)).version == 3, "numbers are never used twice"


@pytest.mark.parametrize("picture", [near(FACE, 0.2), Template(FACE.vector, "sface-older"), None])
async def test_a_portrait_that_does_not_show_the_stored_face_renews_nothing(
    recognising: Services, owner: Application, shown: dict[bytes, Template | None], picture: Template | None
) -> None:
    """Whoever exchanges a picture must not become the person."""
    shown[b"portrait"] = picture
    face = await keep(recognising, owner, FACE, b"portrait")
    assert (await renewal.renew(recognising, owner)).waiting == 1
    assert await similarity(recognising, owner, face, FACE) > 0.99


async def test_a_renewal_that_was_killed_is_finished_without_a_new_space(
    recognising: Services, owner: Application, shown: dict[bytes, Template | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_PAGE", 2)
    everybody = [await keep(recognising, owner, template(seed), bytes([seed])) for seed in range(1, 6)]
    shown.update({bytes([seed]): template(seed) for seed in range(1, 6)})

    def killed(_name: str, done: int, _total: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await renewal.renew(recognising, owner, progress=killed)
    versions = [(await row_of(recognising, face)).space_version for face in everybody]
    assert versions == [2, 2, 1, 1, 1]
    for seed, face in enumerate(everybody, start=1):
        assert await similarity(recognising, owner, face, template(seed)) > 0.99, "nobody is lost in between"
    done = await renewal.renew(recognising, owner, resume=True)
    assert (done.version, done.renewed, done.waiting, done.destroyed) == (2, 3, 0, (1,))


async def test_faces_stored_before_templates_were_protected_are_counted_compared_found_and_protected(
    recognising: Services, owner: Application
) -> None:
    face = await keep(recognising, owner, FACE, None)
    await unprotect(recognising, owner, face, FACE)
    told = await renewal.status(recognising, owner)
    assert (told.unprotected, told.renewable) == (1, 1)
    assert await similarity(recognising, owner, face) == pytest.approx(0.8, abs=0.001)
    assert [one for one, _ in await found(recognising, owner)] == [face]
    assert (await renewal.renew(recognising, owner)).renewed == 1
    row = await row_of(recognising, face)
    assert row.space_version == 2
    assert row.search_sealed is not None
    assert await similarity(recognising, owner, face) == pytest.approx(0.8, abs=0.005)
    assert (await renewal.status(recognising, owner)).unprotected == 0


async def test_search_finds_the_same_before_during_and_after_a_renewal_and_shows_nothing_in_common(
    recognising: Services, owner: Application
) -> None:
    near_one, far = await keep(recognising, owner, FACE, None), await keep(recognising, owner, near(LIVE, 0.6, 7), None)
    before, sealed = await found(recognising, owner), (await row_of(recognising, near_one)).search_sealed
    assert [one for one, _ in before] == [near_one, far]
    await renewal.renew(recognising, owner)
    after = await found(recognising, owner)
    assert [one for one, _ in after] == [near_one, far]
    assert [score for _, score in after] == pytest.approx([score for _, score in before], abs=0.05)
    assert (await row_of(recognising, near_one)).search_sealed != sealed
    third = await keep(recognising, owner, near(LIVE, 0.9, 8), None)
    assert [one for one, _ in await found(recognising, owner)] == [third, near_one, far]


async def test_a_face_stored_while_a_renewal_begins_is_neither_lost_nor_missed(
    recognising: Services, owner: Application
) -> None:
    await keep(recognising, owner, template(5), None)
    opened = await recognising.database.open(write=True)
    face = (await stored(Scope(opened.tx, owner, recognising), FACE)).id
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(renewal.renew, recognising, owner)
        await anyio.sleep(0.1)  # the renewal waits for the face, or the face was first: both are right
        await opened.commit()
    await renewal.revoke(recognising, owner)
    assert await similarity(recognising, owner, face) == pytest.approx(0.8, abs=0.005)
    assert [one for one, _ in await found(recognising, owner)] == [face]


async def test_a_revoked_template_matches_nobody_until_its_person_enrols_again(
    recognising: Services, owner: Application
) -> None:
    face = await keep(recognising, owner, FACE, None)
    await renewal.renew(recognising, owner)
    assert await renewal.revoke(recognising, owner) == ((), 0), "a face still needs the secret"
    assert await renewal.revoke(recognising, owner, needed_too=True) == ((1,), 1)
    with pytest.raises(TemplateRevoked, match="enrol again"):
        await similarity(recognising, owner, face)
    async with recognising.database.writing() as tx:
        scope = Scope(tx, owner, recognising)
        reference = await of_session.reference_face(scope, face, "stored")
        assert reference is not None
        assert reference.template.model_id == "revoked"
        row = await repository.by_id(scope, face)
        assert row is not None
        assert await of_session.template_of(scope, row) is None
        with pytest.raises(RefusedValue):
            await listed_faces.copy_of(scope, row)
    again = await keep(recognising, owner, FACE, None)
    assert await similarity(recognising, owner, again) == pytest.approx(0.8, abs=0.005)


async def test_a_reference_without_a_portrait_is_renewed_at_the_next_success_of_its_person(
    recognising: Services, owner: Application
) -> None:
    face = await keep(recognising, owner, FACE, None, purpose="reference")
    await renewal.renew(recognising, owner)
    async with recognising.database.writing() as tx:
        scope = Scope(tx, owner, recognising)
        step_up = await session(scope)
        step_up.reference_face_id, step_up.reference_kind = face, "stored"
        stranger = await stored(scope, near(FACE, 0.3), owner=step_up)
        assert not await renewal.after_success(scope, step_up, stranger), "a reviewer may have approved a stranger"
        probe = await stored(scope, LIVE, owner=step_up)
        assert await renewal.after_success(scope, step_up, probe)
        assert not await renewal.after_success(scope, step_up, probe), "once"
    row = await row_of(recognising, face)
    assert (row.space_version, row.purpose) == (2, "reference")
    assert row.renewed_at is not None
    assert await similarity(recognising, owner, face, LIVE) > 0.99
    assert [one.state for one in (await renewal.status(recognising, owner)).spaces] == ["destroyed", "protects"]


async def test_rotating_the_keys_changes_no_template_space(recognising: Services, owner: Application) -> None:
    face = await keep(recognising, owner, FACE, None)

    async def at_once(_seconds: float) -> None:
        pass

    done = await rotate(recognising, Ring.BIOMETRIC, settle=at_once)
    assert done.moved["template spaces"] == 1
    recognising.biometric_ring.take_over(recognising.biometric_ring.with_only_primary())
    assert await similarity(recognising, owner, face) == pytest.approx(0.8, abs=0.005)
    assert [one for one, _ in await found(recognising, owner)] == [face]


async def test_no_application_opens_the_templates_of_another(
    recognising: Services, owner: Application, make_application: MakeApplication
) -> None:
    other = (await make_application()).application
    await keep(recognising, other, FACE, None)
    face = await keep(recognising, owner, FACE, None)
    async with recognising.database.writing() as tx:
        mine, theirs = [
            (await tx.scalars(select(TemplateSpaceRow).where(TemplateSpaceRow.application_id == one.id))).one()
            for one in (owner, other)
        ]
        mine.seed_sealed = theirs.seed_sealed
    with pytest.raises(CannotOpen):
        await similarity(recognising, owner, face)
