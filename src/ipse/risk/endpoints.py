"""``/v3/{ip,email,phone}/risk/``: answered at once, from files and the database; nothing is stored, nobody is asked.

Answers are not validated on their way out, which would cost a tenth of the call; tests hold them to their schemas.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from ipse.edge.authentication import PreCheckCaller
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.risk import email, ip, phone
from ipse.risk.schemas import EmailAnswer, EmailQuestion, IpAnswer, IpQuestion, PhoneAnswer, PhoneQuestion

router = make_router(prefix="/v3", tags=["Risk"], responses=documented(400, 403, 429))


@router.post("/ip/risk/", response_model=IpAnswer)
async def ip_risk(caller: PreCheckCaller, body: IpQuestion) -> Response:
    """Where is this address, whose is it, what speaks against it? With ``vendor_data``: is it new for the person?"""
    return JSONResponse(await ip.answer(caller, body))


@router.post("/email/risk/", response_model=EmailAnswer)
async def email_risk(caller: PreCheckCaller, body: EmailQuestion) -> Response:
    """What does this mail address tell by itself? No message is sent and no server is asked."""
    return JSONResponse(await email.answer(caller, body))


@router.post("/phone/risk/", response_model=PhoneAnswer)
async def phone_risk(caller: PreCheckCaller, body: PhoneQuestion) -> Response:
    """What does this number tell by itself? No message is sent and no operator is asked."""
    return JSONResponse(await phone.answer(caller, body))
