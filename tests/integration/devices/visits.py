"""Persons who come back: sessions visited by devices from places."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ipse.checks.history import History
from ipse.devices import service as devices
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.runtime.scope import Scope
from ipse.storage.tables import (
    ReportRow,
    SessionRow,
)
from ipse.users.service import ensure_user

COMPONENTS = {
    "canvas": "c1",
    "fonts": "f1",
    "webgl": "nvidia",
    "screen": "1080x1920",
    "audio": "a1",
    "languages": "de-DE,de,en",
    "time_zone": "Europe/Berlin",
    "cores": "8",
    "memory": "8",
    "browser": "Chrome",
    "system": "Windows",
    "platform": "Win32",
    "pixel_ratio": "1.25",
}
LAPTOP = DeviceFacts(
    browser="Chrome",
    system="Windows",
    platform="desktop",
    fingerprint="f" * 64,
    persistent_id="A" * 22,
    components=COMPONENTS,
    reported=True,
)
PHONE = replace(
    LAPTOP, system="iOS", persistent_id="B" * 22, fingerprint="e" * 64, components={**COMPONENTS, "system": "iOS"}
)
MADRID = NetworkFacts(
    "203.0.113.7", 4, network="203.0.113.0/24", country="ES", country_name="Spain", latitude=40.4, longitude=-3.7
)
TOKYO = NetworkFacts("198.51.100.9", 4, network="198.51.100.0/24", country="JP", latitude=35.7, longitude=139.7)


class Visits:
    """Sessions of an application, each visited by a device from a place."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.number = 0

    async def session(self, vendor_data: str | None, status: str = "Approved", **columns: Any) -> SessionRow:
        self.number += 1
        user = await ensure_user(self.scope, vendor_data) if vendor_data else None
        now = self.scope.services.clock.now()
        row = SessionRow(
            id=self.scope.services.identifiers.uuid(),
            application_id=self.scope.application_id,
            session_number=self.number,
            environment="sandbox",
            status=status,
            user_id=user.id if user else None,
            vendor_data=vendor_data,
            created_at=now,
            expires_at=now + timedelta(days=7),
            **columns,
        )
        self.scope.tx.add(row)
        await self.scope.tx.flush()
        return row

    async def seen(
        self,
        vendor_data: str | None,
        device: DeviceFacts = LAPTOP,
        network: NetworkFacts = MADRID,
        status: str = "Approved",
    ) -> tuple[SessionRow, str | None]:
        session = await self.session(vendor_data, status)
        found = await devices.remember(
            self.scope, vendor_data=vendor_data, device=device, network=network, session_id=session.id
        )
        return session, found

    async def past(
        self,
        vendor_data: str | None = "ada",
        device: DeviceFacts = LAPTOP,
        network: NetworkFacts = MADRID,
        session_id: str | None = None,
    ) -> History:
        return await devices.history(
            self.scope, vendor_data=vendor_data, device=device, network=network, session_id=session_id
        )

    async def report(self, session: SessionRow, status: str, *risks: str) -> None:
        now = self.scope.services.clock.now()
        warnings = [{"risk": risk} for risk in risks]
        self.scope.tx.add(
            ReportRow(
                session_id=session.id,
                node_id="liveness",
                feature="LIVENESS",
                status=status,
                report={"warnings": warnings},
                created_at=now,
                updated_at=now,
            )
        )
        await self.scope.tx.flush()
