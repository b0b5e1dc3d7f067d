"""Queries over organisations, accounts, tokens, applications and keys.

These rows sit above the application, so the functions take the transaction and, where it exists, the
organisation that the rows must belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, update

from ipse.storage.database import Transaction
from ipse.storage.tables import AccessTokenRow, AccountRow, ApiKeyRow, ApplicationRow, OrganizationRow

DEMO_ORGANIZATION: Final = "0d3e0000-0000-4000-8000-000000000000"
"""The organisation of the demo shop. Fixed, so that every process finds it."""


async def account_by_email(tx: Transaction, email: str) -> AccountRow | None:
    """The account of an address."""
    found: AccountRow | None = await tx.scalar(select(AccountRow).where(AccountRow.email == email))
    return found


async def count_failed_code(tx: Transaction, account_id: str) -> None:
    """Add one wrong verification code."""
    await tx.execute(
        update(AccountRow).where(AccountRow.id == account_id).values(code_failures=AccountRow.code_failures + 1)
    )


async def token(tx: Transaction, token_hash: str, kind: str) -> AccessTokenRow | None:
    """A token by its hash."""
    found: AccessTokenRow | None = await tx.scalar(
        select(AccessTokenRow).where(AccessTokenRow.token_hash == token_hash, AccessTokenRow.kind == kind)
    )
    return found


async def delete_dead_tokens(tx: Transaction, now: datetime) -> None:
    """Forget tokens that have expired."""
    await tx.execute(delete(AccessTokenRow).where(AccessTokenRow.expires_at <= now))


async def organization(tx: Transaction, organization_id: str) -> OrganizationRow | None:
    """One organisation."""
    return await tx.get(OrganizationRow, organization_id)


async def first_organization(tx: Transaction) -> OrganizationRow | None:
    """The oldest organisation: on a local installation, the one that ``ipse init`` made. The demo shop's is none."""
    found: OrganizationRow | None = await tx.scalar(
        select(OrganizationRow).where(OrganizationRow.id != DEMO_ORGANIZATION).order_by(OrganizationRow.created_at)
    )
    return found


async def applications(tx: Transaction, organization_id: str) -> Sequence[ApplicationRow]:
    """The applications of an organisation, oldest first, sandbox before live."""
    query = (
        select(ApplicationRow)
        .where(ApplicationRow.organization_id == organization_id)
        .order_by(ApplicationRow.created_at, ApplicationRow.mode.desc(), ApplicationRow.id)
    )
    return (await tx.scalars(query)).all()


async def count_applications(tx: Transaction, organization_id: str) -> int:
    """How many applications an organisation has."""
    query = select(func.count()).select_from(ApplicationRow).where(ApplicationRow.organization_id == organization_id)
    return (await tx.execute(query)).scalar_one()


async def application(tx: Transaction, organization_id: str, application_id: str) -> ApplicationRow | None:
    """An application, if it belongs to the organisation."""
    found: ApplicationRow | None = await tx.scalar(
        select(ApplicationRow).where(
            ApplicationRow.id == application_id, ApplicationRow.organization_id == organization_id
        )
    )
    return found


async def api_keys(tx: Transaction, application_id: str) -> Sequence[ApiKeyRow]:
    """Every key of an application, oldest first, revoked ones included."""
    query = select(ApiKeyRow).where(ApiKeyRow.application_id == application_id)
    return (await tx.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id))).all()


async def api_key(tx: Transaction, application_id: str, key_id: str) -> ApiKeyRow | None:
    """A key, if it belongs to the application."""
    found: ApiKeyRow | None = await tx.scalar(
        select(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.application_id == application_id)
    )
    return found


async def revoke_keys(tx: Transaction, application_id: str, at: datetime) -> None:
    """Revoke every key of an application that still works."""
    await tx.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.application_id == application_id, ApiKeyRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )
