"""An integrator that asks before each action, with a small map of the world of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.devices import service as devices
from ipse.intelligence.network import NetworkIntelligence
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.step_up import evaluate
from ipse.storage.tables import EvaluationRow, UserDeviceRow
from ipse.users import service as users

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

HOME, ABROAD, EXIT, CLOUD, MOBILE = "45.10.0.7", "46.20.0.7", "47.30.0.7", "48.40.0.7", "45.11.0.9"
PLACES = """network,country,city,latitude,longitude,operator,is_vpn,is_proxy,is_tor,is_datacenter
45.10.0.0/16,ES,Madrid,40.4,-3.7,Casa Telecom,false,false,false,false
45.11.0.0/16,ES,Madrid,40.4,-3.7,Movil Telecom,false,false,false,false
46.20.0.0/16,AU,Sydney,-33.9,151.2,Down Under Net,false,false,false,false
47.30.0.0/16,DE,Berlin,52.5,13.4,Onion Friends,false,false,true,false
48.40.0.0/16,IE,Dublin,53.3,-6.3,Big Cloud,false,false,false,true
"""

LAPTOP = {"persistent_id": "laptop-of-ada-0001", "fingerprint": "a" * 64}
PHONE = {"persistent_id": "phone-of-nobody-1", "fingerprint": "b" * 64}

TRANSFER = {
    "type": "transfer",
    "amount": "40.00",
    "currency": "EUR",
    "payee": "Rosa",
    "account": "ES9121000418450200051",
}
LOGIN = {"type": "login"}

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def services(services: Services, tmp_path: Path) -> Services:
    """The parts of one process with an operator's own table of places."""
    folder = tmp_path / "places"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "places.csv").write_text(PLACES, "utf-8")
    return replace(services, network=NetworkIntelligence.load(folder))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy test machine is no late database."""
    monkeypatch.setattr(evaluate, "DEADLINE_S", 60.0)


@pytest.fixture
def ask(client: AsyncClient) -> Ask:
    """Ask about an action of Ada, at home on her laptop unless said otherwise."""

    async def evaluated(action: dict[str, Any], **body: Any) -> dict[str, Any]:
        asked = {"action": action, "vendor_data": "ada", "ip_address": HOME, "device": LAPTOP, **body}
        answer = await client.post("/v3/step-up/evaluate/", json=asked)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return evaluated


@pytest.fixture
def settle(services: Services, application: RegisteredApplication) -> Callable[[str], Awaitable[None]]:
    """The integrator carried the action of an evaluation out: its verdict was redeemed."""

    async def complete(evaluation_id: str) -> None:
        async with services.database.writing() as tx:
            row = await tx.get(EvaluationRow, evaluation_id)
            assert row is not None
            row.completed_at = services.clock.now()

    return complete


@pytest.fixture
async def ada(
    services: Services,
    application: RegisteredApplication,
    clock: ManualClock,
    ask: Ask,
    settle: Callable[[str], Awaitable[None]],
) -> str:
    """A customer of a year: known at home, on a trusted laptop, with Rosa among the payees."""
    async with services.database.writing() as tx:
        user = await users.ensure_user(Scope(tx, application.application, services), "ada")
        user.created_at = services.clock.now() - timedelta(days=365)
    first = await ask(TRANSFER)
    assert first["answer"] == "step_up"
    await settle(first["evaluation_id"])
    async with services.database.writing() as tx:
        device_id = await tx.scalar(select(UserDeviceRow.device_id).where(UserDeviceRow.user_id == user.id))
        assert device_id is not None
        scope = Scope(tx, application.application, services)
        await devices.trust(scope, user_id=user.id, device_id=device_id, by="session")
    clock.advance(timedelta(days=2))
    return user.id
