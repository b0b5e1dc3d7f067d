"""What the vector index guarantees."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipse.storage import vector_index
from ipse.storage.vector_block import CHUNK_ROWS, Query
from ipse.storage.vector_index import Neighbour, Partition, Vector, VectorIndex


def vector(seed: int) -> Vector:
    one: Vector = vectors(1, seed)[0]
    return one


def vectors(count: int, seed: int, *, dimensions: int = 8, alike: float = 0.0) -> Vector:
    """Random unit vectors; ``alike`` pulls them towards one direction, as real faces are not spread evenly."""
    random = np.random.default_rng(seed)
    some = random.normal(size=(count, dimensions)) + alike * random.normal(size=dimensions)
    units: Vector = (some / np.linalg.norm(some, axis=1, keepdims=True)).astype(np.float32)
    return units


def brute_force(gallery: dict[str, Vector], probe: Vector, limit: int, minimum: float) -> list[str]:
    cosines = {one: float(stored @ probe) for one, stored in gallery.items()}
    return sorted((one for one in cosines if cosines[one] >= minimum), key=lambda one: (-cosines[one], one))[:limit]


def ids(found: tuple[Neighbour, ...]) -> list[str]:
    return [neighbour.id for neighbour in found]


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=120),
    probe=st.integers(0, 30),
    limit=st.integers(1, 12),
    minimum=st.sampled_from([-1.0, 0.0, 0.1, 0.6]),
)
def test_search_agrees_with_comparing_everything_after_any_additions_and_removals(
    steps: list[tuple[bool, int]], probe: int, limit: int, minimum: float
) -> None:
    partition, truth = Partition(), dict[str, Vector]()
    for adds, seed in steps:
        if adds:
            partition.add(f"{seed:02}", vector(seed))
            truth[f"{seed:02}"] = vector(seed)
        else:
            partition.remove(f"{seed:02}")
            truth.pop(f"{seed:02}", None)
    found = partition.search(vector(probe), limit=limit, minimum=minimum)
    assert ids(found) == brute_force(truth, vector(probe), limit, minimum)
    assert np.allclose([one.cosine for one in found], [float(truth[one.id] @ vector(probe)) for one in found])
    assert len(partition) == len(truth)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 3 * CHUNK_ROWS + 100),
    removed=st.integers(0, 60),
    alike=st.sampled_from([0.0, 0.5, 2.0]),
    minimum=st.sampled_from([0.2, 0.35, 0.478, 0.51, 0.9]),
)
def test_the_packed_copy_never_loses_a_neighbour(
    seed: int, count: int, removed: int, alike: float, minimum: float
) -> None:
    """Recall is 1 at any threshold, for spread and for crowded vectors, after removals and additions in their place."""
    stored = vectors(count, seed, dimensions=128, alike=alike)
    gallery = {f"{place:05}": one for place, one in enumerate(stored)}
    partition = Partition()
    partition.add_many(list(gallery), stored)
    random = np.random.default_rng(seed)
    for place in random.choice(count, min(removed, count), replace=False).tolist():
        partition.remove(f"{place:05}")
        gallery.pop(f"{place:05}")
    for number, one in enumerate(vectors(removed // 2, seed + 1, dimensions=128, alike=alike)):
        partition.add(f"new-{number}", one)
        gallery[f"new-{number}"] = one
    probe = vectors(1, seed + 2, dimensions=128, alike=alike)[0]
    if gallery:  # somebody close, at the very edge as often as not
        probe = 0.6 * probe + 0.4 * next(iter(gallery.values()))
        probe = (probe / np.linalg.norm(probe)).astype(np.float32)
    found = {one.id: one.cosine for one in partition.search(probe, limit=10_000, minimum=minimum)}
    cosines = {one: float(np.dot(vector.astype(np.float64), probe)) for one, vector in gallery.items()}
    assert {one for one in cosines if cosines[one] >= minimum + 1e-6} <= set(found)
    assert set(found) <= {one for one in cosines if cosines[one] >= minimum - 1e-6}
    assert all(abs(found[one] - cosines[one]) < 1e-6 for one in found)


def test_most_rows_are_ruled_out_without_reading_them_exactly() -> None:
    stored = vectors(4 * CHUNK_ROWS, 1, dimensions=128)
    partition = Partition()
    partition.add_many([str(place) for place in range(len(stored))], stored)
    (view,) = partition._views()
    ready = view._candidates(Query.of(stored[0]), 0.478)
    assert ready is not None
    assert 0 in ready.tolist()
    assert ready.size < len(stored) / 100


def test_several_blocks_are_searched_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ipse.storage.vector_block", "ipse.storage.vector_index"):
        monkeypatch.setattr(f"{module}.BLOCK_ROWS", 2 * CHUNK_ROWS)
    stored = vectors(5 * CHUNK_ROWS, 3, dimensions=16)
    gallery = {f"{place:05}": one for place, one in enumerate(stored)}
    partition = Partition()
    for start in range(0, len(stored), 700):
        partition.add_many(list(gallery)[start : start + 700], stored[start : start + 700])
    assert len(partition._blocks) == 3
    assert ids(partition.search(stored[9], limit=20, minimum=0.3)) == brute_force(gallery, stored[9], 20, 0.3)


def test_equals_come_in_order_of_id_however_many_there_are() -> None:
    partition = Partition()
    for number in reversed(range(40)):
        partition.add(f"{number:02}", vector(1))
    assert ids(partition.search(vector(1), limit=3, minimum=0.5)) == ["00", "01", "02"]


def test_an_entry_is_taken_in_once() -> None:
    partition = Partition()
    partition.add_many(["a", "a", "b"], vectors(3, 1))
    partition.add_many(["a"], vectors(1, 9))
    assert sorted(partition.ids()) == ["a", "b"]
    assert partition.search(vectors(3, 1)[0], limit=1, minimum=0.99)[0].id == "a"


def test_a_removed_vector_leaves_no_numbers_behind() -> None:
    partition = Partition()
    partition.add_many([str(place) for place in range(CHUNK_ROWS)], vectors(CHUNK_ROWS, 1))
    for place in range(CHUNK_ROWS):
        partition.remove(str(place))
    assert not partition._blocks[0].matrix.any()
    assert not partition._blocks[0].packed.any()
    assert len(partition) == 0


def test_the_place_of_a_removed_entry_is_used_again() -> None:
    partition = Partition()
    for number in range(200):
        partition.add(str(number), vector(number))
        partition.remove(str(number))
    assert partition._blocks[0].used == 1


def test_an_empty_partition_and_a_limit_of_zero_find_nothing() -> None:
    partition = Partition()
    assert partition.search(vector(1), limit=5, minimum=-1.0) == ()
    partition.add("1", vector(1))
    assert partition.search(vector(1), limit=0, minimum=-1.0) == ()


@pytest.mark.parametrize("length", [0.0, 0.5, 2.0, float("nan")])
def test_only_unit_vectors_are_stored_and_searched(length: float) -> None:
    """The bound that rules rows out holds for vectors of length 1 only."""
    partition = Partition()
    with pytest.raises(ValueError, match="unit"):
        partition.add("1", vector(1) * np.float32(length))
    with pytest.raises(ValueError, match="unit"):
        partition.search(vector(1) * np.float32(length), limit=1, minimum=0.5)


def test_vectors_of_other_dimensions_are_refused() -> None:
    partition = Partition()
    partition.add("1", vector(1))
    with pytest.raises(ValueError, match="8 numbers"):
        partition.add("2", vectors(1, 1, dimensions=16)[0])
    assert partition.ids() == ["1"]


def test_a_search_beside_additions_and_removals_misses_nobody_who_stays() -> None:
    """Entries come and go in other threads; every answer has who stayed, and no cosine of somebody else's."""
    probe = vectors(1, 7, dimensions=128)[0]
    staying = vectors(2_500, 1, dimensions=128)
    partition = Partition()
    partition.add_many([f"stays-{place}" for place in range(len(staying))], staying)
    partition.add("wanted", probe)
    passing = vectors(1_300, 2, dimensions=128)
    stop, failures = threading.Event(), list[BaseException]()

    def come_and_go() -> None:
        try:
            while not stop.is_set():
                partition.add_many([f"passes-{place}" for place in range(len(passing))], passing)
                for place in range(0, len(passing), 3):
                    partition.remove(f"passes-{place}")
                for place in range(len(passing)):
                    partition.remove(f"passes-{place}")
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=come_and_go)
    writer.start()
    try:
        answers = [partition.search(probe, limit=50, minimum=0.5) for _ in range(60)]
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert all(ids(answer) == ["wanted"] for answer in answers)


