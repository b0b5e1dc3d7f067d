"""Sessions that media belong to."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def session_ids() -> tuple[str, str]:
    """Two sessions; media name them without a foreign key."""
    return str(uuid.uuid4()), str(uuid.uuid4())
