"""``/v3/{ip,email,phone}/risk/``: answered at once, from files and the database; nothing is stored, nobody is asked."""

from __future__ import annotations

from typing import Any

from ipse.edge.authentication import PreCheckCaller
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.risk import email, ip, phone
from ipse.risk.schemas import EmailAnswer, EmailQuestion, IpAnswer, IpQuestion, PhoneAnswer, PhoneQuestion

router = make_router(prefix="/v3", tags=["Risk"], responses=documented(400, 403, 429))


@router.post("/ip/risk/", response_model=IpAnswer)
async def ip_risk(caller: PreCheckCaller, body: IpQuestion) -> Any:
    """Where is this address, whose is it, what speaks against it? With ``vendor_data``: is it new for the person?"""
    return await ip.answer(caller, body)


@router.post("/email/risk/", response_model=EmailAnswer)
async def email_risk(caller: PreCheckCaller, body: EmailQuestion) -> Any:
    """What does this mail address tell by itself? No message is sent and no server is asked."""
    return await email.answer(caller, body)


@router.post("/phone/risk/", response_model=PhoneAnswer)
async def phone_risk(caller: PreCheckCaller, body: PhoneQuestion) -> Any:
    """What does this number tell by itself? No message is sent and no operator is asked."""
    return await phone.answer(caller, body)
