"""The first run of an installation: a local organisation with a sandbox and a live application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipse.accounts import repository
from ipse.accounts.applications import IssuedApplication, change_application, create_application, issue_key
from ipse.accounts.schemas import ApplicationPatch
from ipse.edge.errors import NotFound
from ipse.runtime.application import Mode
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow, OrganizationRow


@dataclass(frozen=True, slots=True)
class LocalApplication:
    """An application as ``ipse init`` shows it. ``api_key`` is None when it already existed."""

    id: str
    name: str
    mode: Mode
    key_prefixes: tuple[str, ...]
    """Visible beginnings of the keys that work."""
    api_key: str | None


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What exists after the first run. ``created`` is False when it existed before."""

    created: bool
    organization_id: str
    organization_name: str
    applications: tuple[LocalApplication, ...]

    def of_mode(self, mode: Mode) -> LocalApplication | None:
        """The first application of an environment."""
        return next((one for one in self.applications if one.mode is mode), None)


async def create_local_organization(services: Services, *, name: str = "Local organisation") -> FirstRun:
    """Create the organisation and its two applications, or describe what exists, without secrets.

    The keys of a fresh run are in the result and nowhere else.
    """
    async with services.database.writing() as tx:
        existing = await repository.first_organization(tx)
        if existing is not None:
            rows = await repository.applications(tx, existing.id)
            found = [await _describe(tx, row, None) for row in rows]
            return FirstRun(False, existing.id, existing.name, tuple(found))
        organization = OrganizationRow(
            id=services.identifiers.uuid(), name=name, contact_email=None, created_at=services.clock.now()
        )
        tx.add(organization)
        await tx.flush()
        made = []
        for title, mode in (("Sandbox", Mode.SANDBOX), ("Live", Mode.LIVE)):
            issued = await create_application(tx, services, organization_id=organization.id, name=title, mode=mode)
            made.append(await _describe(tx, issued.row, issued.secret))
    return FirstRun(True, organization.id, organization.name, tuple(made))


async def issue_local_key(services: Services, mode: Mode) -> LocalApplication:
    """Make one more key for the first application of an environment; raises ``NotFound`` when there is none."""
    async with services.database.writing() as tx:
        organization = await repository.first_organization(tx)
        rows = await repository.applications(tx, organization.id) if organization is not None else []
        row = next((row for row in rows if row.mode == mode), None)
        if row is None:
            raise NotFound
        issued = await issue_key(tx, services, row)
        return await _describe(tx, row, issued.secret)


async def local_applications(services: Services) -> Sequence[ApplicationRow]:
    """The applications of the local organisation, detached; empty before the first run."""
    async with services.database.reading() as tx:
        organization = await repository.first_organization(tx)
        return await repository.applications(tx, organization.id) if organization is not None else []


async def change_local_application(services: Services, named: str, patch: ApplicationPatch) -> IssuedApplication:
    """Change an application of the local organisation, named by its id or, if it is the first one, by its mode.

    Raises:
        NotFound: there is none.
        ApiError: a value is not allowed here.
    """
    async with services.database.writing() as tx:
        organization = await repository.first_organization(tx)
        rows = await repository.applications(tx, organization.id) if organization is not None else []
        row = next((row for row in rows if named in (row.id, row.mode)), None)
        if row is None:
            raise NotFound("No application of the local organisation has this id or mode.")
        return await change_application(tx, services, row, patch)


async def _describe(tx: Transaction, row: ApplicationRow, secret: str | None) -> LocalApplication:
    keys = await repository.api_keys(tx, row.id)
    prefixes = tuple(key.prefix for key in keys if key.revoked_at is None)
    return LocalApplication(row.id, row.name, Mode(row.mode), prefixes, secret)
