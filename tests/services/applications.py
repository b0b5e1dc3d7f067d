"""Applications for tests, written straight into the database so that no other part has to work first."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ipse.runtime.application import Application, Mode, SandboxEngine
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.tokens import digest
from ipse.storage.tables import ApiKeyRow, ApplicationRow, OrganizationRow
from ipse.workflows.service import install_presets


@dataclass(frozen=True)
class RegisteredApplication:
    """An application and the key that opens it. ``key`` is never stored in clear."""

    application: Application
    key: str
    client_id: str

    @property
    def id(self) -> str:
        return self.application.id

    @property
    def organization_id(self) -> str:
        return self.application.organization_id


async def register_application(
    services: Services,
    *,
    mode: Mode = Mode.SANDBOX,
    engine: SandboxEngine = SandboxEngine.SCENARIOS,
    organization_id: str | None = None,
    **columns: Any,
) -> RegisteredApplication:
    """Create an application with one key and the preset workflows; ``columns`` override those of its row."""
    key = f"ipse_{'test' if mode is Mode.SANDBOX else 'live'}_{secrets.token_urlsafe(24)}"
    now = datetime.now(UTC)
    async with services.database.writing() as tx:
        if organization_id is None:
            organization_id = str(uuid.uuid4())
            tx.add(OrganizationRow(id=organization_id, name="Test organisation", contact_email=None, created_at=now))
            await tx.flush()
        values: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "organization_id": organization_id,
            "client_id": secrets.token_urlsafe(16)[:22],
            "name": "Test application",
            "mode": mode.value,
            "sandbox_engine": engine.value,
            "reference_source": "stored_or_supplied",
            "enroll_on_first_use": False,
            "allow_private_webhooks": True,
            "redirect_uris": [],
            "created_at": now,
        }
        row = ApplicationRow(**{**values, **columns})
        tx.add(row)
        await tx.flush()
        tx.add(
            ApiKeyRow(
                id=str(uuid.uuid4()), application_id=row.id, prefix=key[:14], key_hash=digest(key), created_at=now
            )
        )
        application = Application.of(row)
        await install_presets(Scope(tx, application, services))
    return RegisteredApplication(application, key, row.client_id)
