"""Who calls: an application by its key, a person by a bearer token, or a capture device by a session token.

Rules of the contract (file 00, "Authentication"): every failure is 403 with one text, except where 401 is
documented. The caller is authenticated before anything is looked up, so an unknown id cannot be told
from a foreign one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPBearer
from sqlalchemy import bindparam, select
from starlette.requests import Request

from ipse.edge import idempotency
from ipse.edge.errors import Forbidden, NotFound, Unauthenticated
from ipse.edge.limits import PRE_CHECK, READ, WRITE, Bucket, RequestLimits
from ipse.edge.unit import Unit, services_of, unit_of
from ipse.runtime.application import Application
from ipse.runtime.live_traffic import require_real_keys
from ipse.runtime.scope import API_CLIENT, Actor, Scope
from ipse.runtime.services import Services
from ipse.security.tokens import digest
from ipse.storage.database import Transaction
from ipse.storage.tables import AccessTokenRow, AccountRow, ApiKeyRow, ApplicationRow, SessionRow

_api_key_scheme = APIKeyHeader(name="x-api-key", scheme_name="ApiKeyAuth", auto_error=False)
_bearer_scheme = HTTPBearer(scheme_name="BearerAuth", auto_error=False)

_APPLICATION_OF_KEY: Final = (
    select(ApplicationRow.__table__)
    .join(ApiKeyRow.__table__, ApiKeyRow.application_id == ApplicationRow.id)
    .where(ApiKeyRow.key_hash == bindparam("key_hash"), ApiKeyRow.revoked_at.is_(None))
)
"""The application of a key in force. Every request asks for it, so it is built once and loads no object."""


@dataclass(frozen=True, slots=True)
class Account:
    """A signed-in person."""

    id: str
    email: str
    organization_id: str


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated application and the request's unit; opens the scope when the endpoint is ready."""

    application: Application
    actor: Actor
    unit: Unit
    services: Services

    async def begin(self) -> Scope:
        """Open the writing transaction. Slow work (models, other servers) belongs before this call."""
        return Scope(await self.unit.begin(write=True), self.application, self.services, self.actor)

    async def read(self) -> Scope:
        """Open the reading transaction."""
        return Scope(await self.unit.begin(write=False), self.application, self.services, self.actor)

    def within(self, tx: Transaction) -> Scope:
        """The scope on another transaction, such as a peek."""
        return Scope(tx, self.application, self.services, self.actor)


async def _account_by_token(tx: Transaction, token: str, services: Services) -> Account | None:
    row = (
        await tx.execute(
            select(AccountRow, AccessTokenRow)
            .join(AccessTokenRow, AccessTokenRow.account_id == AccountRow.id)
            .where(AccessTokenRow.token_hash == digest(token), AccessTokenRow.kind == "access")
        )
    ).one_or_none()
    if row is None:
        return None
    account, access = row
    if access.expires_at <= services.clock.now() or account.organization_id is None:
        return None
    return Account(account.id, account.email, account.organization_id)


async def _application_by_key(tx: Transaction, key: str) -> Application | None:
    row: Any = (await tx.execute(_APPLICATION_OF_KEY, {"key_hash": digest(key)})).one_or_none()
    return None if row is None else Application.of(row)


async def _application_for_account(tx: Transaction, account: Account, request: Request) -> Application:
    """The application a person means: named by the path, or the owner of the session in the path."""
    named = request.path_params.get("application_id")
    session_id = request.path_params.get("session_id")
    query = select(ApplicationRow).where(ApplicationRow.organization_id == account.organization_id)
    if named is not None:
        query = query.where(ApplicationRow.id == as_uuid(named))
    elif session_id is not None:
        query = query.join(SessionRow, SessionRow.application_id == ApplicationRow.id).where(
            SessionRow.id == as_uuid(session_id)
        )
    else:
        raise Forbidden
    found = await tx.scalar(query)
    if found is None:
        raise NotFound
    return Application.of(found)


def as_uuid(text: str) -> str:
    """Canonical text of a UUID in a path; anything else does not exist."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise NotFound from None


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _check_path(request: Request, application: Application) -> None:
    """Console-style paths name organisation and application; both must be the caller's own."""
    for name, own in (("organization_id", application.organization_id), ("application_id", application.id)):
        given = request.path_params.get(name)
        if given is not None and as_uuid(given) != own:
            raise NotFound


