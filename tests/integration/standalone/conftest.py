"""Applications with the real face engine, and portraits as a camera would see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ipse.runtime.application import SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.attacks import replay_attack
from ipse.samples.scenes import selfie
from tests.services.applications import RegisteredApplication, register_application

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response


@dataclass(frozen=True)
class Standalone:
    """A client of one application."""

    client: AsyncClient
    application: RegisteredApplication

    async def post(self, path: str, files: Mapping[str, bytes], **data: str) -> Response:
        """Post a form; file names end in ``.jpg`` and parts are ``application/octet-stream``."""
        parts = {name: (f"{name}.jpg", content, "application/octet-stream") for name, content in files.items()}
        return await self.client.post(path, files=parts, data=data)

    async def ok(self, path: str, files: Mapping[str, bytes], **data: str) -> dict[str, Any]:
        """Post a form that must be processed; return the body."""
        response = await self.post(path, files, **data)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


OpenStandalone = Callable[..., Awaitable[Standalone]]


@pytest.fixture
async def opened(services_with_faces: Services) -> AsyncIterator[OpenStandalone]:
    """Factory: an application that uses the real engine unless told otherwise, and its client."""
    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    app = build(services_with_faces.settings, services_with_faces)
    async with AsyncExitStack() as stack:

        async def open_application(**columns: Any) -> Standalone:
            columns.setdefault("engine", SandboxEngine.REAL)
            application = await register_application(services_with_faces, **columns)
            client = AsyncClient(
                transport=ASGITransport(app), base_url="http://testserver", headers={"x-api-key": application.key}
            )
            stack.push_async_callback(client.aclose)
            return Standalone(client, application)

        yield open_application


@pytest.fixture(scope="session")
def shown(portraits: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Captures by short name: two of one person, one of another, and a phone that shows the first."""
    obama = selfie("obama_1", portraits["obama_1"], seed=1)
    return {
        "obama": obama,
        "obama_again": selfie("obama_2", portraits["obama_2"], seed=2),
        "biden": selfie("biden_1", portraits["biden_1"], seed=3),
        "replay": replay_attack(obama, seed=1),
    }
