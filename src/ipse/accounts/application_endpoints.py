"""``/auth/v2/organizations/me/…``: organisations, applications and keys of a signed-in person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from ipse.accounts import applications, repository
from ipse.accounts.schemas import (
    ApiKeyAnswer,
    ApplicationAnswer,
    ApplicationCreate,
    ApplicationPatch,
    NewApiKeyAnswer,
    OrganizationAnswer,
)
from ipse.edge.authentication import SignedIn, as_uuid, count_request
from ipse.edge.documented import documented
from ipse.edge.errors import NotFound
from ipse.edge.routing import router as make_router
from ipse.edge.unit import unit_of
from ipse.privacy import erasure
from ipse.privacy import view as privacy
from ipse.privacy.schemas import ReceiptItem
from ipse.runtime.application import Application, Mode, ReferenceSource, SandboxEngine
from ipse.runtime.scope import Actor, Scope
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import ApiKeyRow, ApplicationRow

router = make_router(prefix="/auth/v2/organizations/me", tags=["Applications"], responses=documented(401, 429))


class Desk:
    """A signed-in person at work: the open transaction and the organisation it may touch."""

    def __init__(self, tx: Transaction, services: Services, organization_id: str, actor: Actor) -> None:
        self.tx = tx
        self.services = services
        self.organization_id = organization_id
        self.actor = actor

    async def application(self, application_id: str) -> ApplicationRow:
        """An application of the organisation, or 404."""
        return await applications.find_application(self.tx, self.organization_id, as_uuid(application_id))


async def _desk(request: Request, account: SignedIn) -> Desk:
    named = request.path_params.get("organization_id")
    if named is not None and as_uuid(named) != account.organization_id:
        raise NotFound
    await count_request(request, account.id)
    unit = unit_of(request)
    tx = await unit.begin(write=request.method not in {"GET", "HEAD"})
    actor = Actor("CONSOLE_USER", account.email, account.email)
    return Desk(tx, unit.services, account.organization_id, actor)


DeskParam = Annotated[Desk, Depends(_desk)]


@router.get("/")
async def list_organizations(desk: DeskParam) -> list[OrganizationAnswer]:
    """The organisations of the signed-in person."""
    row = await repository.organization(desk.tx, desk.organization_id)
    if row is None:
        return []
    return [OrganizationAnswer(uuid=row.id, name=row.name, contact_email=row.contact_email, created_at=row.created_at)]


@router.get("/{organization_id}/applications/", responses=documented(404))
async def list_applications(organization_id: str, desk: DeskParam) -> list[ApplicationAnswer]:
    """Every application of the organisation, oldest first."""
    return [_answer(row) for row in await repository.applications(desk.tx, desk.organization_id)]


@router.post("/{organization_id}/applications/", status_code=201, responses=documented(400, 404))
async def create_application(organization_id: str, body: ApplicationCreate, desk: DeskParam) -> ApplicationAnswer:
    """Create an application. ``api_key`` is shown in this answer only."""
    made = await applications.create_application(
        desk.tx,
        desk.services,
        organization_id=desk.organization_id,
        name=body.name,
        mode=body.mode,
        actor=desk.actor,
    )
    return _answer(made.row, made.secret)


@router.get("/{organization_id}/applications/{application_id}/", responses=documented(404))
async def get_application(organization_id: str, application_id: str, desk: DeskParam) -> ApplicationAnswer:
    """One application. Keys are stored hashed, so ``api_key`` is null here."""
    return _answer(await desk.application(application_id))


@router.patch("/{organization_id}/applications/{application_id}/", responses=documented(400, 404))
async def change_application(
    organization_id: str, application_id: str, body: ApplicationPatch, desk: DeskParam
) -> ApplicationAnswer:
    """Change settings. Switching ``mode`` revokes the old keys and answers with one of the new environment."""
    row = await desk.application(application_id)
    changed = await applications.change_application(desk.tx, desk.services, row, body, actor=desk.actor)
    return _answer(changed.row, changed.secret)


@router.delete("/{organization_id}/applications/{application_id}/", responses=documented(404))
async def delete_application(organization_id: str, application_id: str, desk: DeskParam) -> ReceiptItem:
    """Destroy an application with everything in it: persons, images, keys, workflows. The answer is the receipt."""
    row = await desk.application(application_id)
    scope = Scope(desk.tx, Application.of(row), desk.services, desk.actor)
    return privacy.receipt(await erasure.erase_application(scope))


@router.get("/{organization_id}/applications/{application_id}/api-keys/", responses=documented(404))
async def list_api_keys(organization_id: str, application_id: str, desk: DeskParam) -> list[ApiKeyAnswer]:
    """Every key with its visible prefix, revoked ones included."""
    row = await desk.application(application_id)
    return [_key(key) for key in await applications.list_keys(desk.tx, row.id)]


@router.post("/{organization_id}/applications/{application_id}/api-keys/", status_code=201, responses=documented(404))
async def create_api_key(organization_id: str, application_id: str, desk: DeskParam) -> NewApiKeyAnswer:
    """Issue one more key; its text is shown in this answer only."""
    row = await desk.application(application_id)
    issued = await applications.issue_key(desk.tx, desk.services, row, actor=desk.actor)
    return NewApiKeyAnswer(**_key(issued.row).model_dump(), api_key=issued.secret)


@router.delete(
    "/{organization_id}/applications/{application_id}/api-keys/{key_id}/",
    status_code=204,
    responses=documented(400, 404),
)
async def revoke_api_key(organization_id: str, application_id: str, key_id: str, desk: DeskParam) -> None:
    """Revoke a key. It stops working at once."""
    row = await desk.application(application_id)
    await applications.revoke_key(desk.tx, desk.services, row.id, as_uuid(key_id), actor=desk.actor)


def _key(row: ApiKeyRow) -> ApiKeyAnswer:
    return ApiKeyAnswer(uuid=row.id, prefix=row.prefix, created_at=row.created_at, revoked_at=row.revoked_at)


def _answer(row: ApplicationRow, secret: str | None = None) -> ApplicationAnswer:
    return ApplicationAnswer(
        uuid=row.id,
        name=row.name,
        client_id=row.client_id,
        organization_id=row.organization_id,
        api_key=secret,
        mode=Mode(row.mode),
        environment=Mode(row.mode),
        sandbox_engine=SandboxEngine(row.sandbox_engine),
        reference_source=ReferenceSource(row.reference_source),
        enroll_on_first_use=row.enroll_on_first_use,
        allow_private_webhooks=row.allow_private_webhooks,
        kyc_validity_days=row.kyc_validity_days,
        retention_days=row.retention_days,
        website_url=row.website_url,
        redirect_uris=list(row.redirect_uris),
        terms_url=row.terms_url,
        privacy_url=row.privacy_url,
        description=row.description,
        created_at=row.created_at,
    )
