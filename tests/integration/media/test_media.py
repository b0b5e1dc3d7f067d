"""What is promised of stored images: sealed, bound to their row, shown by link, erased with proof."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.jobs import key_rotation
from ipse.media import sealing, service, tasks
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen, Ring
from ipse.storage.blobs import BlobStoreUnavailable
from ipse.storage.tables import MediaRow
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

FACE = b"\xff\xd8\xff\xe0 an image of a face " * 50


class Album:
    def __init__(self, services: Services, application: RegisteredApplication) -> None:
        self.services = services
        self.application = application

    async def store(self, content: bytes = FACE, *, session_id: str | None = None, kind: str = "selfie") -> str:
        async with self.services.database.writing() as tx:
            row = await service.store(
                Scope(tx, self.application.application, self.services),
                kind=kind,
                content=content,
                content_type="image/jpeg",
                session_id=session_id,
            )
            return row.id

    async def store_as_before(self, content: bytes) -> str:
        """An image that the ring itself sealed, as all were before each got its own key."""
        media_id = await self.store(content)
        ring, key = self.services.biometric_ring, f"{self.application.id}/{media_id}"
        sealed = ring.seal(content, context=sealing.seal_context(self.application.id, media_id, "selfie"))
        await self.services.blobs.delete(key)
        await self.services.blobs.put(key, sealed)
        async with self.services.database.writing() as tx:
            row = await tx.get_one(MediaRow, media_id)
            row.key_sealed, row.sha256 = None, hashlib.sha256(sealed).hexdigest()
        return media_id

    async def read(self, media_id: str, *, by: RegisteredApplication | None = None) -> service.Medium:
        async with self.services.database.reading() as tx:
            return await service.read(Scope(tx, (by or self.application).application, self.services), media_id)

    async def blobs(self) -> dict[str, bytes]:
        store = self.services.blobs
        return {blob.key: await store.get(blob.key) async for blob in store.list_blobs()}

    async def rows(self) -> list[MediaRow]:
        async with self.services.database.reading() as tx:
            return list(await tx.scalars(select(MediaRow)))

    def path(self, media_id: str) -> str:
        url = urlsplit(service.link(self.services, self.application.id, media_id))
        return f"{url.path}?{url.query}"


async def _at_once(_seconds: float) -> None:
    """Nobody else shares the database: no need to wait for other processes."""


@pytest.fixture
def album(services: Services, application: RegisteredApplication) -> Album:
    return Album(services, application)


async def test_an_image_is_sealed_at_rest_and_comes_back_unchanged(album: Album) -> None:
    media_id = await album.store()
    assert await album.read(media_id) == service.Medium(FACE, "image/jpeg")
    [(key, sealed)] = (await album.blobs()).items()
    assert key == f"{album.application.id}/{media_id}"
    assert FACE not in sealed
    assert b"face" not in sealed


async def test_blob_alone_opens_with_no_ring_because_its_key_lies_in_its_row(album: Album) -> None:
    media_id = await album.store()
    [sealed] = (await album.blobs()).values()
    context = sealing.seal_context(album.application.id, media_id, "selfie")
    for ring in (album.services.biometric_ring, album.services.ordinary_ring):
        with pytest.raises(CannotOpen):
            ring.open(sealed, context=context)
    [row] = await album.rows()
    assert row.key_sealed is not None
    with pytest.raises(CannotOpen, match="not on the ordinary ring"):
        album.services.ordinary_ring.open(
            row.key_sealed, context=sealing.key_context(album.application.id, media_id, "selfie")
        )


async def test_another_applications_image_does_not_exist(
    album: Album, make_application: Callable[[], Awaitable[RegisteredApplication]]
) -> None:
    media_id = await album.store()
    with pytest.raises(MediumNotFound):
        await album.read(media_id, by=await make_application())


async def test_blobs_that_were_swapped_or_changed_do_not_open(album: Album) -> None:
    first, second = await album.store(b"one"), await album.store(b"two")
    blobs = await album.blobs()
    for media_id, other in ((first, second), (second, first)):
        key = f"{album.application.id}/{media_id}"
        await album.services.blobs.delete(key)
        await album.services.blobs.put(key, blobs[f"{album.application.id}/{other}"])
    with pytest.raises(MediumDamaged):
        await album.read(first)
    async with album.services.database.writing() as tx:  # even by someone who also mends the digest
        rows = {row.id: row for row in await tx.scalars(select(MediaRow))}
        rows[first].sha256, rows[second].sha256 = rows[second].sha256, rows[first].sha256
    with pytest.raises(MediumDamaged):
        await album.read(first)


async def test_a_failed_transaction_leaves_an_orphan_that_the_sweeper_removes_after_an_hour(
    album: Album, clock: ManualClock
) -> None:
    kept = await album.store()
    opened = await album.services.database.open(write=True)
    await service.store(
        Scope(opened.tx, album.application.application, album.services),
        kind="selfie",
        content=FACE,
        content_type="image/jpeg",
    )
    await opened.rollback()
    assert len(await album.blobs()) == 2
    clock._now = min([blob.stored_at async for blob in album.services.blobs.list_blobs()])
    clock.advance(tasks.ORPHAN_AGE)
    assert await tasks.sweep_orphans(album.services) == 0, "it may belong to a transaction under way"
    clock.advance(timedelta(minutes=5))
    assert await tasks.sweep_orphans(album.services) == 1
    assert list(await album.blobs()) == [f"{album.application.id}/{kept}"]
    assert (await album.read(kept)).content == FACE


async def test_an_erased_session_leaves_neither_rows_nor_blobs(album: Album, session_ids: tuple[str, str]) -> None:
    mine, other = session_ids
    for _ in range(3):
        await album.store(session_id=mine)
    kept = await album.store(session_id=other)
    async with album.services.database.writing() as tx:
        scope = Scope(tx, album.application.application, album.services)
        assert await service.erase_session(scope, mine) == 3
        assert len(await album.blobs()) == 4, "nothing goes before the commit"
    await service.erasures_finished()
    assert [row.id for row in await album.rows()] == [kept]
    assert list(await album.blobs()) == [f"{album.application.id}/{kept}"]


async def test_an_erasure_that_is_rolled_back_erases_nothing(album: Album) -> None:
    media_id = await album.store()
    opened = await album.services.database.open(write=True)
    scope = Scope(opened.tx, album.application.application, album.services)
    assert await service.erase(scope, [media_id]) == 1
    await opened.rollback()
    await service.erasures_finished()
    assert (await album.read(media_id)).content == FACE


async def test_rotation_renews_the_keys_of_images_and_writes_no_blob(album: Album) -> None:
    ids = [await album.store(bytes([n]) * 1000) for n in range(3)]
    before = await album.blobs()
    rotation = await key_rotation.rotate(album.services, Ring.BIOMETRIC, settle=_at_once)
    assert (rotation.moved["keys of images"], rotation.moved["media"]) == (3, 0)
    assert await album.blobs() == before
    ring = album.services.biometric_ring
    assert not any(ring.needs_rewrap(row.key_sealed or b"") for row in await album.rows())
    for n, media_id in enumerate(ids):
        assert (await album.read(media_id)).content == bytes([n]) * 1000


async def test_images_from_before_get_a_key_of_their_own_and_none_is_lost(album: Album) -> None:
    ids = [await album.store_as_before(bytes([n]) * 1000) for n in range(5)]
    late = await album.store(b"late")
    seen: list[tuple[int, int]] = []
    assert (await album.read(ids[0])).content == bytes(1000)
    assert await tasks.give_keys(album.services, lambda done, total: seen.append((done, total))) == 5
    assert seen[-1] == (5, 5)
    assert len(await album.blobs()) == 6
    assert all(row.key_sealed for row in await album.rows())
    for n, media_id in enumerate(ids):
        assert (await album.read(media_id)).content == bytes([n]) * 1000
    assert (await album.read(late)).content == b"late"
    assert await tasks.give_keys(album.services, lambda _done, _total: None) == 0


async def test_a_signed_link_shows_the_image_with_headers_that_keep_it_private(
    album: Album, make_client: Callable[[None], AsyncClient]
) -> None:
    anyone = make_client(None)
    answer = await anyone.get(album.path(await album.store()))
    assert (answer.status_code, answer.content) == (200, FACE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "inline"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_link_is_dead_after_sixty_minutes(
    album: Album, make_client: Callable[[None], AsyncClient], clock: ManualClock
) -> None:
    anyone, path = make_client(None), album.path(await album.store())
    clock.advance(timedelta(minutes=59, seconds=59))
    assert (await anyone.get(path)).status_code == 200
    clock.advance(timedelta(seconds=1))
    answer = await anyone.get(path)
    assert answer.status_code == 410
    assert answer.json() == {"detail": "This link has expired. Ask the API for a new one."}


async def test_every_wrong_link_gets_the_same_answer(album: Album, make_client: Callable[[None], AsyncClient]) -> None:
    anyone = make_client(None)
    first, second = await album.store(), await album.store()
    right = album.path(first)
    wrong = [
        f"/media/{first}",
        right.replace(first, second),
        right.replace(first, "3472fb7c-8f7c-4d1a-9cf4-cf3d74ce1a60"),
        right.replace(first, "nonsense"),
        right.replace("expires=1", "expires=2"),
        right.replace("signature=", "signature=A"),
        right.partition("&")[0],
    ]
    answers = [await anyone.get(path) for path in wrong]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


async def test_an_erased_image_behind_a_genuine_link_is_not_found(
    album: Album, make_client: Callable[[None], AsyncClient]
) -> None:
    media_id = await album.store()
    path = album.path(media_id)
    await album.services.blobs.delete(f"{album.application.id}/{media_id}")
    assert (await make_client(None).get(path)).status_code == 404


async def test_a_medium_that_is_no_image_is_never_shown_inline(
    album: Album, make_client: Callable[[None], AsyncClient]
) -> None:
    media_id = await album.store(b"<script>")
    async with album.services.database.writing() as tx:
        row = await tx.get(MediaRow, media_id)
        assert row is not None
        row.content_type = "text/html"
    answer = await make_client(None).get(album.path(media_id))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


async def test_a_damaged_image_and_a_silent_store_are_answered_plainly(
    album: Album, make_client: Callable[[None], AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    anyone = make_client(None)
    media_id = await album.store()
    path, key = album.path(media_id), f"{album.application.id}/{media_id}"
    await album.services.blobs.delete(key)
    await album.services.blobs.put(key, b"something else")
    assert (await anyone.get(path)).status_code == 404

    async def silent(_self: object, _key: str) -> bytes:
        raise BlobStoreUnavailable("no answer")

    monkeypatch.setattr(type(album.services.blobs), "get", silent)
    answer = await anyone.get(path)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_image_that_cannot_be_opened_does_not_stop_the_others_from_getting_theirs(album: Album) -> None:
    damaged, lost, sound = [await album.store_as_before(FACE) for _ in range(3)]
    keys = {media_id: f"{album.application.id}/{media_id}" for media_id in (damaged, lost, sound)}
    sealed = await album.services.blobs.get(keys[damaged])
    await album.services.blobs.delete(keys[damaged])
    await album.services.blobs.put(keys[damaged], sealed[:-1] + bytes([sealed[-1] ^ 1]))
    await album.services.blobs.delete(keys[lost])
    assert await tasks.give_keys(album.services, lambda _done, _total: None) == 1
    assert (await album.read(sound)).content == FACE


async def test_a_store_that_does_not_answer_postpones_an_erasure_to_the_sweeper(
    album: Album, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    media_id = await album.store()
    [stored_at] = [blob.stored_at async for blob in album.services.blobs.list_blobs()]

    async def silent(_self: object, _key: str) -> None:
        raise BlobStoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(album.services.blobs), "delete", silent)
        async with album.services.database.writing() as tx:
            await service.erase(Scope(tx, album.application.application, album.services), [media_id])
        await service.erasures_finished()
    assert len(await album.blobs()) == 1
    clock._now = stored_at + 2 * tasks.ORPHAN_AGE
    assert await tasks.sweep_orphans(album.services) == 1
    assert await album.blobs() == {}
