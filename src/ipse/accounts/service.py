"""Registration, verification, sign-in and tokens.

Passwords are checked before the writing transaction opens: Argon2 takes longer than a transaction should. Wrong codes
are counted in the same request that refuses, so refusals must not be raised: these functions *return* them and the
endpoint sends them, which commits the count.
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ipse.accounts import guesses, repository
from ipse.accounts.applications import IssuedApplication, create_application
from ipse.accounts.errors import (
    AccountExists,
    CodeJustSent,
    NotVerified,
    WeakPassword,
    WrongCode,
    WrongCredentials,
)
from ipse.audit.service import record_installation
from ipse.edge.errors import ApiError
from ipse.runtime.application import Mode
from ipse.runtime.services import Services
from ipse.security import tokens as secrets
from ipse.security.passwords import violations
from ipse.storage.database import Transaction
from ipse.storage.tables import AccessTokenRow, AccountRow, OrganizationRow

ACCESS_LIFETIME = timedelta(seconds=86400)
REFRESH_LIFETIME = timedelta(days=30)
CODE_LIFETIME = timedelta(minutes=15)
CODE_COOLDOWN = timedelta(seconds=60)
MOST_CODE_FAILURES = 50
"""Wrong codes from everywhere; one address has fewer (``guesses``). 32^6 codes: the odds are one in twenty million."""

_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Tokens:
    """A bearer token and its refresh token, at the only moment their text exists on our side."""

    access: str
    refresh: str
    expires_in_s: int = int(ACCESS_LIFETIME.total_seconds())


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is checked against, detached from the database."""

    account_id: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code that must now reach its person."""

    account_id: str
    email: str
    code: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verified account owns."""

    tokens: Tokens
    organization: OrganizationRow
    application: IssuedApplication


def refuse_weak_password(password: str) -> None:
    """Raise :class:`WeakPassword` naming every part of the rule that is missed."""
    problems = list(violations(password))
    if problems:
        raise WeakPassword(problems)


async def register(tx: Transaction, services: Services, *, email: str, password_hash: str) -> AccountRow:
    """Create an unverified account, or start over one that was never verified."""
    now = services.clock.now()
    account = await repository.account_by_email(tx, email)
    if account is not None and account.verified_at is not None:
        raise AccountExists
    if account is None:
        account = AccountRow(
            id=services.identifiers.uuid(),
            organization_id=None,
            email=email,
            password_hash=password_hash,
            code_failures=0,
            failed_logins=0,
            created_at=now,
        )
        tx.add(account)
    account.password_hash = password_hash
    await _record(tx, services, "account.registered", account)
    await tx.flush()
    return account


def new_code(services: Services, account: AccountRow) -> NewCode:
    """Replace the code of an account; at most one a minute."""
    now = services.clock.now()
    if account.code_sent_at is not None and now < account.code_sent_at + CODE_COOLDOWN:
        raise CodeJustSent(math.ceil((account.code_sent_at + CODE_COOLDOWN - now).total_seconds()))
    code = _code_from(services.identifiers.token(4 * _CODE_LENGTH))
    account.code_hash = _code_digest(services, account.id, code)
    account.code_sent_at = now
    account.code_failures = 0
    return NewCode(account.id, account.email, code)


async def resend_code(tx: Transaction, services: Services, email: str) -> NewCode | None:
    """Make a new code; None when there is nobody to send it to, which the answer does not tell."""
    account = await repository.account_by_email(tx, email)
    if account is None or account.verified_at is not None:
        return None
    return new_code(services, account)


async def check_code(
    tx: Transaction, services: Services, *, email: str, code: str, network: str
) -> Verified | ApiError:
    """Verify an account by its code. It lives for fifteen minutes, and takes five guesses from a ``network``."""
    account = await repository.account_by_email(tx, email)
    now = services.clock.now()
    if account is None or account.verified_at is not None or account.code_hash is None or account.code_sent_at is None:
        return WrongCode()
    if now >= account.code_sent_at + CODE_LIFETIME or account.code_failures >= MOST_CODE_FAILURES:
        return WrongCode()
    if not await guesses.may_guess_code(services, email, network, account.code_sent_at):
        return WrongCode()
    if not hmac.compare_digest(_code_digest(services, account.id, code.strip().upper()), account.code_hash):
        await repository.count_failed_code(tx, account.id)
        return WrongCode()
    return await verify(tx, services, account)


