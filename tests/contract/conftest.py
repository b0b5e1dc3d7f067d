"""The world in which operations are exercised, and the count at the end of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.conformance import Conformance
from tests.contract.contract import Contract

if TYPE_CHECKING:
    from ipse.runtime.services import Services

CONFORMANCE = pytest.StashKey[Conformance]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CONFORMANCE] = Conformance()


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.load()


@pytest.fixture(scope="session")
def conformance(pytestconfig: pytest.Config) -> Conformance:
    return pytestconfig.stash.setdefault(CONFORMANCE, Conformance())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(CONFORMANCE, None)
    if found is None or not found.answered:
        return
    total = len(Contract.load().operations)
    conforming = sum(1 for key in found.answered if found.exercised.get(key) == [])
    terminalreporter.section("contract")
    terminalreporter.line(
        f"{len(found.answered)} of {total} operations answered, {conforming} of {len(found.answered)} conform "
        f"({len(found.deviations_met)} recorded deviations met)"
    )
    for key, problems in sorted(found.exercised.items()):
        for problem in problems:
            terminalreporter.line(f"  {key} {problem}")


@pytest.fixture
def services(services_with_faces: Services) -> Services:
    """Contract calls need real faces."""
    return services_with_faces
