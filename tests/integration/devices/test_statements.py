"""How often the database is asked: every action of every person pays for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from ipse.devices import service as devices
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.users.service import ensure_user
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

PHONE = DeviceFacts(browser="Chrome", fingerprint="f" * 64, persistent_id="A" * 22, reported=True)
HOME = NetworkFacts(address="203.0.113.7", network="203.0.113.0/24")


@contextmanager
def _counted(services: Services) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(services.database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(services.database.engine.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize("device", [PHONE, replace(PHONE, persistent_id=None)], ids=["keeps an id", "keeps none"])
async def test_an_action_is_looked_up_and_remembered_in_three_statements_each(
    services: Services, application: RegisteredApplication, device: DeviceFacts
) -> None:
    for _ in range(2):  # the first visit has no past
        async with services.database.writing() as tx:
            scope = Scope(tx, application.application, services)
            await ensure_user(scope, "ada")
            await tx.flush()
            with _counted(services) as looked_up:
                past = await devices.history(scope, vendor_data="ada", device=device, network=HOME)
            with _counted(services) as remembered:
                evaluation_id = services.identifiers.uuid()
                device_id = await devices.remember(
                    scope, vendor_data="ada", device=device, network=HOME, evaluation_id=evaluation_id, known=past
                )
    assert (past.device_id, past.sightings) == (device_id, 1)
    assert (len(looked_up), len(remembered)) == (3, 3)


async def test_a_trusted_device_is_known_however_many_came_after_it(
    services: Services, application: RegisteredApplication
) -> None:
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        user = await ensure_user(scope, "ada")
        first = await devices.remember(scope, vendor_data="ada", device=PHONE, network=HOME)
        assert first is not None
        await devices.trust(scope, user_id=user.id, device_id=first, by="integrator")
        for number in range(25):
            other = replace(PHONE, persistent_id=f"{number:022}")
            await devices.remember(scope, vendor_data="ada", device=other, network=HOME)
        past = await devices.history(scope, vendor_data="ada", device=PHONE, network=HOME)
    assert (past.device_id, past.is_trusted_device) == (first, True)
