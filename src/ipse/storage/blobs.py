"""Blob stores: a local folder, memory (tests), or a bucket that speaks S3.

A blob is written once under a key and never changed. Keys are lower-case path segments, so that no key can leave the
store's folder or prefix and none depends on how a file system treats case.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from obstore import exceptions as obstore_errors
from obstore.store import MemoryStore, ObjectStore, S3Store

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}(/[a-z0-9][a-z0-9_-]{0,99}){0,5}", re.ASCII)
_UNFINISHED: Final = ".unfinished-"


class BlobError(Exception):
    """A blob store could not do what was asked; ``code`` is stable."""

    code = "BLOB_ERROR"


class InvalidBlobKey(BlobError, ValueError):
    """The key is not made of lower-case segments."""

    code = "BLOB_KEY_INVALID"


class BlobNotFound(BlobError):
    """Nothing is stored under the key."""

    code = "BLOB_NOT_FOUND"


class BlobExists(BlobError):
    """Something is stored under the key already; blobs are never overwritten."""

    code = "BLOB_EXISTS"


class BlobStoreUnavailable(BlobError):
    """The folder or the bucket cannot be reached, or refuses."""

    code = "BLOB_STORE_UNAVAILABLE"


class UnsupportedBlobUrl(BlobError, ValueError):
    """The URL names no known kind of store."""

    code = "BLOB_URL_UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob as a listing shows it; ``stored_at`` is UTC."""

    key: str
    byte_count: int
    stored_at: datetime


class BlobStore(Protocol):
    """Create-only storage of opaque bytes. Every call may raise :class:`BlobStoreUnavailable`."""

    async def put(self, key: str, content: bytes) -> None:
        """Store ``content`` completely or not at all; it is durable when this returns.

        Raises:
            InvalidBlobKey: see the class.
            BlobExists: the key is taken.
        """
        ...

    async def get(self, key: str) -> bytes:
        """Return what is stored.

        Raises:
            InvalidBlobKey: see the class.
            BlobNotFound: nothing is there.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a blob; removing what is not there is not an error.

        Raises:
            InvalidBlobKey: see the class.
        """
        ...

    async def size(self, key: str) -> int:
        """Return the number of bytes stored.

        Raises:
            InvalidBlobKey: see the class.
            BlobNotFound: nothing is there.
        """
        ...

    def list_blobs(self, prefix: str = "") -> AsyncIterator[Blob]:
        """Yield every blob below ``prefix`` (whole segments; empty for all), in no particular order."""
        ...


def open_blob_store(url: str) -> BlobStore:
    """Return the store that ``url`` names.

    - ``file:///var/lib/ipse/blobs``: a local folder, created if needed.
    - ``memory://``: lost with the process; for tests.
    - ``s3://bucket/prefix?endpoint=https://host&region=eu-central-1``: credentials come from the environment
      (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``) or the machine's role. An ``http://`` endpoint is accepted.

    Raises:
        UnsupportedBlobUrl: anything else.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if not parts.netloc and parts.path:
            return FolderBlobStore(Path(unquote(parts.path)))
        case "memory":
            return ObjectBlobStore(MemoryStore())
        case "s3" if parts.netloc:
            options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            unknown = options.keys() - {"endpoint", "region"}
            if unknown:
                raise UnsupportedBlobUrl(f"A bucket URL takes endpoint and region, not {', '.join(sorted(unknown))}.")
            return ObjectBlobStore(_bucket(parts.netloc, parts.path.strip("/"), options))
        case _:
            raise UnsupportedBlobUrl("Use file:///folder, memory:// or s3://bucket/prefix?endpoint=...")


class FolderBlobStore:
    """A folder. A blob appears by a hard link to a finished, synced file: never partly, never over another one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: bytes) -> None:
        await asyncio.to_thread(self._put, self._path(key), content)

    async def get(self, key: str) -> bytes:
        path = self._path(key)
        with _folder_errors(key):
            return await asyncio.to_thread(path.read_bytes)

    async def delete(self, key: str) -> None:
        path = self._path(key)
        with _folder_errors(key):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def size(self, key: str) -> int:
        path = self._path(key)
        with _folder_errors(key):
            return (await asyncio.to_thread(path.stat)).st_size

    async def list_blobs(self, prefix: str = "") -> AsyncIterator[Blob]:
        top = self._path(prefix) if prefix else self._folder
        for blob in await asyncio.to_thread(self._walk, top):
            yield blob

    def _path(self, key: str) -> Path:
        return self._folder / _checked(key)

    def _put(self, path: Path, content: bytes) -> None:
        unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
        with _folder_errors(path.name, writing=True):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(unfinished, path)
            finally:
                unfinished.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def _walk(self, top: Path) -> list[Blob]:
        blobs = []
        for folder, _, names in os.walk(top):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    if not name.startswith(_UNFINISHED):
                        facts = path.stat()
                        stored_at = datetime.fromtimestamp(facts.st_mtime, UTC)
                        blobs.append(Blob(path.relative_to(self._folder).as_posix(), facts.st_size, stored_at))
        return blobs


