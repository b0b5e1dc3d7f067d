"""The S3 store keeps the promises of every blob store, against a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipse.storage.blobs import BlobExists, BlobNotFound, BlobStore, BlobStoreUnavailable, open_blob_store
from tests.services.s3 import CREDENTIALS, S3Server, running_s3

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def store(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return open_blob_store(s3.url)


async def test_a_blob_is_stored_once_read_listed_and_deleted(store: BlobStore) -> None:
    content = bytes(range(256)) * 8192
    await store.put("app1/m-1", content)
    await store.put("app11/m-2", b"x")
    with pytest.raises(BlobExists):
        await store.put("app1/m-1", b"other")
    assert await store.get("app1/m-1") == content
    assert await store.size("app1/m-1") == len(content)
    assert [blob.key async for blob in store.list_blobs("app1")] == ["app1/m-1"]
    assert {blob.key async for blob in store.list_blobs()} == {"app1/m-1", "app11/m-2"}
    await store.delete("app1/m-1")
    await store.delete("app1/m-1")
    for call in (store.get, store.size):
        with pytest.raises(BlobNotFound):
            await call("app1/m-1")


async def test_a_bucket_that_cannot_be_reached_is_reported_as_such(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises((BlobStoreUnavailable, BlobNotFound)):
        await open_blob_store(f"s3://no-such-bucket?endpoint={s3.endpoint}").get("a/b")
