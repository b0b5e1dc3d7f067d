"""The application of the demo shop: in an organisation of its own, so that it is nobody's first application."""

from __future__ import annotations

from typing import Final

from ipse.accounts import repository
from ipse.accounts.applications import create_application, issue_key
from ipse.runtime.application import Mode, SandboxEngine
from ipse.runtime.services import Services
from ipse.storage.tables import OrganizationRow

DEMO_ORGANIZATION: Final = repository.DEMO_ORGANIZATION
_NAME: Final = "Demo shop"


async def open_demo_application(services: Services) -> str:
    """Return a key of the demo application, which is made when there is none: a sandbox that runs the face engine.

    Keys are stored hashed, so every process that opens the shop issues one and ends the earlier ones.
    """
    async with services.database.writing() as tx:
        if await tx.get(OrganizationRow, DEMO_ORGANIZATION) is None:
            now = services.clock.now()
            tx.add(OrganizationRow(id=DEMO_ORGANIZATION, name=_NAME, contact_email=None, created_at=now))
            await tx.flush()
        for row in await repository.applications(tx, DEMO_ORGANIZATION):
            await repository.revoke_keys(tx, row.id, services.clock.now())
            return (await issue_key(tx, services, row)).secret
        made = await create_application(tx, services, organization_id=DEMO_ORGANIZATION, name=_NAME, mode=Mode.SANDBOX)
        made.row.sandbox_engine = SandboxEngine.REAL.value
        assert made.secret is not None
        return made.secret
