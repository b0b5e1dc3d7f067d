"""Every table says what becomes of its rows."""

from __future__ import annotations

import pytest

from ipse.privacy.inventory import Ends, Extent, Holding, holdings
from ipse.storage.tables import Base

EVERYTHING = Extent(
    "application",
    session_ids=["session"],
    persons=["ada"],
    evaluation_ids=["evaluation"],
    device_ids=["device"],
    event_ids=["event"],
    user_id="user",
    vendor_data="ada",
    subject_tag="tag",
)
FOUND_OTHERWISE = {"media", "list_entries", "search_terms"}
"""Erased with the pictures of faces, with the face behind the entry, and by a trigger."""


def test_every_table_says_what_becomes_of_its_rows() -> None:
    declared = {table.__tablename__ for table in holdings()}
    assert {table.name for table in Base.metadata.sorted_tables} == declared


@pytest.mark.parametrize(("table", "holding"), holdings().items(), ids=lambda one: getattr(one, "__tablename__", ""))
def test_what_is_said_to_end_can_be_found(table: type[Base], holding: Holding) -> None:
    assert holding.why
    assert (holding.of_application("application") is None) == (holding.ends is Ends.KEPT)
    of_a_person = holding.ends in (Ends.SESSION, Ends.USER) and table.__tablename__ not in FOUND_OTHERWISE
    assert (holding.of_extent(EVERYTHING) is not None) == of_a_person


def test_nothing_is_erased_where_nothing_is_named() -> None:
    assert not [table for table, holding in holdings().items() if holding.of_extent(Extent("application")) is not None]
