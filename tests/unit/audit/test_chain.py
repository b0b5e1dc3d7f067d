"""A chain of entries says what was written, or where it first does not."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.audit import chain
from ipse.audit.chain import Entry, Fault, Head, LinkedEntry, Verified
from ipse.security.canonical_json import canonical_bytes

NAME = "6f1f3f4e-0000-4000-8000-000000000001"
LENGTH = 6


def entry(number: int, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "chain": NAME,
        "occurred_at": chain.instant(datetime(2026, 11, 22, 10, 0, number, tzinfo=UTC)),
        "act": "session.decided",
        "actor_type": "SYSTEM",
        "object_type": "session",
        "object_tag": f"{number:064x}",
        "subject_tag": None,
        "commitment": chain.commitment(bytes(chain.SALT_BYTES), b"%d" % number),
    }
    return Entry(**(fields | changes))


def linked(entries: list[Entry]) -> list[LinkedEntry]:
    before, result = chain.genesis(NAME), []
    for position, one in enumerate(entries, 1):
        digest = chain.digest(one)
        before = chain.link(before, digest)
        result.append(LinkedEntry(one, position, digest, before))
    return result


WHOLE = linked([entry(number) for number in range(1, LENGTH + 1)])
END = Head(NAME, LENGTH, WHOLE[-1].chained)


def fault(entries: list[LinkedEntry], *checkpoints: Head) -> tuple[Fault, int]:
    found = chain.verify(NAME, entries, checkpoints).contradiction
    assert found is not None
    return found.fault, found.position


def renumbered(entries: list[LinkedEntry]) -> list[LinkedEntry]:
    return [dataclasses.replace(one, position=position) for position, one in enumerate(entries, 1)]


def test_a_whole_chain_verifies_to_its_end() -> None:
    assert chain.verify(NAME, WHOLE, [END]) == Verified(NAME, LENGTH, END.chained)


def test_an_empty_chain_verifies() -> None:
    assert chain.verify(NAME, []) == Verified(NAME, 0, chain.genesis(NAME))


def flipped(text: str, digit: int, by: int) -> str:
    return text[:digit] + f"{int(text[digit], 16) ^ by:x}" + text[digit + 1 :]


@given(
    at=st.integers(0, LENGTH - 1),
    name=st.sampled_from([field.name for field in dataclasses.fields(Entry)]),
    text=st.one_of(st.none(), st.text(max_size=70)),
)
def test_any_changed_field_is_named_by_its_place(at: int, name: str, text: str | None) -> None:
    before = WHOLE[at].entry
    changed = dataclasses.replace(before, **{name: text})  # type: ignore[arg-type]
    tampered = [*WHOLE]
    tampered[at] = dataclasses.replace(WHOLE[at], entry=changed)
    if chain.digest(changed) == chain.digest(before):
        assert changed == before
    else:
        assert fault(tampered) == (Fault.CHANGED_ENTRY, at + 1)


@given(
    at=st.integers(0, LENGTH - 1),
    name=st.sampled_from(["digest", "chained"]),
    digit=st.integers(0, 63),
    by=st.sampled_from([1, 2, 4, 8]),
)
def test_any_flipped_bit_of_a_digest_or_a_link_is_named_by_its_place(at: int, name: str, digit: int, by: int) -> None:
    tampered = [*WHOLE]
    value = flipped(getattr(WHOLE[at], name), digit, by)
    tampered[at] = dataclasses.replace(WHOLE[at], **{name: value})  # type: ignore[arg-type]
    expected = Fault.CHANGED_ENTRY if name == "digest" else Fault.BROKEN_LINK
    assert fault(tampered) == (expected, at + 1)


@given(at=st.integers(0, LENGTH - 1), digit=st.integers(0, 63), by=st.sampled_from([1, 2, 4, 8]))
def test_any_flipped_bit_of_a_commitment_is_named_by_its_place(at: int, digit: int, by: int) -> None:
    changed = dataclasses.replace(WHOLE[at].entry, commitment=flipped(WHOLE[at].entry.commitment, digit, by))
    tampered = [*WHOLE]
    tampered[at] = dataclasses.replace(WHOLE[at], entry=changed)
    assert fault(tampered) == (Fault.CHANGED_ENTRY, at + 1)


@given(at=st.integers(0, LENGTH - 2))
def test_a_missing_entry_is_named_by_its_place(at: int) -> None:
    without = WHOLE[:at] + WHOLE[at + 1 :]
    assert fault(without) == (Fault.MISSING_ENTRY, at + 1)
    assert fault(renumbered(without)) == (Fault.BROKEN_LINK, at + 1)


@given(places=st.tuples(st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1)).filter(lambda two: two[0] < two[1]))
def test_exchanged_entries_are_told_from_removed_ones(places: tuple[int, int]) -> None:
    first, second = places
    exchanged = [*WHOLE]
    exchanged[first], exchanged[second] = exchanged[second], exchanged[first]
    assert fault(renumbered(exchanged)) == (Fault.REORDERED, first + 1)


@given(at=st.integers(0, LENGTH))
def test_an_entry_put_in_is_named_by_its_place(at: int) -> None:
    intruder = entry(59)
    put_in = LinkedEntry(intruder, 0, chain.digest(intruder), "0" * 64)
    entries = renumbered([*WHOLE[:at], put_in, *WHOLE[at:]])
    assert fault(entries)[1] == at + 1


@given(left=st.integers(0, LENGTH - 1))
def test_a_cut_end_contradicts_the_checkpoint(left: int) -> None:
    assert chain.verify(NAME, WHOLE[:left]).contradiction is None  # nobody can tell without one
    assert fault(WHOLE[:left], END) == (Fault.CUT, left + 1)


@given(at=st.integers(0, LENGTH - 1), position=st.integers(1, LENGTH))
def test_a_chain_computed_anew_contradicts_the_checkpoint(at: int, position: int) -> None:
    entries = [one.entry for one in WHOLE]
    entries[at] = dataclasses.replace(entries[at], act="session.created")
    anew = linked(entries)
    stated = Head(NAME, position, WHOLE[position - 1].chained)
    if position <= at:
        assert chain.verify(NAME, anew, [stated]).contradiction is None
    else:
        assert fault(anew, stated) == (Fault.REWRITTEN, position)


def test_the_same_place_twice_is_a_contradiction() -> None:
    assert fault([*WHOLE[:2], WHOLE[1], *WHOLE[2:]]) == (Fault.REORDERED, 3)


def test_the_chain_of_another_application_does_not_pass() -> None:
    found = chain.verify(chain.INSTALLATION, WHOLE).contradiction
    assert found is not None
    assert (found.fault, found.position) == (Fault.CHANGED_ENTRY, 1)


def test_a_commitment_hides_equal_contents_behind_different_salts() -> None:
    content = {"vendor_data": "ada"}
    first, second = (chain.commitment(bytes([salt]) * chain.SALT_BYTES, canonical_bytes(content)) for salt in (1, 2))
    assert first != second
    assert chain.commits_to(first, bytes([1]) * chain.SALT_BYTES, content)
    assert not chain.commits_to(first, bytes([1]) * chain.SALT_BYTES, {"vendor_data": "eve"})


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_a_moment_has_one_spelling(zone: timezone) -> None:
    moment = datetime(2026, 11, 22, 10, 0, tzinfo=UTC).astimezone(zone)
    assert chain.instant(moment) == "2026-11-22T10:00:00.000000+00:00"
