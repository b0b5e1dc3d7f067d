"""The reports of the devices of a session, kept with it until it is deleted.

A hand-off has two devices, each with its own report. A report is kept as it came, but for the persistent id, of which
a digest is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ipse.capture.authentication import Device
from ipse.capture.device_schema import DeviceReport
from ipse.devices.identity import without_secret
from ipse.intelligence.device import read_device
from ipse.intelligence.facts import DeviceFacts
from ipse.runtime.scope import Scope
from ipse.storage.tables import SessionRow

KEPT_AS: Final = "device_reports"
"""Where reports lie in the evidence of a session. Decisions do not show them."""
_DIGEST: Final = "persistent_digest"


def holder_of(device: Device) -> str:
    """Which of the devices of a session this is: ``first``, or the id of the hand-off that gave it its token."""
    return device.handoff_id or "first"


def keep(scope: Scope, session: SessionRow, holder: str, report: DeviceReport) -> None:
    """Keep a report in place of an earlier one of the same device."""
    told = report.model_dump(mode="json", exclude_none=True, exclude={"persistent_id", "attestation"})
    if report.persistent_id is not None:
        facts = DeviceFacts(persistent_id=report.persistent_id)
        told[_DIGEST] = without_secret(scope.application_id, facts)
    if report.source != "page":
        told["has_attestation"] = bool(report.attestation)
    session.evidence = {**session.evidence, KEPT_AS: {**session.evidence.get(KEPT_AS, {}), holder: told}}


def facts_of(session: SessionRow, holder: str, headers: Mapping[str, str]) -> DeviceFacts:
    """What is known of a device of a session: its latest report, and the headers of the present request."""
    told = dict(session.evidence.get(KEPT_AS, {}).get(holder, {}))
    digest = told.pop(_DIGEST, None)
    facts = read_device(headers, told or None)
    return facts if digest is None else replace(facts, persistent_id=digest)
