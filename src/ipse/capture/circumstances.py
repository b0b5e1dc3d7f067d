"""Under which circumstances a request of a session arrives: its address, its device, and what was seen before.

Gathered before the checks run, for every session: IP_ANALYSIS reports on them, and signals are computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from ipse.capture import device_reports
from ipse.capture.progress import Progress
from ipse.checks.history import History
from ipse.decision.features import Feature
from ipse.decision.values import JsonValue
from ipse.devices import service as devices
from ipse.intelligence import email, phone
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.lists import service as lists
from ipse.runtime.scope import Scope
from ipse.signals.contact import of_email, of_phone
from ipse.signals.device import of_device
from ipse.signals.history import of_history, of_place
from ipse.signals.lists import of_lists
from ipse.signals.network import of_network
from ipse.storage.tables import SessionRow

_OF_CIRCUMSTANCES: Final = frozenset({"ip", "place", "device", "history", "list"})
"""Groups of signals that each request tells anew."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the server saw of the connection. ``ip`` is the client's, not a proxy's; header names are lower case."""

    ip: str | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def user_agent(self) -> str | None:
        """The header as it came."""
        return self.headers.get("user-agent")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Address, device and past of a session, at one request."""

    network: NetworkFacts
    device: DeviceFacts
    history: History
    expected_ip: str | None = None
    """The address or network that the integrator expects (``expected_details.ip_address``)."""
    list_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entry type -> names of the lists that were hit, custom ones included."""

    def signals(self, now: datetime) -> dict[str, JsonValue]:
        """The signals of address, place, device, past and lists."""
        return {
            **of_network(self.network, now),
            **of_device(self.device),
            **of_place(self.network, self.device, self.history, now, expected_ip=self.expected_ip),
            **of_history(self.network, self.device, self.history, now),
            **of_lists(self.history.listed, self.list_names),
        }


async def gather(scope: Scope, progress: Progress, request: RequestFacts, holder: str) -> Circumstances:
    """Look the address up, read the device, ask what was seen before, and remember this visit.

    ``holder`` names which device of the session is asking (``device_reports.holder_of``).

    The session itself is no past of its own, however often it calls. Its signals are brought up to date.
    """
    session, now = progress.session, scope.services.clock.now()
    network = scope.services.network.look_up(request.ip, on=now.date())
    device = device_reports.facts_of(session, holder, request.headers)
    past = await devices.history(
        scope, vendor_data=session.vendor_data, device=device, network=network, session_id=session.id
    )
    wanted = _to_look_for(session, network, device)
    listed, names = await lists.types_and_names(scope, wanted)
    found = Circumstances(
        network,
        device,
        replace(past, listed=listed, document_country=_document_country(progress)),
        _text((session.expected_details or {}).get("ip_address")),
        names,
    )
    await devices.remember(
        scope, vendor_data=session.vendor_data, device=device, network=network, session_id=session.id, known=past
    )
    _renew(progress.signals, found.signals(now) | _contact_signals(session, network))
    return found


def _renew(signals: dict[str, JsonValue], values: Mapping[str, JsonValue]) -> None:
    """Put the values in place of all earlier ones of their groups: an address must not keep the country of another."""
    groups = {code.partition(".")[0] for code in values} | _OF_CIRCUMSTANCES
    for code in [code for code in signals if code.partition(".")[0] in groups]:
        del signals[code]
    signals.update(values)


def _contact_signals(session: SessionRow, network: NetworkFacts) -> dict[str, JsonValue]:
    """Signals of the mail address and the phone number that the integrator sent with the session.

    Where the person says to be is not known; the country of the address stands for it, unless the address hides it.
    """
    contact, expected = session.contact_details or {}, session.expected_details or {}
    address, number = _text(contact.get("email")), _text(contact.get("phone"))
    country = None if network.is_anonymous else network.country
    values: dict[str, JsonValue] = {}
    if address is not None:
        names = [name for key in ("first_name", "last_name") if (name := _text(expected.get(key)))]
        values |= of_email(email.look_up(address), full_name=" ".join(names) or None, claimed_country=country)
    if number is not None:
        values |= of_phone(phone.look_up(number), claimed_country=country)
    return values


def _to_look_for(session: SessionRow, network: NetworkFacts, device: DeviceFacts) -> dict[str, list[str]]:
    """Entry type -> what the session has of it."""
    contact = session.contact_details or {}
    values = {
        "ip_address": network.address,
        "device_fingerprint": device.fingerprint,
        "country": network.country_alpha3,
        "user": session.vendor_data,
        "email": _text(contact.get("email")),
        "phone": _text(contact.get("phone")),
    }
    return {kind: [value] for kind, value in values.items() if value is not None}


def _document_country(progress: Progress) -> str | None:
    """Alpha-3 of the country that issued the document of this session; None before one was read."""
    read = (row for row in progress.rows.values() if row.feature == Feature.OCR.value)
    return next((state for row in read if (state := _text(row.report["facts"].get("issuing_state")))), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
