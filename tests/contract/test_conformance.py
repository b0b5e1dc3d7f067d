"""Every operation that the application serves is called, well and badly, and compared with the contract."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ipse.app import build
from ipse.runtime.application import Mode, SandboxEngine
from ipse.runtime.services import Services
from tests.conftest import MakeApplication, MakeClient
from tests.contract.calls import EXERCISES
from tests.contract.conformance import Conformance
from tests.contract.contract import Contract, route_of
from tests.contract.deviations import DEVIATIONS
from tests.contract.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.models]


def answered_operations(services: Services, contract: Contract) -> set[str]:
    """Keys of the operations for which the application has a route."""
    served = {
        route_of(method, path)
        for path, item in build(services.settings, services).openapi()["paths"].items()
        for method in item
    }
    return {operation.key for operation in contract.operations.values() if operation.route in served}


async def test_every_answered_operation_is_exercised(
    services: Services, contract: Contract, conformance: Conformance
) -> None:
    conformance.answered = answered_operations(services, contract)
    assert conformance.answered == set(EXERCISES)


@pytest.mark.parametrize("key", EXERCISES)
async def test_answers_conform_to_the_contract(
    key: str,
    services: Services,
    contract: Contract,
    conformance: Conformance,
    portraits: Mapping[str, bytes],
    make_application: MakeApplication,
    make_client: MakeClient,
) -> None:
    application = await make_application()
    own = application.organization_id
    world = World(
        contract=contract,
        operation=contract.operations[key],
        services=services,
        application=application,
        real=await make_application(engine=SandboxEngine.REAL, organization_id=own),
        live=await make_application(mode=Mode.LIVE, organization_id=own),
        foreign=await make_application(),
        make_client=make_client,
        portraits=portraits,
        conformance=conformance,
    )
    conformance.exercised[key] = ["the calls did not finish"]
    await EXERCISES[key](world)
    conformance.exercised[key] = world.problems
    assert world.good_calls > 0, "an operation without a good call proves nothing"
    assert world.problems == []


def test_every_recorded_deviation_still_occurs(conformance: Conformance) -> None:
    if set(conformance.exercised) != set(EXERCISES):
        pytest.skip("only a part of the operations was exercised in this run")
    assert set(DEVIATIONS) - conformance.deviations_met == set()