def test_a_search_that_a_removal_spoils_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the one removed goes to somebody else while it is being compared."""
    partition = Partition()
    partition.add_many(["early", "other"], vectors(2, 1))
    scan, calls = vector_index._scan, list[int]()

    def spoiled(*arguments: object) -> object:
        found = scan(*arguments)  # type: ignore[arg-type]
        calls.append(1)
        if len(calls) == 1:
            partition.remove("early")
            partition.add("late", vectors(1, 99)[0])
        return found

    monkeypatch.setattr(vector_index, "_scan", spoiled)
    assert ids(partition.search(vectors(2, 1)[0], limit=1, minimum=0.99)) == []
    assert len(calls) == 2


def test_a_search_that_is_always_spoiled_ends_with_the_lock_held(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = Partition()
    partition.add_many(["one", "two"], vectors(2, 1))
    scan, held = vector_index._scan, list[bool]()

    def spoiled(*arguments: object) -> object:
        held.append(partition._lock.locked())
        if not held[-1]:
            partition.add(f"passes-{len(held)}", vector(len(held)))
            partition.remove(f"passes-{len(held)}")
        return scan(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(vector_index, "_scan", spoiled)
    assert ids(partition.search(vectors(2, 1)[0], limit=1, minimum=0.99)) == ["one"]
    assert held == [False, False, False, True]


def test_applications_and_models_are_kept_apart() -> None:
    index = VectorIndex()
    index.partition("a", "model").add("1", vector(1))
    assert index.partition("b", "model").search(vector(1), limit=5, minimum=-1.0) == ()
    assert index.partition("a", "other").search(vector(1), limit=5, minimum=-1.0) == ()
    assert (index.count("a"), index.ids("a"), index.contains("a", "1")) == (1, {"1"}, True)
    assert (index.count("b"), index.ids("b"), index.contains("b", "1")) == (0, set(), False)
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
