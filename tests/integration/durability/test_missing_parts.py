"""Guarantee: with a part missing - space, blob store, database, models, address data - nobody is approved."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from ipse.app import build
from ipse.runtime.application import Mode, SandboxEngine
from ipse.runtime.services import Services
from ipse.storage.blobs import FolderBlobStore
from ipse.storage.tables import FaceRow, MediaRow, SessionRow
from tests.services.pictures import flat_jpeg

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

    from tests.conftest import MakeApplication, MakeClient

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg(160, 120)


class Opened:
    """A session that waits for a face."""

    def __init__(self, client: AsyncClient, session: dict[str, Any], node: str) -> None:
        self._client, self.id, self._token, self._node = client, session["session_id"], session["session_token"], node

    async def submit(self) -> Response:
        """Show the face; the same submission each time."""
        return await self._client.post(
            f"/v1/capture/steps/{self._node}/",
            headers={"Session-Token": self._token},
            files=[("frames", ("0.jpg", FRAME, "image/jpeg"))],
            data={"submission_key": "the-same"},
        )


async def opened(client: AsyncClient) -> Opened:
    session = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", "vendor_data": "ann"})).json()
    state = await client.post("/v1/capture/start/", headers={"Session-Token": session["session_token"]})
    return Opened(client, session, state.json()["step"]["node_id"])


async def nothing_was_stored(services: Services, session_id: str) -> None:
    async with services.database.reading() as tx:
        row = await tx.get_one(SessionRow, session_id)
        assert (row.status, row.version) == ("In Progress", 2)
        assert list(await tx.scalars(select(MediaRow.id))) == []
        assert list(await tx.scalars(select(FaceRow.id))) == []


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow: writes fail with EFBIG, as they fail with ENOSPC on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_said_plainly_stores_nothing_by_halves_and_is_forgotten_once_there_is_space(
    services: Services, client: AsyncClient
) -> None:
    session = await opened(client)
    with full_disk(), capture_logs():  # the test's own log is a file, too
        answers = [await session.submit() for _ in range(3)]
        if services.database.is_sqlite:  # PostgreSQL's files are those of another process
            answers += [await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"}) for _ in range(3)]
    for refused in answers:
        assert refused.status_code in {503, 507}, refused.text
        assert refused.headers["retry-after"]
        assert "Approved" not in refused.text
    await nothing_was_stored(services, session.id)
    assert [blob async for blob in services.blobs.list_blobs()] == []
    accepted = await session.submit()
    assert (accepted.status_code, accepted.json()["status"]) == (200, "Approved")


async def test_a_full_blob_folder_is_answered_by_507(services: Services, client: AsyncClient) -> None:
    session = await opened(client)

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", no_space)
        refused = await session.submit()
    assert refused.status_code == 507
    await nothing_was_stored(services, session.id)


async def test_a_blob_store_that_is_gone_lets_nobody_through_until_it_is_back(
    services: Services, client: AsyncClient
) -> None:
    session = await opened(client)
    folder = services.settings.data_dir / "blobs"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder was")
    refused = await session.submit()
    assert refused.status_code == 503, refused.text
    await nothing_was_stored(services, session.id)
    folder.unlink()
    assert (await session.submit()).json()["status"] == "Approved"


class SlowStore(FolderBlobStore):
    """Takes longer than anybody waits."""

    async def put(self, key: str, content: bytes) -> None:
        await asyncio.Event().wait()


async def test_a_blob_store_that_does_not_answer_holds_nobody_up(
    services: Services, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from httpx2 import ASGITransport, AsyncClient

    monkeypatch.setattr("ipse.media.service.LONGEST_WRITE_S", 0.01)
    slow = replace(services, blobs=SlowStore(tmp_path / "slow"))
    headers = {"x-api-key": (await make_application()).key}
    app = build(slow.settings, slow)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver", headers=headers) as client:
        session = await opened(client)
        refused = await session.submit()
        assert refused.status_code == 503, refused.text
        await nothing_was_stored(services, session.id)
        assert (await client.get(f"/v3/session/{session.id}/decision/")).status_code == 200


async def test_the_health_check_says_which_part_is_missing(services: Services, make_client: MakeClient) -> None:
    anonymous = make_client(None)
    checks = (await anonymous.get("/system/healthcheck/")).json()["checks"]
    assert checks == {"database": "ok", "blobs": "ok", "models": "missing", "address_data": "incomplete"}


async def test_the_health_check_names_a_blob_store_that_cannot_be_written(
    services: Services, make_client: MakeClient
) -> None:
    services.settings.data_dir.mkdir(parents=True, exist_ok=True)
    (services.settings.data_dir / "blobs").write_text("a file where the folder was")
    answer = await make_client(None).get("/system/healthcheck/")
    assert answer.status_code == 503
    assert answer.json()["checks"]["blobs"] == "unreachable"


async def test_without_models_no_face_is_approved_outside_scenarios(
    services: Services, make_application: MakeApplication, make_client: MakeClient
) -> None:
    client = make_client(await make_application(mode=Mode.SANDBOX, engine=SandboxEngine.REAL))
    session = await opened(client)
    refused = await session.submit()
    assert refused.status_code == 503, refused.text
    await nothing_was_stored(services, session.id)


async def test_a_process_outlives_a_restart_of_postgresql(services: Services, client: AsyncClient) -> None:
    if services.database.is_sqlite:
        pytest.skip("an embedded database does not restart by itself")
    session = await opened(client)
    async with services.database.reading() as tx:
        await tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )
    assert (await session.submit()).json()["status"] == "Approved"