class ObjectBlobStore:
    """Memory or a bucket, through obstore."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, content: bytes) -> None:
        with _object_errors(key):
            await self._store.put_async(_checked(key), content, mode="create")

    async def get(self, key: str) -> bytes:
        with _object_errors(key):
            found = await self._store.get_async(_checked(key))
            return bytes(await found.bytes_async())

    async def delete(self, key: str) -> None:
        with contextlib.suppress(BlobNotFound), _object_errors(key):
            await self._store.delete_async(_checked(key))

    async def size(self, key: str) -> int:
        with _object_errors(key):
            return (await self._store.head_async(_checked(key)))["size"]

    async def list_blobs(self, prefix: str = "") -> AsyncIterator[Blob]:
        with _object_errors(prefix):
            async for batch in self._store.list(f"{_checked(prefix)}/" if prefix else None):
                for item in batch:
                    yield Blob(item["path"], item["size"], item["last_modified"])


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise InvalidBlobKey("A blob key is made of segments of lower-case letters, digits, - and _, joined by /.")
    return key


def _bucket(name: str, prefix: str, options: dict[str, str]) -> S3Store:
    endpoint = options.get("endpoint")
    region = options.get("region", "us-east-1")
    if endpoint is None:
        return S3Store(name, prefix=prefix or None, region=region)
    return S3Store(
        name,
        prefix=prefix or None,
        region=region,
        endpoint=endpoint,
        virtual_hosted_style_request=False,
        client_options={"allow_http": endpoint.startswith("http://")},
    )


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too; the data already is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _folder_errors(key: str, *, writing: bool = False) -> Iterator[None]:
    """Errors of the folder in the words of the store. Where nothing can be written it is the folder that is missing."""
    try:
        yield
    except FileExistsError as error:
        if writing and error.filename2 is None:  # of mkdir, not of link: something else is where a folder was
            raise BlobStoreUnavailable(f"The blob folder cannot be used: {error.strerror}.") from error
        raise BlobExists(f"The blob {key} exists.") from error
    except OSError as error:
        if not writing and isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
            raise BlobNotFound(f"There is no blob {key}.") from error
        raise BlobStoreUnavailable(f"The blob folder cannot be used: {error.strerror}.") from error


@contextlib.contextmanager
def _object_errors(key: str) -> Iterator[None]:
    try:
        yield
    except obstore_errors.AlreadyExistsError as error:
        raise BlobExists(f"The blob {key} exists.") from error
    except FileNotFoundError as error:
        raise BlobNotFound(f"There is no blob {key}.") from error
    except obstore_errors.BaseError as error:
        raise BlobStoreUnavailable(f"The blob store answered with {type(error).__name__}.") from error
