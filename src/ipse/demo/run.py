"""Set the stage - models, portraits, server, receiver - and play."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from ipse.accounts.first_run import create_local_organization
from ipse.app import build, build_services, close_services
from ipse.biometrics import acquisition
from ipse.biometrics.errors import BiometricsError
from ipse.demo.guard import Asked
from ipse.demo.inbox import open_inbox, serving
from ipse.demo.play import Played, play
from ipse.runtime.application import Mode, SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.portraits import portraits
from ipse.settings import Settings
from ipse.storage.tables import ApplicationRow

Show = Callable[[str], None]


async def run(settings: Settings, show: Show) -> tuple[list[Played], list[Asked]]:
    """Play the demo on a database of its own that is gone afterwards; the installation's data is not touched."""
    samples = portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples")
    with tempfile.TemporaryDirectory(prefix="ipse-demo-") as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        own = settings.model_copy(
            update={
                "data_dir": Path(folder),
                "database_url": "",
                "blob_url": "",
                "public_url": address,
                "run_worker": True,
                "ordinary_master_key": None,
                "biometric_master_key": None,
            }
        )
        show("Starting the server on an embedded database")
        services = await build_services(own)
        try:
            show(f"Liveness engine: {services.face_engine().liveness_engine}")
            key = await _sandbox_with_real_engine(services)
            async with serving(build(own, services), listener), open_inbox() as inbox:
                return await play(address, key, samples, inbox, show)
        finally:
            await close_services(services)


async def _sandbox_with_real_engine(services: Services) -> str:
    """The key of a fresh sandbox application that asks for the real engine and may call this machine's receiver."""
    sandbox = (await create_local_organization(services)).of_mode(Mode.SANDBOX)
    assert sandbox is not None
    assert sandbox.api_key is not None
    async with services.database.writing() as tx:
        row = await tx.get_one(ApplicationRow, sandbox.id)
        row.sandbox_engine = SandboxEngine.REAL.value
        row.allow_private_webhooks = True
    return sandbox.api_key


def obtain_models(models_dir: Path, show: Show) -> None:
    """Fetch what is missing: the registry models must come, the liveness networks may."""
    acquisition.obtain(models_dir, from_dir=None, progress=_silent, which="registry")
    try:
        acquisition.obtain(models_dir, from_dir=None, progress=_silent, which="liveness")
    except BiometricsError as error:
        show(f"The liveness networks could not be fetched ({error}). Going on with basic replay screening.")


def _silent(_name: str, _done: int, _total: int) -> None:
    """The demo says what it fetches in one line, not with a bar."""
