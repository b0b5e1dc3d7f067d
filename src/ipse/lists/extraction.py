"""Reading a value of some type out of a session, so that nobody has to copy it (contract 60 section 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ipse.faces import of_session
from ipse.lists import repository
from ipse.lists.values import EntryType, UnusableValue, normalise
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, SessionRow

_REPORTED: Final[Mapping[EntryType, tuple[str, ...]]] = MappingProxyType(
    {
        EntryType.DOCUMENT: ("document_number",),
        EntryType.PHONE: ("full_number",),
        EntryType.EMAIL: ("email",),
        EntryType.IP_ADDRESS: ("ip_address",),
        EntryType.DEVICE_FINGERPRINT: ("device_fingerprint",),
        EntryType.COUNTRY: ("issuing_state", "ip_country_code"),
    }
)
"""Fields of a report's facts that hold a value of a type, the more telling one first."""
_ACCOUNTS: Final = frozenset({EntryType.BANK_ACCOUNT, EntryType.WALLET_ADDRESS})


async def values_of(scope: Scope, session: SessionRow, entry_type: EntryType) -> tuple[str, ...]:
    """The normalised values of a type that a session knows, what the checks found before what was sent along.

    Faces are asked for by :func:`face_of`. Unreadable values, such as a masked number, are left out.
    """
    found: dict[str, None] = {}
    for text in [*await _reported(scope, session, entry_type), *_sent(session, entry_type)]:
        try:
            found[normalise(entry_type, text)] = None
        except UnusableValue:
            continue
    return tuple(found)


async def face_of(scope: Scope, session: SessionRow) -> FaceRow | None:
    """The live face of a session, or the one it was to be compared with where nobody has shown theirs."""
    probe = await of_session.probe_of(scope, session.id)
    if probe is not None or session.reference_face_id is None:
        return probe
    return await repository.face(scope, session.reference_face_id)


async def _reported(scope: Scope, session: SessionRow, entry_type: EntryType) -> Sequence[str]:
    fields = _REPORTED.get(entry_type, ())
    if not fields:
        return ()
    reports = await repository.reports_of(scope, session)
    found = [text for field in fields for report in reports for text in _texts(report.get("facts"), field)]
    for sighting in await repository.sightings_of(scope, session.id):
        match entry_type:
            case EntryType.IP_ADDRESS:
                found.append(sighting.ip or "")
            case EntryType.DEVICE_FINGERPRINT:
                found.append(sighting.fingerprint or "")
            case EntryType.COUNTRY:
                found.append(sighting.country or "")
            case _:
                pass
    return found


def _texts(facts: object, field: str) -> Iterator[str]:
    value = facts.get(field) if isinstance(facts, Mapping) else None
    if isinstance(value, str):
        yield value


def _sent(session: SessionRow, entry_type: EntryType) -> Iterator[str]:
    """What the integrator sent with the session."""
    contact, action = session.contact_details or {}, session.action or {}
    match entry_type:
        case EntryType.PHONE | EntryType.EMAIL:
            yield str(contact.get(entry_type.value) or "")
        case EntryType.USER:
            yield session.vendor_data or ""
        case _ if entry_type in _ACCOUNTS:
            yield str(action.get("account") or "")
        case _:
            return
