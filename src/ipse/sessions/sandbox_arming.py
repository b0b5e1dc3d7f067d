"""Choosing the outcome of a sandbox session from the capture side (contract file 70, section 3)."""

from __future__ import annotations

from typing import Any

from ipse.capture.authentication import Device
from ipse.decision.statuses import SessionStatus
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import BareList, NotFound
from ipse.runtime.application import Mode
from ipse.sandbox.scenarios import SCENARIOS
from ipse.sessions import service
from ipse.sessions.errors import SandboxScenarioRefused


async def arm(device: Device, session_id: str, scenario: str) -> dict[str, Any]:
    """Set the scenario while the session has not started; arming again replaces it."""
    if as_uuid(session_id) != device.session_id or device.application.mode is not Mode.SANDBOX:
        raise NotFound
    scope = await device.begin()
    row = await service.get(scope, session_id, lock=True)
    if scenario not in SCENARIOS:
        raise SandboxScenarioRefused("scenario", f'"{scenario}" is not a scenario; see /v1/sandbox/scenarios/.')
    if row.status != SessionStatus.NOT_STARTED.value:
        raise BareList("A scenario can be chosen only before the session starts.")
    row.sandbox_scenario = scenario
    return {"session_id": row.id, "scenario": scenario, "status": row.status}
