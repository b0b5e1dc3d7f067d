"""The table of ranges: narrower rows count, the mapped file answers like the one in memory, damage is told."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.intelligence.ranges import Ranges, RangesUnreadable, disjoint, open_ranges

_SMALL = st.tuples(st.integers(0, 60), st.integers(0, 12), st.integers(0, 5)).map(
    lambda row: (row[0], row[0] + row[1], row[2])
)


def _v4(text: str) -> int:
    return int(ipaddress.IPv4Address(text))


def _v6(text: str) -> int:
    return int(ipaddress.IPv6Address(text))


@given(st.lists(_SMALL, max_size=12))
def test_disjoint_rows_cover_what_was_covered_and_never_overlap(rows: list[tuple[int, int, int]]) -> None:
    found = list(disjoint(rows))
    assert all(first[1] < second[0] for first, second in itertools.pairwise(found))
    covered = {value for start, end, _ in rows for value in range(start, end + 1)}
    assert {value for start, end, _ in found for value in range(start, end + 1)} == covered
    for start, end, label in found:
        for value in range(start, end + 1):
            assert label in {one for first, last, one in rows if first <= value <= last}


def test_the_narrower_of_nested_networks_counts() -> None:
    rows = [(0, 255, 1), (16, 31, 2), (20, 20, 3)]
    assert list(disjoint(rows)) == [(0, 15, 1), (16, 19, 2), (20, 20, 3), (21, 31, 2), (32, 255, 1)]


def test_neighbours_with_one_label_become_one_range() -> None:
    assert list(disjoint([(0, 9, 1), (10, 19, 1), (20, 29, 2)])) == [(0, 19, 1), (20, 29, 2)]


@pytest.fixture
def table() -> Ranges:
    low = _v6("2a00::")
    v6 = [(low, low + 2**64 - 1, 0), (low + 2**64, low + 2**64, 1), (low + 2**64 + 5, low + 2**64 + 9, 0)]
    v4 = [(_v4("5.0.0.0"), _v4("5.0.0.255"), 0), (_v4("255.0.0.0"), _v4("255.255.255.255"), 1)]
    return Ranges.build(v4, v6, [(64500, "Örtliche Netze"), (4294967295, "")])


@pytest.mark.parametrize("mapped", [False, True])
def test_the_first_and_the_last_address_of_a_range_are_in_it_and_their_neighbours_not(
    table: Ranges, tmp_path: Path, mapped: bool
) -> None:
    if mapped:
        path = tmp_path / "table.ranges"
        path.write_bytes(table.to_bytes())
        table = open_ranges(path)
    expected = {
        "4.255.255.255": None,
        "5.0.0.0": 0,
        "5.0.0.255": 0,
        "5.0.1.0": None,
        "255.255.255.255": 1,
        "0.0.0.1": None,
        "::": None,
        "29ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": None,
        "2a00::": 0,
        "2a00::ffff:ffff:ffff:ffff": 0,
        "2a00:0:0:1::": 1,
        "2a00:0:0:1::1": None,
        "2a00:0:0:1::5": 0,
        "2a00:0:0:1::9": 0,
        "2a00:0:0:1::a": None,
        "ffff::": None,
    }
    assert {text: table.find(ipaddress.ip_address(text)) for text in expected} == expected
    assert [table.meaning(label) for label in (0, 1)] == [(64500, "Örtliche Netze"), (4294967295, "")]
    assert len(table) == 5


def test_an_empty_table_knows_nothing() -> None:
    table = Ranges.build([], [])
    assert table.find(ipaddress.ip_address("8.8.8.8")) is None
    assert table.find(ipaddress.ip_address("2a00::1")) is None


@pytest.mark.parametrize("damage", ["empty", "other", "cut", "order", "header"])
def test_a_damaged_file_is_told_and_not_read(table: Ranges, tmp_path: Path, damage: str) -> None:
    whole = table.to_bytes()
    broken = {
        "empty": b"",
        "other": b"PK\x03\x04" * 100,
        "cut": whole[: len(whole) // 2],
        "order": whole.replace(b'"little"', b'"large!"').replace(b'"big"', b'"..."'),
        "header": whole.replace(b'"v4_ends"', b'"v4_endz"'),
    }[damage]
    path = tmp_path / "table.ranges"
    path.write_bytes(broken)
    with pytest.raises(RangesUnreadable):
        open_ranges(path)


def test_a_million_rows_are_built_and_found() -> None:
    rows = ((number * 16, number * 16 + 7, number % 3) for number in range(1_000_000))
    table = Ranges.build(rows, [])
    assert table.find(ipaddress.ip_address(16 * 777_777 + 7)) == 777_777 % 3
    assert table.find(ipaddress.ip_address(16 * 777_777 + 8)) is None
