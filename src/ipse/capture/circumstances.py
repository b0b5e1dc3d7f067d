"""Under which circumstances a request of a session arrives: its address, its device, and what was seen before.

Gathered before the checks run, for every session: IP_ANALYSIS reports on them, and signals are computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ipse.checks.history import History
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.runtime.scope import Scope
from ipse.storage.tables import SessionRow


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the server saw of the connection. ``ip`` is the client's, not a proxy's; header names are lower case."""

    ip: str | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def user_agent(self) -> str | None:
        return self.headers.get("user-agent")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Address, device and past of a session, at one request."""

    network: NetworkFacts
    device: DeviceFacts
    history: History
    expected_ip: str | None = None
    """The address or network that the integrator expects (``expected_details.ip_address``)."""


async def gather(scope: Scope, session: SessionRow, request: RequestFacts) -> Circumstances:
    """Look the address up, read the device, and ask what was seen before."""
    return Circumstances(
        NetworkFacts(request.ip, missing=("network",)),
        DeviceFacts(),
        History(),
        (session.expected_details or {}).get("ip_address"),
    )
