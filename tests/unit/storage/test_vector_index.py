"""What the vector index guarantees."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ipse.storage.vector_index import Partition, Vector, VectorIndex


def vector(seed: int) -> Vector:
    one = np.random.default_rng(seed).normal(size=8).astype(np.float32)
    return (one / np.linalg.norm(one)).astype(np.float32)


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=120),
    probe=st.integers(0, 30),
    limit=st.integers(1, 12),
)
def test_search_agrees_with_comparing_everything_after_any_additions_and_removals(
    steps: list[tuple[bool, int]], probe: int, limit: int
) -> None:
    partition, truth = Partition(), set[int]()
    for adds, seed in steps:
        if adds:
            partition.add(f"{seed:02}", vector(seed))
            truth.add(seed)
        else:
            partition.remove(f"{seed:02}")
            truth.discard(seed)
    cosines = {f"{seed:02}": float(vector(seed) @ vector(probe)) for seed in truth}
    expected = sorted((one for one in cosines if cosines[one] >= 0.1), key=lambda one: (-cosines[one], one))[:limit]
    found = partition.search(vector(probe), limit=limit, minimum=0.1)
    assert [neighbour.id for neighbour in found] == expected
    assert np.allclose([neighbour.cosine for neighbour in found], [cosines[one] for one in expected], atol=1e-6)


def test_a_removed_vector_leaves_no_numbers_behind() -> None:
    partition = Partition()
    for seed in range(3):
        partition.add(str(seed), vector(seed))
    for seed in range(3):
        partition.remove(str(seed))
    assert not partition.matrix.any()


def test_an_empty_partition_and_a_limit_of_zero_find_nothing() -> None:
    partition = Partition()
    assert partition.search(vector(1), limit=5, minimum=-1.0) == ()
    partition.add("1", vector(1))
    assert partition.search(vector(1), limit=0, minimum=-1.0) == ()


def test_applications_and_models_are_kept_apart() -> None:
    index = VectorIndex()
    index.partition("a", "model").add("1", vector(1))
    assert index.partition("b", "model").search(vector(1), limit=5, minimum=-1.0) == ()
    assert index.partition("a", "other").search(vector(1), limit=5, minimum=-1.0) == ()
    assert (index.count("a"), index.ids("a")) == (1, {"1"})
    assert (index.count("b"), index.ids("b")) == (0, set())
    index.discard("b", ["1"])
    assert index.count("a") == 1
    index.discard("a", ["1", "unknown"])
    assert index.count("a") == 0


def test_the_reading_position_never_goes_back() -> None:
    index = VectorIndex()
    assert index.read_to("a") == 0
    index.mark_read("a", 7)
    index.mark_read("a", 3)
    assert index.read_to("a") == 7
