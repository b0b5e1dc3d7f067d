"""What every blob store promises; the S3 store is held to the same in tests/integration/test_s3_blobs.py."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ipse.storage.blobs import (
    BlobExists,
    BlobNotFound,
    BlobStore,
    BlobStoreUnavailable,
    InvalidBlobKey,
    UnsupportedBlobUrl,
    open_blob_store,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return open_blob_store(f"file://{tmp_path}/blobs" if request.param == "file" else "memory://")


async def keys(store: BlobStore, prefix: str = "") -> set[str]:
    return {blob.key async for blob in store.list_blobs(prefix)}


async def test_what_was_put_comes_back_with_its_size(store: BlobStore) -> None:
    content = bytes(range(256)) * 100
    await store.put("a1/m-1", content)
    assert await store.get("a1/m-1") == content
    assert await store.size("a1/m-1") == 25_600


async def test_a_blob_is_never_overwritten(store: BlobStore) -> None:
    await store.put("a/b", b"first")
    with pytest.raises(BlobExists):
        await store.put("a/b", b"second")
    assert await store.get("a/b") == b"first"


async def test_a_deleted_blob_is_gone_and_deleting_again_is_no_error(store: BlobStore) -> None:
    await store.put("a/b", b"x")
    await store.delete("a/b")
    await store.delete("a/b")
    for call in (store.get, store.size):
        with pytest.raises(BlobNotFound):
            await call("a/b")
    assert await keys(store) == set()


async def test_a_listing_shows_key_size_and_time_below_whole_segments(store: BlobStore) -> None:
    for key in ("app1/x/1", "app1/2", "app11/3"):
        await store.put(key, b"xyz")
    assert await keys(store) == {"app1/x/1", "app1/2", "app11/3"}
    assert await keys(store, "app1") == {"app1/x/1", "app1/2"}
    assert await keys(store, "none") == set()
    blobs = [blob async for blob in store.list_blobs("app11")]
    assert blobs[0].byte_count == 3
    assert abs(blobs[0].stored_at - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "key",
    ["", "..", "a/../b", "/etc/passwd", "a//b", "A/b", "a/", "a\\b", "a\x00", ".hidden", "a b", "a/%2e%2e", "x" * 101],
)
async def test_a_key_cannot_leave_the_store(store: BlobStore, key: str) -> None:
    for call in (store.put(key, b"x"), store.get(key), store.delete(key), store.size(key)):
        with pytest.raises(InvalidBlobKey):
            await call


async def test_a_local_blob_is_readable_by_its_owner_only_and_leaves_no_unfinished_file(tmp_path: Path) -> None:
    store = open_blob_store(f"file://{tmp_path}/blobs")
    await store.put("a/b", b"x")
    with pytest.raises(BlobExists):
        await store.put("a/b", b"y")
    assert [path.name for path in (tmp_path / "blobs" / "a").iterdir()] == ["b"]
    assert stat.S_IMODE((tmp_path / "blobs" / "a" / "b").stat().st_mode) == 0o600


async def test_a_file_left_by_a_crash_is_not_listed(tmp_path: Path) -> None:
    store = open_blob_store(f"file://{tmp_path}")
    await store.put("a/b", b"x")
    (tmp_path / "a" / ".unfinished-0123").write_bytes(b"half")
    assert await keys(store) == {"a/b"}


async def test_an_unusable_folder_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = open_blob_store(f"file://{tmp_path}/file")
    with pytest.raises((BlobStoreUnavailable, BlobNotFound, BlobExists)):
        await store.put("a/b", b"x")


@pytest.mark.parametrize(
    "url", ["", "blobs", "file://host/x", "file://", "s3://", "s3://b?secret=x", "gs://b", "http://x"]
)
def test_an_unknown_store_is_refused_by_name(url: str) -> None:
    with pytest.raises(UnsupportedBlobUrl):
        open_blob_store(url)
