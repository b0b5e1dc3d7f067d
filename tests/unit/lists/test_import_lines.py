"""Reading the lines of an import."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ipse.edge.errors import Detail
from ipse.lists.errors import UnreadableImport
from ipse.lists.import_lines import MAX_LINE_BYTES, Line, Read, lines_of, read, reader_for
from ipse.lists.values import EntryType

pytestmark = pytest.mark.anyio


async def _chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _lines(*parts: bytes) -> list[tuple[int, bytes]]:
    return [(line.number, line.content) async for line in lines_of(_chunks(*parts))]


@pytest.mark.parametrize("cut", range(12))
async def test_lines_are_the_same_however_the_body_is_cut(cut: int) -> None:
    body = b"\xef\xbb\xbfone\n\ntwo\r\nx"
    expected = [(1, b"one"), (2, b""), (3, b"two\r"), (4, b"x")]
    assert await _lines(body[:cut], body[cut:]) == expected


async def test_a_body_that_ends_with_a_line_break_has_no_line_after_it() -> None:
    assert await _lines(b"one\n") == [(1, b"one")]
    assert await _lines() == []


@pytest.mark.parametrize("ending", [b"", b"\n", b"\nmore"])
async def test_a_line_without_end_is_refused_before_it_fills_the_memory(ending: bytes) -> None:
    with pytest.raises(UnreadableImport):
        await _lines(b"one\n", b"x" * MAX_LINE_BYTES, b"y" + ending)
    assert len(await _lines(b"x" * MAX_LINE_BYTES + ending)) in {1, 2}


def _read(content_type: str, *texts: str, entry_type: EntryType = EntryType.EMAIL) -> list[Read | None]:
    reader = reader_for(content_type)
    return [read(Line(n, text.encode()), entry_type, reader) for n, text in enumerate(texts, 1)]


def _values(found: list[Read | None]) -> list[str | None]:
    return [None if one is None else one.value or one.problem for one in found]


def test_a_plain_list_has_one_value_on_each_line() -> None:
    found = _read("text/plain", "# fraud", "", "Eve@bank.dev\r", "mallory@bank.dev,The other")
    assert _values(found) == [None, None, "eve@bank.dev", "mallory@bank.dev"]
    assert found[3] is not None
    assert found[3].remarks is not None
    assert found[3].remarks.display_label == "The other"


def test_a_heading_names_the_columns_in_any_order_and_others_are_ignored() -> None:
    found = _read("text/csv; charset=utf-8", "Comment,shoe,VALUE,expires_at", '"a, b",43,eve@bank.dev,', "c,44,x@y.dev")
    assert _values(found) == [None, "eve@bank.dev", "x@y.dev"]
    assert [one.remarks.comment for one in found if one and one.remarks] == ["a, b", "c"]


def test_json_lines_are_texts_or_objects() -> None:
    line = '{"value": "x@y.dev", "metadata": {"case": 7}, "expires_at": "2030-01-01T00:00:00Z"}'
    found = _read("application/x-ndjson", '"eve@bank.dev"', "", line)
    assert _values(found) == ["eve@bank.dev", None, "x@y.dev"]
    assert found[2] is not None
    assert found[2].remarks is not None
    assert found[2].remarks.metadata == {"case": 7}


@pytest.mark.parametrize(
    ("content_type", "text", "hint"),
    [
        ("text/csv", "nonsense", "valid email"),
        ("text/csv", '"open', "valid CSV"),
        ("text/csv", " ,label only", "Field required"),
        ("text/csv", "a@b.dev,label,comment,tomorrow", "expires_at"),
        ("text/csv", f"a@b.dev,{'x' * 256}", "display_label"),
        ("application/x-ndjson", "{", "valid JSON"),
        ("application/x-ndjson", "[1]", "valid dictionary"),
        ("application/x-ndjson", "NaN", "valid JSON"),
        ("application/x-ndjson", '{"value": 7}', "value"),
        ("application/x-ndjson", '{"value": "\\u0000"}', "cannot be stored"),
        ("application/x-ndjson", '{"value": "a@b.dev", "expires_at": "2030-01-01T00:00:00"}', "timezone"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_a_reason(content_type: str, text: str, hint: str) -> None:
    (found,) = _read(content_type, text)
    assert found is not None
    assert found.number == 1
    assert hint in str(found.problem)


def test_a_line_that_is_no_text_is_refused() -> None:
    found = read(Line(3, b"\xff\xfe"), EntryType.KEY, reader_for("text/csv"))
    assert found == Read(3, problem="This line is not UTF-8.")


def test_other_media_types_are_refused() -> None:
    for content_type in ("", "application/json", "multipart/form-data"):
        with pytest.raises(Detail) as caught:
            reader_for(content_type)
        assert caught.value.status == 415
