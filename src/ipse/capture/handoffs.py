"""A session goes on at a second device: one of the two may capture at any moment, and the server says which.

    offered -> opened -> active -> ended

*Offered*: the first device shows a QR code. *Opened*: the second followed it, once. *Active*: the person saw the same
number on both and said so. Until then the first device may go on by itself, which ends the offer. Whoever changes a
hand-off has locked the row of its session, so two devices cannot both be in charge.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import bindparam, select, update

from ipse.capture.authentication import PERSON, Device, Role
from ipse.capture.circumstances import RequestFacts
from ipse.capture.errors import HandoffGone, HandoffOver, NotTheFirst, NotTheSecond, OtherDevice
from ipse.capture.schemas import HandoffOffer, HandoffOpened, HandoffView
from ipse.decision.statuses import UNFINISHED, SessionStatus
from ipse.edge.errors import Forbidden
from ipse.edge.unit import Unit
from ipse.runtime.application import Application
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.tokens import digest
from ipse.sessions import repository
from ipse.sessions.links import handoff_url
from ipse.sessions.view import timestamp
from ipse.storage.columns import Id
from ipse.storage.tables import ApplicationRow, HandoffRow, SessionRow

State = Literal["offered", "opened", "active", "ended"]

OFFER: Final = timedelta(minutes=5)
"""Life of the link, and again of an opened link that nobody confirms (requirements/UX.md 1.6)."""
IDLE: Final = timedelta(seconds=45)
"""Without a sign of life of the second device for so long, the first may go on; nothing is taken away before it does.
A page polls every few seconds, also while it uploads."""
TOKEN_CHARACTERS: Final = 22
"""132 bits, for the link as for the second device's own token."""


def state_of(handoff: HandoffRow, now: datetime) -> State:
    """Return the state, with what time has done to it."""
    state: State = handoff.state  # type: ignore[assignment]
    if state in ("offered", "opened") and handoff.expires_at <= now:
        return "ended"
    return state


def may_capture(role: Role, handoff: HandoffRow | None, now: datetime) -> bool:
    """The rule: the second device while its hand-off is active, else the first.

    ``handoff`` is the one that :func:`of_device` finds.
    """
    if handoff is None or state_of(handoff, now) != "active":
        return role == "first"
    return role == "second" or (handoff.last_seen_at or handoff.created_at) + IDLE <= now


_NEWEST: Final = (
    select(HandoffRow)
    .where(HandoffRow.session_id == bindparam("session", type_=Id))
    .order_by(HandoffRow.state == "ended", HandoffRow.created_at.desc())
    .limit(1)
)
"""Built once: every call of a capture asks."""


async def of_device(scope: Scope, device: Device) -> HandoffRow | None:
    """The hand-off that a device belongs to: the second's own, for the first the newest; None when there was none."""
    if device.handoff_id is not None:
        return await scope.tx.get_one(HandoffRow, device.handoff_id)
    newest: HandoffRow | None = await scope.tx.scalar(_NEWEST, {"session": device.session_id})
    return newest


async def require_active(scope: Scope, device: Device) -> HandoffRow | None:
    """Refuse a device that may not capture now; raise :class:`OtherDevice`. Returns its hand-off, changes nothing."""
    handoff = await of_device(scope, device)
    if not may_capture(device.role, handoff, scope.services.clock.now()):
        raise OtherDevice
    return handoff


async def take_over(scope: Scope, device: Device) -> None:
    """Like :func:`require_active`, for what changes the session: a first device that goes on ends the hand-off.

    The session's row is locked, the transaction writes.
    """
    handoff = await require_active(scope, device)
    if device.role == "first" and handoff is not None:
        await end_all(scope, device.session_id)


async def end_all(scope: Scope, session_id: str) -> None:
    """End whatever hand-off a session has."""
    await scope.tx.execute(
        update(HandoffRow)
        .where(HandoffRow.session_id == session_id, HandoffRow.state != "ended")
        .values(state="ended")
        .execution_options(synchronize_session="fetch")
    )