class Authenticator:
    """Dependency that turns a request into a :class:`Caller`.

    ``keeps_reading``: the endpoint reads on in the transaction in which its caller was found. One that then writes
    lets it go first (:meth:`Unit.finish_reading`).
    """

    def __init__(
        self,
        *,
        bearer: bool = False,
        missing_is_401: bool = False,
        bucket: Bucket | None = None,
        keeps_reading: bool = False,
    ) -> None:
        self._accepts_bearer = bearer
        self._missing_is_401 = missing_is_401
        self._bucket = bucket
        self._keeps_reading = keeps_reading

    async def __call__(
        self,
        request: Request,
        _key: Annotated[str | None, Depends(_api_key_scheme)],
    ) -> Caller:
        services, unit = services_of(request), unit_of(request)
        key, token = request.headers.get("x-api-key"), _bearer(request)
        if not key and not (token and self._accepts_bearer):
            raise Unauthenticated if self._missing_is_401 else Forbidden
        if self._keeps_reading:
            unit.is_quick = True
            return await self._caller(request, unit, services, await unit.begin(write=False))
        async with unit.peek() as tx:
            return await self._caller(request, unit, services, tx)

    async def _caller(self, request: Request, unit: Unit, services: Services, tx: Transaction) -> Caller:
        actor = API_CLIENT
        key = request.headers.get("x-api-key")
        if key:
            application = await _application_by_key(tx, key)
            if application is None:
                raise Forbidden
        else:
            account = await _account_by_token(tx, _bearer(request) or "", services)
            if account is None:
                raise Forbidden
            actor = Actor("CONSOLE_USER", account.email, account.email)
            application = await _application_for_account(tx, account, request)
        _check_path(request, application)
        require_real_keys(services.settings, application)
        await count_request(request, application.id, self._bucket)
        await idempotency.recall(request, application.id, tx)
        request.state.application_id = application.id
        return Caller(application, actor, unit, services)


def limits_of(request: Request) -> RequestLimits:
    """The request limits of this installation, made with the first request."""
    state = request.app.state
    if not hasattr(state, "limits"):
        services = services_of(request)
        state.limits = RequestLimits(services.counters, services.lookup, enabled=services.settings.rate_limits)
    limits = state.limits
    assert isinstance(limits, RequestLimits)
    return limits


async def count_request(request: Request, key: str, bucket: Bucket | None = None) -> None:
    """Count a request against ``bucket``, otherwise that of its method, and remember the headers to send."""
    bucket = bucket or (READ if request.method in {"GET", "HEAD"} else WRITE)
    request.state.rate_limit_headers = await limits_of(request).hit(bucket, key)


async def signed_in(request: Request, _token: Annotated[object, Depends(_bearer_scheme)]) -> Account:
    """Dependency: the account behind a bearer token; 401 without or with a wrong one."""
    token = _bearer(request)
    if token is None:
        raise Unauthenticated
    services = services_of(request)
    async with unit_of(request).peek() as tx:
        account = await _account_by_token(tx, token, services)
    if account is None:
        raise Unauthenticated("The access token is unknown or has expired. Sign in again.")
    return account


application_key = Authenticator()
application_key_or_bearer = Authenticator(bearer=True)
application_key_else_401 = Authenticator(missing_is_401=True)
console = Authenticator(bearer=True, missing_is_401=True)
pre_check = Authenticator(bucket=PRE_CHECK, keeps_reading=True)

CallerParam = Annotated[Caller, Depends(application_key)]
"""An application, by its key: every ``/v3`` server call."""

CallerOrConsole = Annotated[Caller, Depends(application_key_or_bearer)]
"""An application or a signed-in person: the single-session calls."""

UsersCaller = Annotated[Caller, Depends(application_key_else_401)]
"""An application by its key, 401 when no credential is sent: ``/v3/users/*``."""

ConsoleCaller = Annotated[Caller, Depends(console)]
"""``/v3/organization/{organization_id}/application/{application_id}/…``."""

PreCheckCaller = Annotated[Caller, Depends(pre_check)]
"""An application, by its key: what is asked before every action, with a limit of its own.

The caller's reading transaction is open; before :meth:`Caller.begin` it must be let go."""

SignedIn = Annotated[Account, Depends(signed_in)]


async def _write_scope(caller: CallerParam) -> Scope:
    return await caller.begin()


async def _read_scope(caller: CallerParam) -> Scope:
    return await caller.read()


async def _session_write_scope(caller: CallerOrConsole) -> Scope:
    return await caller.begin()


async def _session_read_scope(caller: CallerOrConsole) -> Scope:
    return await caller.read()


async def _console_write_scope(caller: ConsoleCaller) -> Scope:
    return await caller.begin()


async def _console_read_scope(caller: ConsoleCaller) -> Scope:
    return await caller.read()


WriteScope = Annotated[Scope, Depends(_write_scope)]
ReadScope = Annotated[Scope, Depends(_read_scope)]
SessionWriteScope = Annotated[Scope, Depends(_session_write_scope)]
SessionReadScope = Annotated[Scope, Depends(_session_read_scope)]
ConsoleWriteScope = Annotated[Scope, Depends(_console_write_scope)]
ConsoleReadScope = Annotated[Scope, Depends(_console_read_scope)]
