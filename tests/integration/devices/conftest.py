"""Fixtures of what is remembered of devices."""

from __future__ import annotations

import pytest

from ipse.runtime.scope import Scope
from tests.integration.devices.visits import Visits


@pytest.fixture
def visits(scope: Scope) -> Visits:
    return Visits(scope)