async def view_for(scope: Scope, device: Device, session: SessionRow) -> HandoffView | None:
    """The hand-off as a device is told of it; None where there never was one."""
    handoff, now = await of_device(scope, device), scope.services.clock.now()
    if handoff is None:
        return None
    unfinished = SessionStatus(session.status) in UNFINISHED
    return HandoffView(
        state=state_of(handoff, now),
        device=device.role,
        number=str(handoff.number),
        may_capture=unfinished and may_capture(device.role, handoff, now),
        expires_at=timestamp(handoff.expires_at),
    )


async def offer(scope: Scope, device: Device, session: SessionRow, request: RequestFacts) -> HandoffOffer:
    """Make a link for a second device; it replaces every earlier one."""
    if device.role != "first":
        raise NotTheFirst
    await end_all(scope, session.id)
    token = scope.services.identifiers.token(TOKEN_CHARACTERS)
    now = scope.services.clock.now()
    handoff = HandoffRow(
        id=scope.services.identifiers.uuid(),
        session_id=session.id,
        token_hash=digest(token),
        device_hash=None,
        number=10 + secrets.randbelow(90),
        state="offered",
        devices={"first": _connection(request)},
        created_at=now,
        expires_at=now + OFFER,
        last_seen_at=None,
    )
    scope.tx.add(handoff)
    await scope.tx.flush()
    return HandoffOffer(
        url=handoff_url(scope.services.settings, token, session.language),
        number=str(handoff.number),
        expires_at=timestamp(handoff.expires_at),
    )


async def open_link(unit: Unit, services: Services, token: str, request: RequestFacts) -> HandoffOpened:
    """The second device follows the link and gets a token of its own.

    Raises Forbidden for a token that never was one, :class:`HandoffGone` for one that was used, replaced or ran out.
    """
    async with unit.peek() as tx:
        found = (
            await tx.execute(
                select(HandoffRow.id, SessionRow.id, ApplicationRow)
                .join(SessionRow, SessionRow.id == HandoffRow.session_id)
                .join(ApplicationRow, ApplicationRow.id == SessionRow.application_id)
                .where(HandoffRow.token_hash == digest(token), SessionRow.deleted_at.is_(None))
            )
        ).one_or_none()
    if found is None:
        raise Forbidden
    handoff_id, session_id, application = found
    scope = Scope(await unit.begin(write=True), Application.of(application), services, PERSON)
    session = await repository.find(scope, session_id, lock=True)
    handoff = await scope.tx.get_one(HandoffRow, handoff_id)
    now = services.clock.now()
    over = session is None or session.expires_at <= now or SessionStatus(session.status) not in UNFINISHED
    if session is None or over or state_of(handoff, now) != "offered":
        raise HandoffGone
    own = services.identifiers.token(TOKEN_CHARACTERS)
    handoff.device_hash = digest(own)
    handoff.state = "opened"
    handoff.expires_at = now + OFFER
    handoff.last_seen_at = now
    handoff.devices = {**handoff.devices, "second": _connection(request)}
    await scope.tx.flush()
    return HandoffOpened(session_token=own, number=str(handoff.number))


async def confirm(scope: Scope, device: Device, session: SessionRow) -> None:
    """The person says that both screens show the same number: the second device is in charge. May be repeated."""
    if device.role != "second":
        raise NotTheSecond
    handoff, now = await of_device(scope, device), scope.services.clock.now()
    assert handoff is not None
    match state_of(handoff, now):
        case "opened":
            handoff.state = "active"
            handoff.last_seen_at = now
            session.evidence = {**session.evidence, "handoff": {**handoff.devices, "confirmed_at": timestamp(now)}}
            await scope.tx.flush()
        case "active":
            return
        case _:
            raise HandoffOver


async def end(scope: Scope, device: Device, session: SessionRow) -> None:
    """The first device takes over again, whichever of the two asks. A device whose turn is over changes nothing, and a
    finished session keeps on record which of the two finished it.
    """
    handoff = await of_device(scope, device)
    if handoff is not None and SessionStatus(session.status) in UNFINISHED:
        handoff.state = "ended"
        await scope.tx.flush()


def _connection(request: RequestFacts) -> dict[str, Any]:
    return {"ip": request.ip, "user_agent": None if request.user_agent is None else request.user_agent[:512]}
