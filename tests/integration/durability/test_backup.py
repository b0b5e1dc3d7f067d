"""The drill: back up while serving, lose everything, restore, and go on."""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from ipse.app import build, build_services, close_services
from ipse.backup import later_erasures, service
from ipse.backup.errors import BackupDamaged, FolderInUse, InstallationInUse, NotABackup
from ipse.clock import ManualClock
from ipse.media import service as media
from ipse.runtime.services import Services
from ipse.security.keyring import KeyRingError
from ipse.settings import Settings
from ipse.storage.tables import ErasureReceiptRow, MediaRow
from ipse.webhooks.delivery import DeliveryWorker
from tests.services.applications import RegisteredApplication
from tests.services.databases import Databases
from tests.services.pictures import flat_jpeg
from tests.services.receiver import WebhookReceiver
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def empty(databases: Databases, settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    """An installation on a new machine: nothing but the master keys, which were kept elsewhere."""
    folder = tmp_path / "new machine"
    with databases.fresh(folder, migrated=False) as url:
        yield settings.model_copy(update={"data_dir": folder, "database_url": url, "blob_url": ""})


async def approved(client: AsyncClient, person: str) -> dict[str, Any]:
    """A finished session of a person."""
    created = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", "vendor_data": person})
    session: dict[str, Any] = created.json()
    await finish_session(client, session["session_token"], [flat_jpeg(160, 120)])
    return session


async def test_a_restored_installation_shows_every_decision_and_image_and_delivers_what_was_pending(
    services: Services,
    client: AsyncClient,
    application: RegisteredApplication,
    receiver: WebhookReceiver,
    empty: Settings,
    clock: ManualClock,
    tmp_path: Path,
) -> None:
    await client.post("/v3/webhook/destinations/", json={"label": "drill", "url": receiver.url})
    session = await approved(client, "kept")
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    backup = tmp_path / "backup"
    made = await service.create(services.settings, backup, clock)
    assert made.blobs == 1
    found, files = await service.verify(backup)
    assert found == made
    assert files >= 2
    await close_services(services)
    shutil.rmtree(services.settings.data_dir)  # the disk is gone

    await service.restore(empty, backup)
    again = await build_services(empty, clock=clock, load_faces=False)
    try:
        from httpx2 import ASGITransport, AsyncClient

        headers = {"x-api-key": application.key}
        app = build(empty, again)
        async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver", headers=headers) as restored:
            after = (await restored.get(f"/v3/session/{session['session_id']}/decision/")).json()
            assert without_links(after) == without_links(decision)
            async with again.database.reading() as tx:
                for row in await tx.scalars(select(MediaRow)):
                    assert (await media.open_row(again, row)).content == flat_jpeg(160, 120)
            assert receiver.requests == []
            await DeliveryWorker(again).run_once()
            statuses = [request.body["status"] for request in receiver.requests]
            assert statuses == ["Not Started", "In Progress", "Approved"]
            assert (await approved(restored, "new"))["session_number"] == session["session_number"] + 1
    finally:
        await close_services(again)


async def test_what_was_erased_after_the_backup_is_erased_again_after_the_restore(
    services: Services, client: AsyncClient, empty: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    await approved(client, "stays")
    await approved(client, "leaves")
    await service.create(services.settings, tmp_path / "backup", clock)
    answer = await client.post("/v3/users/delete/", json={"vendor_data_list": ["leaves"]})
    assert answer.json() == {"deleted": 1}
    async with services.database.reading() as tx:
        signed = list(await tx.scalars(select(ErasureReceiptRow.signed)))

    await service.restore(empty, tmp_path / "backup")
    again = await build_services(empty, clock=clock, load_faces=False)
    try:
        returned = await later_erasures.find(again, signed)
        assert [(one.kind.value, one.object_id) for one in returned] == [("user", "leaves")]
        assert await later_erasures.erase_again(again, returned) == 1
        await media.erasures_finished()
        assert await later_erasures.find(again, signed) == []
        assert len([blob async for blob in again.blobs.list_blobs()]) == 1
    finally:
        await close_services(again)


async def test_a_backup_with_a_missing_changed_or_added_file_is_refused(
    services: Services, client: AsyncClient, empty: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    await approved(client, "kept")
    whole = tmp_path / "backup"
    await service.create(services.settings, whole, clock)
    files = [path for path in whole.rglob("*") if path.is_file() and path.name != "manifest.json"]
    for number, path in enumerate(files):
        for harm in (Path.unlink, _append):
            copy = tmp_path / f"{number}-{harm.__name__}"
            shutil.copytree(whole, copy)
            harm(copy / path.relative_to(whole))
            with pytest.raises(BackupDamaged):
                await service.restore(empty, copy)
            shutil.rmtree(copy)
    (whole / "extra").write_bytes(b"")
    with pytest.raises(BackupDamaged, match="extra"):
        await service.verify(whole)
    (whole / "manifest.json").unlink()
    with pytest.raises(NotABackup):
        await service.verify(whole)
    with pytest.raises(FolderInUse):
        await service.create(services.settings, whole, clock)


async def test_a_restore_needs_an_empty_installation_and_the_master_keys(
    services: Services, client: AsyncClient, empty: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    await approved(client, "kept")
    backup = tmp_path / "backup"
    await service.create(services.settings, backup, clock)
    with pytest.raises(InstallationInUse):
        await service.restore(services.settings, backup)
    wrong = SecretStr(base64.b64encode(bytes(32)).decode())
    with pytest.raises(KeyRingError):
        await service.restore(empty.model_copy(update={"biometric_master_key": wrong}), backup)
    await service.restore(empty, backup)
    with pytest.raises(InstallationInUse):
        await service.restore(empty, backup)


def without_links(value: Any) -> Any:
    """The same, but for signed links, which are made anew for each answer."""
    if isinstance(value, dict):
        return {name: without_links(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_links(one) for one in value]
    return value.partition("?")[0] if isinstance(value, str) and value.startswith("http") else value


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")
