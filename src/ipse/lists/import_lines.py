"""Reading the lines of an import: CSV with or without a heading, or one JSON value on each line.

Memory is bounded by the longest line, 64 KiB. A quoted line break inside a CSV cell is not supported.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import ValidationError

from ipse.edge.errors import ApiError, Detail
from ipse.edge.request import parse_json, require_storable
from ipse.lists.errors import UnreadableImport
from ipse.lists.schemas import ImportLine
from ipse.lists.values import EntryType, UnusableValue, normalise

MAX_LINE_BYTES: Final = 64 * 1024
COLUMNS: Final = ("value", "display_label", "comment", "expires_at")
"""Columns of a CSV line without heading; a heading may name them in any order."""
_CSV: Final = frozenset({"text/csv", "text/plain"})
_JSON_LINES: Final = frozenset({"application/x-ndjson", "application/jsonl", "application/x-jsonlines"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the body; the first is 1."""

    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What a line says: a normalised value and remarks, or the reason why it was refused."""

    number: int
    value: str = ""
    remarks: ImportLine | None = None
    problem: str | None = None


class LineReader(Protocol):
    """Turns the content of a line into fields; None for a line that says nothing."""

    def __call__(self, text: str) -> object | None: ...


def reader_for(content_type: str) -> LineReader:
    """The reader of a media type; 415 for any other than CSV and JSON lines."""
    declared = content_type.partition(";")[0].strip().lower()
    if declared in _CSV:
        return CsvReader()
    if declared in _JSON_LINES:
        return _json_line
    raise Detail(415, "Send text/csv, or application/x-ndjson with one JSON value on each line.")


class CsvReader:
    """Reads CSV. The first line is a heading if one of its cells is ``value``; lines after ``#`` are remarks."""

    def __init__(self) -> None:
        self._columns: Sequence[str] | None = None

    def __call__(self, text: str) -> object | None:
        if not text.strip() or text.lstrip().startswith("#"):
            return None
        try:
            (cells,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError) as error:
            raise UnusableValue("This line is not valid CSV.") from error
        if self._columns is None:
            names = [cell.strip().lower() for cell in cells]
            self._columns = names if "value" in names else COLUMNS
            if "value" in names:
                return None
        pairs = zip(self._columns, cells, strict=False)
        return {name: cell for name, cell in pairs if name in COLUMNS and cell.strip()}


def _json_line(text: str) -> object | None:
    if not text.strip():
        return None
    value: Any = parse_json(text.encode())
    return {"value": value} if isinstance(value, str) else value


async def lines_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[Line]:
    """Cut a body into lines.

    Raises:
        UnreadableImport: a line is longer than 64 KiB.
    """
    number, rest = 0, b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for content in whole:
            number += 1
            yield _line(number, content)
        if len(rest) > MAX_LINE_BYTES:
            _line(number + 1, rest)
    if rest:
        yield _line(number + 1, rest)


def _line(number: int, content: bytes) -> Line:
    if len(content) > MAX_LINE_BYTES:
        raise UnreadableImport(f"Line {number} is longer than {MAX_LINE_BYTES // 1024} KiB.")
    return Line(number, content.removeprefix(b"\xef\xbb\xbf") if number == 1 else content)


def read(line: Line, entry_type: EntryType, reader: LineReader) -> Read | None:
    """Read one line; None where it says nothing."""
    try:
        text = line.content.decode().rstrip("\r")
        require_storable(text)
        fields = reader(text)
        if fields is None:
            return None
        remarks = ImportLine.model_validate(fields)
        return Read(line.number, normalise(entry_type, remarks.value), remarks)
    except UnicodeDecodeError:
        return Read(line.number, problem="This line is not UTF-8.")
    except UnusableValue as error:
        return Read(line.number, problem=str(error))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Read(line.number, problem=f"{where}: {first['msg']}" if where else first["msg"])
    except ApiError:
        return Read(line.number, problem="This line is not valid JSON, or holds text that cannot be stored.")
