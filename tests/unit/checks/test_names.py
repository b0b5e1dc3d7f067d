"""What the comparison of names guarantees."""

from __future__ import annotations

import pytest

from ipse.checks.names import differ


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna Schmidt", "ANNA SCHMIDT"),
        ("Anna Schmidt", "Schmidt, Anna"),
        ("José Núñez", "Jose Nunez"),
        ("Anna-Maria Schmidt", "Anna Maria Schmidt"),
        ("Anna Maria Schmidt", "Anna Schmidt"),
        ("Anna Schmidt", "Anna Schmitt"),
        ("Straße Müller", "STRASSE MULLER"),
    ],
)
def test_the_same_name_may_be_written_differently(one: str, other: str) -> None:
    assert not differ(one, other)
    assert not differ(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna Schmidt", "Peter Schmidt"),
        ("Anna Schmidt", "Anna Kowalska"),
        ("Li Wei", "Li Na"),
        ("Anna Schmidt", "Анна Шмидт"),
    ],
)
def test_other_names_differ(one: str, other: str) -> None:
    assert differ(one, other)
    assert differ(other, one)


@pytest.mark.parametrize("unknown", [None, "", "  ", "---", "123"])
def test_what_is_not_known_differs_from_nothing(unknown: str | None) -> None:
    assert not differ("Anna Schmidt", unknown)
    assert not differ(unknown, "Anna Schmidt")
