"""When a device counts as recognised although it has lost its id, and when not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.intelligence.device_recovery import ALIKE, CERTAIN, WEIGHTS, resemblance

DESKTOP: Mapping[str, str] = {name: f"{name}-1" for name in WEIGHTS} | {"system": "Windows", "browser": "Chrome"}


def test_an_unchanged_desktop_is_recognised_with_certainty() -> None:
    found = resemblance(DESKTOP, DESKTOP, others=1)
    assert (found.similarity, found.gate_reason) == (1.0, None)
    assert found.confidence >= CERTAIN


def test_an_update_of_the_browser_changes_little() -> None:
    found = resemblance(DESKTOP, {**DESKTOP, "webgl_extensions": "new"}, others=1)
    assert ALIKE < found.similarity < 1
    assert found.gate_reason is None


@pytest.mark.parametrize(
    ("changes", "others", "reason"),
    [
        ({"system": "Linux"}, 1, "other_system"),
        ({"browser": "Firefox"}, 1, "other_system"),
        ({"canvas": "x", "fonts": "y"}, 1, "low_similarity"),
        ({}, 100_000, "low_confidence"),
    ],
)
def test_what_speaks_against_certainty_is_named(changes: dict[str, str], others: int, reason: str) -> None:
    assert resemblance(DESKTOP, {**DESKTOP, **changes}, others=others).gate_reason == reason


def test_phones_of_one_model_look_alike_so_that_a_few_others_end_the_certainty() -> None:
    phone = {**DESKTOP, "system": "iOS"}
    assert resemblance(phone, phone, others=1).gate_reason is None
    assert resemblance(phone, phone, others=10).gate_reason == "uniform_devices"


def test_a_handful_of_components_proves_nothing() -> None:
    few = {"canvas": "1", "fonts": "1", "system": "Windows", "browser": "Chrome"}
    assert resemblance(few, few, others=1).gate_reason == "few_components"
    assert resemblance({}, {}, others=1).similarity == 0.0


_devices = st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.sampled_from(["a", "b"]))


@given(_devices, _devices, st.integers(1, 10_000))
def test_more_devices_never_make_it_more_certain(known: dict[str, str], seen: dict[str, str], others: int) -> None:
    alone, among = resemblance(known, seen, others=1), resemblance(known, seen, others=others)
    assert 0 <= among.confidence <= alone.confidence <= 1
    assert 0 <= among.similarity == alone.similarity <= 1
    assert among.gate_reason is not None or among.confidence >= CERTAIN
