"""Values that are found without being readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.security.keyring import CannotOpen, LocalMasterKey
from ipse.security.lookup import SECRET_BYTES, LookupKey

KEY = LookupKey(bytes(range(SECRET_BYTES)))
OTHER = LookupKey(bytes(SECRET_BYTES))


@given(st.text(), st.text(min_size=1))
def test_sealed_text_opens_in_its_field_and_nowhere_else(text: str, field: str) -> None:
    sealed = KEY.seal(text, field=field)
    assert KEY.open(sealed, field=field) == text
    for key, place in ((KEY, field + "x"), (OTHER, field)):
        with pytest.raises(CannotOpen):
            key.open(sealed, field=place)


@given(st.text(), st.text())
def test_equal_text_is_equal_bytes_and_other_text_other_bytes(one: str, other: str) -> None:
    assert (KEY.seal(one, field="f") == KEY.seal(other, field="f")) == (one == other)


@given(st.text())
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    with pytest.raises(CannotOpen):
        KEY.open(text, field="f")


def test_tags_differ_by_purpose_key_and_the_border_between_parts() -> None:
    tags = {
        KEY.tag("subject", "app", "ab"),
        KEY.tag("subject", "appa", "b"),
        KEY.tag("session", "app", "ab"),
        OTHER.tag("subject", "app", "ab"),
    }
    assert len(tags) == 4
    assert KEY.tag("subject", "app", "ab") in tags


def test_secret_returns_under_its_master_key_only() -> None:
    wrapped = KEY.wrap(LocalMasterKey(bytes(32)))
    assert LookupKey.unwrap(wrapped, LocalMasterKey(bytes(32))).tag("a") == KEY.tag("a")
    with pytest.raises(CannotOpen):
        LookupKey.unwrap(wrapped, LocalMasterKey(bytes([1]) * 32))


def test_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        LookupKey(bytes(32))
