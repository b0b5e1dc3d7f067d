"""Everything that is stored about one person, as a ZIP archive that is written while it is read.

The declaration that says what an erasure takes away (``ipse.privacy.inventory``) also says what an export shows: one
file of JSON lines for each table. Left out are templates, sealed keys and digests, which say nothing to a person, and
what a report tells of other persons.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import inspect, select

from ipse.edge.errors import NotFound
from ipse.media import service as media
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.privacy import extent as extents
from ipse.privacy.inventory import Condition, Extent, holdings
from ipse.privacy.pipe import Pipe
from ipse.privacy.receipts import Kind, tag
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.storage import sealed
from ipse.storage.tables import (
    AttemptRow,
    Base,
    CaptureRow,
    ChallengeRow,
    DeviceRow,
    ErasureReceiptRow,
    EvaluationRow,
    EventRow,
    FaceRow,
    HandoffRow,
    ListEntryRow,
    LockRow,
    MediaRow,
    ReportRow,
    ReviewRow,
    SessionRow,
    SessionSignalsRow,
    SightingRow,
    UserDeviceRow,
    UserRow,
    VerdictRow,
)

SHOWN: Final[Sequence[type[Base]]] = (
    UserRow,
    SessionRow,
    ReportRow,
    ReviewRow,
    CaptureRow,
    ChallengeRow,
    HandoffRow,
    SessionSignalsRow,
    VerdictRow,
    EvaluationRow,
    SightingRow,
    UserDeviceRow,
    FaceRow,
    EventRow,
    AttemptRow,
    LockRow,
)
"""Tables shown by their declaration; images, devices, list entries and receipts are looked up here."""
_SECRET: Final = ("_sealed", "_hash", "_tag")
_LEFT_OUT: Final = frozenset({"application_id", "evidence"})
"""``evidence`` is what a decision was made from, faces of others among it."""
_OF_OTHERS: Final = "matches"
"""Member of a report that tells of other persons."""
_AT_ONCE: Final = 500
"""Ids in one statement."""
MANIFEST: Final = "manifest.json"


async def require_known(scope: Scope, vendor_data: str) -> None:
    """Raise 404 unless there is a user or a session with this ``vendor_data``."""
    user = await _user(scope, vendor_data)
    session = await scope.tx.scalar(
        select(SessionRow.id)
        .where(SessionRow.application_id == scope.application_id, SessionRow.vendor_data == vendor_data)
        .limit(1)
    )
    if user is None and session is None:
        raise NotFound


async def archive(
    services: Services, application: Application, vendor_data: str, *, images: bool = False
) -> AsyncIterator[bytes]:
    """The archive, piece by piece; at most one batch of rows or one image is in memory.

    The last file, :data:`MANIFEST`, names every other one with its lines and its SHA-256.
    """
    pipe = Pipe()
    manifest: dict[str, Any] = {}
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as whole:
        async for name, lines in _files(services, application, vendor_data):
            digest, count = hashlib.sha256(), 0
            with whole.open(name, "w", force_zip64=True) as file:
                async for line in lines:
                    file.write(line)
                    digest.update(line)
                    count += 1
                    if pipe.is_full:
                        yield pipe.drain()
            manifest[name] = {"lines": count, "sha256": digest.hexdigest()}
        if images:
            async for name, content in _images(services, application, vendor_data):
                whole.writestr(name, content)
                manifest[name] = {"sha256": hashlib.sha256(content).hexdigest()}
                yield pipe.drain()
        whole.writestr(MANIFEST, json.dumps(manifest, indent=2, sort_keys=True))
    yield pipe.drain()


async def _files(
    services: Services, application: Application, vendor_data: str
) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    async with services.database.reading() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        parts = await _extents(scope, vendor_data)
    wanted: list[tuple[type[Base], list[Condition]]] = []
    for table in SHOWN:
        found = [holdings()[table].of_extent(extent) for extent in parts]
        wanted.append((table, [condition for condition in found if condition is not None]))
    sessions = [one for extent in parts for one in extent.session_ids]
    receipts = [tag(scope, Kind.USER, vendor_data), *(tag(scope, Kind.SESSION, one) for one in sessions)]
    wanted += [
        (MediaRow, _among(MediaRow.id, await _media(services, application, parts))),
        (DeviceRow, _among(DeviceRow.id, sorted({one for extent in parts for one in extent.device_ids}))),
        (ListEntryRow, _among(ListEntryRow.id, await _listed(services, application, vendor_data))),
        (ErasureReceiptRow, _among(ErasureReceiptRow.object_tag, receipts)),
    ]
    for table, conditions in wanted:
        yield f"{table.__tablename__}.jsonl", _lines(services, table, conditions)


def _among(column: Any, values: Sequence[str]) -> list[Condition]:
    return [column.in_(values[start : start + _AT_ONCE]) for start in range(0, len(values), _AT_ONCE)]


async def _extents(scope: Scope, vendor_data: str) -> list[Extent]:
    user = await _user(scope, vendor_data)
    ids = (
        await scope.tx.scalars(
            select(SessionRow.id)
            .where(SessionRow.application_id == scope.application_id, extents.of_subject(vendor_data, user))
            .order_by(SessionRow.id)
        )
    ).all()
    found = []
    for start in range(0, len(ids), extents.SESSIONS_AT_ONCE):
        some = ids[start : start + extents.SESSIONS_AT_ONCE]
        rows = (await scope.tx.scalars(select(SessionRow).where(SessionRow.id.in_(some)))).all()
        found.append(await extents.of_sessions(scope, rows))
        scope.tx.expunge_all()
    return [*found, await extents.of_person(scope, vendor_data, user)]


async def _lines(services: Services, table: type[Base], conditions: Sequence[Condition]) -> AsyncIterator[bytes]:
    seen: set[object] = set()  # a row may belong to a session and to the person
    for condition in conditions:
        async with services.database.reading() as tx:
            rows = (await tx.scalars(select(table).where(condition))).all()
            for row in rows:
                key = inspect(row).identity
                if key not in seen:
                    seen.add(key)
                    yield _line(row)


def _line(row: Base) -> bytes:
    shown = {name: _plain(value) for name, value in _values(row)}
    return json.dumps(shown, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _values(row: Base) -> Iterator[tuple[str, Any]]:
    names = [*(one.key for one in inspect(type(row)).column_attrs), *sealed.fields_of(type(row))]
    for name in names:
        if name not in _LEFT_OUT and not name.endswith(_SECRET):
            yield name, getattr(row, name)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name != _OF_OTHERS}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, bytes) else value


async def _media(services: Services, application: Application, parts: Sequence[Extent]) -> list[str]:
    async with services.database.reading() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        found: dict[str, None] = {}
        for extent in parts:
            theirs = holdings()[FaceRow].of_extent(extent)
            faces = [] if theirs is None else (await tx.scalars(select(FaceRow.id).where(theirs))).all()
            found |= dict.fromkeys(row.id for row in await extents.media_of(scope, extent, faces))
        return list(found)


async def _listed(services: Services, application: Application, vendor_data: str) -> list[str]:
    async with services.database.reading() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        return [entry.id for entry, _ in await extents.listed(scope, vendor_data, await _user(scope, vendor_data))]


async def _images(services: Services, application: Application, vendor_data: str) -> AsyncIterator[tuple[str, bytes]]:
    async with services.database.reading() as tx:
        scope = Scope(tx, application, services, SYSTEM)
        parts = await _extents(scope, vendor_data)
    for media_id in await _media(services, application, parts):
        async with services.database.reading() as tx:
            try:
                medium = await media.read(Scope(tx, application, services, SYSTEM), media_id)
            except (MediumNotFound, MediumDamaged):  # erased since, or lost: its row is in the archive
                continue
        yield f"images/{media_id}.{medium.content_type.rpartition('/')[2]}", medium.content


async def _user(scope: Scope, vendor_data: str) -> UserRow | None:
    row: UserRow | None = await scope.tx.scalar(
        select(UserRow).where(UserRow.vendor_data == vendor_data, UserRow.application_id == scope.application_id)
    )
    return row
