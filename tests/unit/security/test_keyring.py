"""What the key rings promise."""

from __future__ import annotations

import pytest

from ipse.security.keyring import (
    OVERHEAD_BYTES,
    CannotOpen,
    KeyRing,
    LocalMasterKey,
    Ring,
    UnknownKey,
    WrongMasterKey,
    key_id_of,
)

MASTER = LocalMasterKey(b"m" * 32)
CONTEXT = b"application|row|field"


def test_a_sealed_value_opens_in_its_place_and_costs_33_bytes() -> None:
    ring = KeyRing.create(Ring.BIOMETRIC)
    sealed = ring.seal(b"face", context=CONTEXT)
    assert ring.open(sealed, context=CONTEXT) == b"face"
    assert b"face" not in sealed
    assert len(sealed) == len(b"face") + OVERHEAD_BYTES
    assert key_id_of(sealed) == ring.primary_key_id


def test_the_same_value_never_looks_the_same_twice() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    assert ring.seal(b"x", context=CONTEXT) != ring.seal(b"x", context=CONTEXT)


def test_a_value_moved_to_another_place_does_not_open() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    with pytest.raises(CannotOpen, match="another place, or was changed"):
        ring.open(ring.seal(b"x", context=CONTEXT), context=b"application|other row|field")


@pytest.mark.parametrize("position", [0, 3, 5, 20, -1])
def test_a_changed_byte_anywhere_does_not_open(position: int) -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    sealed = bytearray(ring.seal(b"value", context=CONTEXT))
    sealed[position] ^= 1
    with pytest.raises(CannotOpen):
        ring.open(bytes(sealed), context=CONTEXT)


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01" + b"x" * 20, b"plain text that was never sealed at all"])
def test_what_was_never_sealed_does_not_open(junk: bytes) -> None:
    with pytest.raises(CannotOpen, match="not a sealed value"):
        KeyRing.create(Ring.ORDINARY).open(junk, context=CONTEXT)


def test_the_other_ring_does_not_open_it_and_says_which_key_is_missing() -> None:
    sealed = KeyRing.create(Ring.BIOMETRIC).seal(b"x", context=CONTEXT)
    with pytest.raises(UnknownKey) as caught:
        KeyRing.create(Ring.ORDINARY).open(sealed, context=CONTEXT)
    assert caught.value.key_id == key_id_of(sealed)
    assert f"{key_id_of(sealed):08x}" in str(caught.value)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    old = ring.seal(b"old", context=CONTEXT)
    ring.rotate()
    new = ring.seal(b"new", context=CONTEXT)
    assert ring.open(old, context=CONTEXT) == b"old"
    assert key_id_of(new) == ring.primary_key_id != key_id_of(old)
    assert set(ring.key_ids) == {key_id_of(old), key_id_of(new)}


def test_rewrapping_moves_a_value_to_the_new_key_once() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    old = ring.seal(b"x", context=CONTEXT)
    ring.rotate()
    assert ring.needs_rewrap(old)
    moved = ring.rewrap(old, context=CONTEXT)
    assert not ring.needs_rewrap(moved)
    assert ring.rewrap(moved, context=CONTEXT) is moved
    assert ring.open(moved, context=CONTEXT) == b"x"


def test_a_new_key_opens_before_it_seals_so_that_processes_can_follow() -> None:
    first = KeyRing.create(Ring.BIOMETRIC)
    second = first.with_new_key()
    third = second.with_newest_primary()
    assert second.primary_key_id == first.primary_key_id
    assert third.primary_key_id != first.primary_key_id
    assert (first.version, second.version, third.version) == (1, 2, 3)
    assert second.open(third.seal(b"x", context=CONTEXT), context=CONTEXT) == b"x"


def test_a_dropped_key_opens_nothing_any_more() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    old = ring.seal(b"x", context=CONTEXT)
    ring.rotate()
    ring.take_over(ring.with_only_primary())
    assert ring.key_ids == (ring.primary_key_id,)
    with pytest.raises(UnknownKey):
        ring.open(old, context=CONTEXT)


def test_a_wrapped_ring_opens_with_its_master_key_only() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    ring.rotate()
    wrapped = ring.wrap(MASTER)
    restored = KeyRing.unwrap(Ring.ORDINARY, ring.version, wrapped, MASTER)
    assert restored.key_ids == ring.key_ids
    assert restored.open(ring.seal(b"x", context=CONTEXT), context=CONTEXT) == b"x"
    for name, version, master in (
        (Ring.ORDINARY, ring.version, LocalMasterKey(b"n" * 32)),
        (Ring.BIOMETRIC, ring.version, MASTER),
        (Ring.ORDINARY, ring.version + 1, MASTER),
    ):
        with pytest.raises(WrongMasterKey, match="does not open with this master key"):
            KeyRing.unwrap(name, version, wrapped, master)


def test_a_truncated_ring_is_refused() -> None:
    with pytest.raises(WrongMasterKey):
        KeyRing.unwrap(Ring.ORDINARY, 1, b"short", MASTER)


def test_one_ring_cannot_become_the_other() -> None:
    with pytest.raises(ValueError, match="cannot become"):
        KeyRing.create(Ring.ORDINARY).take_over(KeyRing.create(Ring.BIOMETRIC))


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 16"):
        LocalMasterKey(b"x" * 16)


def test_a_tag_confirms_one_message_for_one_purpose_across_a_rotation() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    tag = ring.tag(b"message", purpose="link")
    ring.rotate()
    assert ring.confirms(tag, b"message", purpose="link")
    assert ring.tag(b"message", purpose="link") != tag
    assert not ring.confirms(tag, b"other", purpose="link")
    assert not ring.confirms(tag, b"message", purpose="other")
    assert not ring.confirms(tag[:-1], b"message", purpose="link")
    assert not ring.confirms(b"", b"message", purpose="link")
    assert not KeyRing.create(Ring.ORDINARY).confirms(tag, b"message", purpose="link")


def test_the_tags_of_a_message_are_those_under_every_key_newest_first() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    first = ring.tag(b"message", purpose="payee")
    assert ring.tags(b"message", purpose="payee") == (first,)
    ring.rotate()
    assert ring.tags(b"message", purpose="payee") == (ring.tag(b"message", purpose="payee"), first)
    ring.take_over(ring.with_new_key())
    assert ring.tags(b"message", purpose="payee")[0] == ring.tag(b"message", purpose="payee")
    assert len(set(ring.tags(b"message", purpose="payee"))) == 3
