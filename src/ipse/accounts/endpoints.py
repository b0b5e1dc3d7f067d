"""``/auth/v2/programmatic/*``: an account from nothing, by machine (contract 70, section 1)."""

from __future__ import annotations

from fastapi import BackgroundTasks, Response
from starlette.requests import Request
from starlette.responses import JSONResponse

from ipse.accounts import guesses, repository, service
from ipse.accounts.application_endpoints import router as applications
from ipse.accounts.codes import forget_code, send_code
from ipse.accounts.schemas import (
    CodeCheck,
    CodeRequest,
    FirstApplication,
    Message,
    Named,
    Registered,
    Registration,
    Renewal,
    SignedInAnswer,
    SignIn,
    VerifiedAnswer,
)
from ipse.edge.authentication import limits_of
from ipse.edge.client_address import client_address, network_of
from ipse.edge.documented import documented
from ipse.edge.errors import ApiError, Unauthenticated
from ipse.edge.limits import Bucket
from ipse.edge.routing import router as make_router
from ipse.edge.unit import unit_of
from ipse.runtime.application import Mode
from ipse.security.passwords import PasswordHasher

router = make_router()
_programmatic = make_router(prefix="/auth/v2/programmatic", tags=["Accounts"])


@_programmatic.post(
    "/register/", status_code=201, response_model_exclude_none=True, responses=documented(400, 409, 429)
)
async def register(request: Request, body: Registration, tasks: BackgroundTasks) -> Registered:
    """Create an account; a verification code is sent, unless this installation verifies by itself."""
    unit = unit_of(request)
    services, settings = unit.services, unit.services.settings
    bucket = Bucket(
        "register",
        f"{settings.register_limit_per_hour}/hour",
        "Too many registrations from this address. Please try again later.",
    )
    await limits_of(request).hit(bucket, client_address(request, settings.trusted_proxies) or "unknown")
    service.refuse_weak_password(body.password)
    password_hash = await _hasher(request).hash(body.password)
    tx = await unit.begin(write=True)
    account = await service.register(tx, services, email=body.email, password_hash=password_hash)
    if settings.auto_verify_accounts:
        verified = await service.verify(tx, services, account)
        return Registered(
            message="Account created. Keep the API key: it is shown only once.",
            email=account.email,
            **_verified_fields(verified),
        )
    code = service.new_code(services, account)
    tasks.add_task(send_code, settings, account_id=code.account_id, email=code.email, code=code.code)
    return Registered(message="Account created. Enter the code that was sent to verify it.", email=account.email)


@_programmatic.post("/verify-email/", response_model=VerifiedAnswer, responses=documented(400, 409))
async def verify_email(request: Request, body: CodeCheck) -> VerifiedAnswer | Response:
    """Confirm the address; answers with tokens, an organisation and a sandbox application with its key."""
    unit = unit_of(request)
    tx = await unit.begin(write=True)
    outcome = await service.check_code(tx, unit.services, email=body.email, code=body.code, network=_network(request))
    if isinstance(outcome, ApiError):
        return _refusal(outcome)
    account = await repository.account_by_email(tx, body.email)
    assert account is not None
    forget_code(unit.services.settings, account.id)
    return VerifiedAnswer(**_verified_fields(outcome))


@_programmatic.post(
    "/login/", response_model=SignedInAnswer, response_model_exclude_none=True, responses=documented(400, 401, 403, 429)
)
async def login(request: Request, body: SignIn) -> SignedInAnswer | Response:
    """Sign in. Five wrong passwords from one address lock it out for 15 minutes, ten for an hour, twenty for a day.

    Whether the account exists makes no difference to answers and times.
    """
    unit = unit_of(request)
    guess = await guesses.begin(unit.services, body.email, _network(request))
    async with unit.peek() as peek:
        known = await service.find_credentials(peek, body.email)
    correct = await _hasher(request).verify(body.password, known.password_hash if known else None)
    tx = await unit.begin(write=True)
    account_id = known.account_id if known else None
    outcome = await service.conclude_sign_in(tx, unit.services, guess, account_id=account_id, correct=correct)
    return _refusal(outcome) if isinstance(outcome, ApiError) else _signed_in(outcome)


@_programmatic.post("/resend-otp/", responses=documented(400, 429))
async def resend_otp(request: Request, body: CodeRequest, tasks: BackgroundTasks) -> Message:
    """Send another code. The answer is the same whether the address is waiting for one or not."""
    unit = unit_of(request)
    tx = await unit.begin(write=True)
    code = await service.resend_code(tx, unit.services, body.email)
    if code is not None:
        tasks.add_task(send_code, unit.services.settings, account_id=code.account_id, email=code.email, code=code.code)
    return Message(message="If this address is waiting for verification, a new code was sent.")


@_programmatic.post("/refresh/", response_model_exclude_none=True, responses=documented(400, 401))
async def refresh(request: Request, body: Renewal) -> SignedInAnswer:
    """Exchange a refresh token for a new pair. Each refresh token works once."""
    unit = unit_of(request)
    tokens = await service.renew(await unit.begin(write=True), unit.services, body.refresh_token)
    if tokens is None:
        raise Unauthenticated("The refresh token is unknown, used or has expired. Sign in again.")
    return _signed_in(tokens)


def _network(request: Request) -> str:
    return network_of(client_address(request, unit_of(request).services.settings.trusted_proxies))


def _hasher(request: Request) -> PasswordHasher:
    """The application's hasher: one, because it bounds how many hashes run at a time."""
    state = request.app.state
    if not hasattr(state, "password_hasher"):
        state.password_hasher = PasswordHasher()
    hasher = state.password_hasher
    assert isinstance(hasher, PasswordHasher)
    return hasher


def _refusal(error: ApiError) -> Response:
    """The refusal as a response: raising it would roll back the count of failures."""
    return JSONResponse(error.body, error.status, error.headers)


def _signed_in(tokens: service.Tokens) -> SignedInAnswer:
    return SignedInAnswer(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        expires_in=tokens.expires_in_s,
        message="Signed in.",
    )


def _verified_fields(verified: service.Verified) -> dict[str, object]:
    application = verified.application.row
    return {
        "access_token": verified.tokens.access,
        "refresh_token": verified.tokens.refresh,
        "expires_in": verified.tokens.expires_in_s,
        "organization": Named(uuid=verified.organization.id, name=verified.organization.name),
        "application": FirstApplication(
            uuid=application.id,
            name=application.name,
            client_id=application.client_id,
            api_key=verified.application.secret or "",
            mode=Mode(application.mode),
        ),
    }


router.include_router(_programmatic)
router.include_router(applications)
