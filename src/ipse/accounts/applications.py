"""Applications and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipse.accounts import repository
from ipse.accounts.errors import LastKey, PrivateWebhooksRefused, TooManyApplications
from ipse.accounts.schemas import ApplicationPatch
from ipse.audit.service import record_chain
from ipse.edge.errors import FieldErrors, NotFound
from ipse.runtime.application import Application, Mode
from ipse.runtime.scope import SYSTEM, Actor, Scope
from ipse.runtime.services import Services
from ipse.security import tokens
from ipse.storage.database import Transaction
from ipse.storage.tables import ApiKeyRow, ApplicationRow
from ipse.workflows.service import install_presets

MOST_APPLICATIONS = 50
_NULLABLE = frozenset({"kyc_validity_days", "retention_days", "website_url", "terms_url", "privacy_url", "description"})


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key at the only moment its text exists on our side."""

    row: ApiKeyRow
    secret: str


@dataclass(frozen=True, slots=True)
class IssuedApplication:
    """An application, with its key when the call issued one."""

    row: ApplicationRow
    secret: str | None


async def issue_key(
    tx: Transaction, services: Services, application: ApplicationRow, *, actor: Actor = SYSTEM
) -> IssuedKey:
    """Make one more key for an application. Its prefix says the environment: ``ipse_test_…`` or ``ipse_live_…``."""
    key = tokens.new_api_key(services.identifiers, "live" if application.mode == Mode.LIVE else "sandbox")
    row = ApiKeyRow(
        id=services.identifiers.uuid(),
        application_id=application.id,
        prefix=key.prefix,
        key_hash=key.digest,
        created_at=services.clock.now(),
    )
    tx.add(row)
    await _record(tx, services, application.id, actor, "api_key.created", "api_key", row.id, prefix=row.prefix)
    await tx.flush()
    return IssuedKey(row, key.text)


async def revoke_key(
    tx: Transaction, services: Services, application_id: str, key_id: str, *, actor: Actor = SYSTEM
) -> None:
    """Make a key useless from now on. Revoking twice changes nothing; the last working key stays."""
    row = await repository.api_key(tx, application_id, key_id)
    if row is None:
        raise NotFound
    if row.revoked_at is not None:
        return
    working = [key for key in await repository.api_keys(tx, application_id) if key.revoked_at is None]
    if len(working) == 1:
        raise LastKey
    row.revoked_at = services.clock.now()
    await _record(tx, services, application_id, actor, "api_key.revoked", "api_key", row.id, prefix=row.prefix)


async def create_application(
    tx: Transaction,
    services: Services,
    *,
    organization_id: str,
    name: str,
    mode: Mode,
    actor: Actor = SYSTEM,
    allow_private_webhooks: bool | None = None,
) -> IssuedApplication:
    """Create an application with one key and the preset workflows."""
    if await repository.count_applications(tx, organization_id) >= MOST_APPLICATIONS:
        raise TooManyApplications(MOST_APPLICATIONS)
    if allow_private_webhooks is None:
        allow_private_webhooks = services.settings.is_local
    row = ApplicationRow(
        id=services.identifiers.uuid(),
        organization_id=organization_id,
        client_id=services.identifiers.token(22),
        name=name,
        mode=mode.value,
        sandbox_engine="scenarios",
        reference_source="stored_or_supplied",
        enroll_on_first_use=False,
        allow_private_webhooks=allow_private_webhooks,
        redirect_uris=[],
        last_session_number=0,
        created_at=services.clock.now(),
    )
    tx.add(row)
    await _record(tx, services, row.id, actor, "application.created", "application", row.id, mode=row.mode)
    await tx.flush()
    key = await issue_key(tx, services, row, actor=actor)
    await install_presets(Scope(tx, Application.of(row), services, actor))
    return IssuedApplication(row, key.secret)


async def find_application(tx: Transaction, organization_id: str, application_id: str) -> ApplicationRow:
    """The application, or 404 when it is somebody else's."""
    row = await repository.application(tx, organization_id, application_id)
    if row is None:
        raise NotFound
    return row


async def change_application(
    tx: Transaction, services: Services, row: ApplicationRow, patch: ApplicationPatch, *, actor: Actor = SYSTEM
) -> IssuedApplication:
    """Apply a patch. A change of ``mode`` replaces the keys: a sandbox key must never decide a live session."""
    values = _values(patch)
    if values.get("allow_private_webhooks") and not services.settings.is_local:
        raise PrivateWebhooksRefused
    switched = values.get("mode", row.mode) != row.mode
    for name, value in values.items():
        setattr(row, name, value)
    await _record(tx, services, row.id, actor, "application.changed", "application", row.id, settings=values)
    await tx.flush()
    if not switched:
        return IssuedApplication(row, None)
    await repository.revoke_keys(tx, row.id, services.clock.now())
    await _record(tx, services, row.id, actor, "api_key.revoked", "application", row.id, every=True)
    return IssuedApplication(row, (await issue_key(tx, services, row, actor=actor)).secret)


async def list_keys(tx: Transaction, application_id: str) -> Sequence[ApiKeyRow]:
    """Every key of an application, revoked ones included."""
    return await repository.api_keys(tx, application_id)


async def _record(
    tx: Transaction,
    services: Services,
    application_id: str,
    actor: Actor,
    act: str,
    object_type: str,
    object_id: str,
    **details: Any,
) -> None:
    await record_chain(
        services,
        tx,
        application_id,
        act,
        actor=actor,
        object_type=object_type,
        object_id=object_id,
        details=details,
    )


def _values(patch: ApplicationPatch) -> dict[str, Any]:
    sent = patch.model_dump(mode="json", exclude_unset=True)
    empty = sorted(name for name, value in sent.items() if value is None and name not in _NULLABLE)
    if empty:
        raise FieldErrors({name: ["This field may not be null."] for name in empty})
    return sent