async def verify(tx: Transaction, services: Services, account: AccountRow) -> Verified:
    """Give a confirmed account its organisation and its first application, which starts in sandbox."""
    now = services.clock.now()
    organization = OrganizationRow(
        id=services.identifiers.uuid(),
        name=f"{account.email.partition('@')[0]}'s organisation",
        contact_email=account.email,
        created_at=now,
    )
    tx.add(organization)
    await tx.flush()
    account.organization_id = organization.id
    account.verified_at = now
    account.code_hash = None
    application = await create_application(
        tx, services, organization_id=organization.id, name="My first application", mode=Mode.SANDBOX
    )
    await _record(tx, services, "account.verified", account)
    return Verified(await issue_tokens(tx, services, account.id), organization, application)


async def find_credentials(tx: Transaction, email: str) -> Credentials | None:
    """The stored credentials of an address."""
    account = await repository.account_by_email(tx, email)
    return Credentials(account.id, account.password_hash) if account is not None else None


async def conclude_sign_in(
    tx: Transaction, services: Services, guess: guesses.Guess, *, account_id: str | None, correct: bool
) -> Tokens | ApiError:
    """Answer the right password with tokens, and write down every try.

    An address without an account takes the same steps, so that neither answer nor time tells it from others.
    """
    account = await tx.get(AccountRow, account_id) if account_id is not None else None
    if account is None or not correct:
        await _record(tx, services, "account.sign_in_failed", account, failures=guess.failures)
        if guess.locked_until is not None:
            await _record(tx, services, "account.locked", account, until=guess.locked_until.isoformat())
        return WrongCredentials()
    await guesses.was_right(services, guess)
    if account.verified_at is None:
        return NotVerified()
    await _record(tx, services, "account.signed_in", account)
    return await issue_tokens(tx, services, account.id)


async def _record(tx: Transaction, services: Services, act: str, account: AccountRow | None, **details: Any) -> None:
    await record_installation(
        services,
        tx,
        act,
        actor_type="CONSOLE_USER",
        object_type="account",
        object_id=account.id if account is not None else None,
        details={"email": account.email if account is not None else None, **details},
    )


async def issue_tokens(tx: Transaction, services: Services, account_id: str) -> Tokens:
    """Make a pair of opaque tokens; only their hashes are stored."""
    now = services.clock.now()
    await repository.delete_dead_tokens(tx, now)
    access, refresh = (secrets.new_opaque_token(services.identifiers) for _ in range(2))
    for secret, kind, lifetime in ((access, "access", ACCESS_LIFETIME), (refresh, "refresh", REFRESH_LIFETIME)):
        tx.add(
            AccessTokenRow(
                token_hash=secret.digest, account_id=account_id, kind=kind, expires_at=now + lifetime, created_at=now
            )
        )
    await tx.flush()
    return Tokens(access.text, refresh.text)


async def renew(tx: Transaction, services: Services, refresh_token: str) -> Tokens | None:
    """Exchange a refresh token for a new pair; it works once."""
    row = await repository.token(tx, secrets.digest(refresh_token), "refresh")
    if row is None or row.expires_at <= services.clock.now():
        return None
    await tx.delete(row)
    return await issue_tokens(tx, services, row.account_id)


def _code_from(randomness: str) -> str:
    """Six characters without look-alikes. 32 symbols divide 64 evenly, so every code is equally likely."""
    url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(_CODE_ALPHABET[url_safe.index(character) % 32] for character in randomness[:_CODE_LENGTH])


def _code_digest(services: Services, account_id: str, code: str) -> str:
    """Keyed: the six characters of a code could be guessed from a plain digest."""
    return services.lookup.tag("account code", account_id, code)
