"""Verdicts over HTTP: mint one, redeem one, and the keys to check them with."""

from __future__ import annotations

from fastapi import Response
from starlette.requests import Request

from ipse.edge.authentication import CallerParam
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.edge.unit import services_of
from ipse.sessions.view import timestamp
from ipse.step_up import signing_keys, verdicts
from ipse.step_up.tokens import moment
from ipse.step_up.verdict_schemas import PublishedKeys, RedeemAnswer, RedeemRequest, VerdictAnswer, VerdictRequest

router = make_router(tags=["Step-up"])


@router.post("/v3/step-up/verdict/", responses=documented(400, 403, 404, 409, 429))
async def mint_verdict(caller: CallerParam, body: VerdictRequest) -> VerdictAnswer:
    """Sign a verdict on an approved session, for `verdict_window_s` after its decision.

    Each call signs a new one, and only the latest can be redeemed.
    """
    return shown(await verdicts.mint(await caller.begin(), body.session_id))


def shown(verdict: verdicts.Verdict) -> VerdictAnswer:
    """A verdict as it is answered."""
    expires_at = timestamp(moment(verdict.claims.exp))
    return VerdictAnswer(token=verdict.token, expires_at=expires_at, claims=verdict.claims.to_json())


@router.post("/v3/step-up/redeem/", responses=documented(400, 403, 409, 429))
async def redeem_verdict(caller: CallerParam, body: RedeemRequest) -> RedeemAnswer:
    """Check a verdict and the action you are about to execute, and use the verdict up: works once.

    `error_code` is one of `TOKEN_INVALID`, `TOKEN_EXPIRED`, `ACTION_MISMATCH`, `ALREADY_REDEEMED`, `VERDICT_REVOKED`.
    """
    redeemed = await verdicts.redeem(await caller.begin(), body.token, body.action)
    return RedeemAnswer(valid=True, claims=redeemed.claims.to_json(), evaluation_id=redeemed.evaluation_id)


@router.get("/.well-known/jwks.json")
async def published_keys(request: Request, response: Response) -> PublishedKeys:
    """The public keys that verdicts are checked with, those lately retired included. Public; may be kept 5 minutes."""
    services = services_of(request)
    async with services.database.reading() as tx:
        found = await signing_keys.jwks(tx, services)
    response.headers["Cache-Control"] = f"public, max-age={int(signing_keys.CACHED.total_seconds())}"
    return PublishedKeys(keys=found["keys"])
