"""What the rotation of indexed vectors guarantees."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ipse.faces.rotation import matrix
from tests.unit.checks.selfies import near, template

FIRST = [-0.1546452, -0.0250351, 0.1645133]


@settings(deadline=None, max_examples=20)
@given(seed=st.binary(min_size=32, max_size=32))
def test_inner_products_stay_what_they_are(seed: bytes) -> None:
    turn = matrix(seed)
    one = template(1)
    other = near(one, 0.6)
    assert np.allclose(turn @ turn.T, np.eye(128), atol=1e-5)
    assert abs(float((one.vector @ turn) @ (other.vector @ turn)) - 0.6) < 1e-5


def test_the_same_seed_gives_the_same_matrix_in_every_process_and_version() -> None:
    """The first numbers of a known seed: with others, every stored vector would be lost to search."""
    assert np.allclose(matrix(bytes(32))[0, :3], FIRST, atol=1e-6)


def test_different_seeds_turn_differently() -> None:
    assert abs(float(np.trace(matrix(bytes(32)).T @ matrix(bytes([1] * 32))))) < 10


def test_a_matrix_cannot_be_changed_by_whoever_uses_it() -> None:
    assert not matrix(bytes(32)).flags.writeable
