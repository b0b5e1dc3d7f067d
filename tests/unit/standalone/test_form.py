"""What reading a standalone form guarantees."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from starlette.datastructures import FormData, UploadFile

from ipse.edge.errors import FieldErrors
from ipse.standalone.form import MAX_IMAGE_BYTES, Form, Upload

pytestmark = pytest.mark.anyio

PICTURE = b"\xff\xd8\xff picture"


def upload(content: bytes = PICTURE, name: str = "face.jpg") -> UploadFile:
    return UploadFile(io.BytesIO(content), size=len(content), filename=name)


def form(**parts: str | UploadFile) -> Form:
    return Form(FormData(list(parts.items())))


def refusal(read: Form) -> Mapping[str, list[str]]:
    with pytest.raises(FieldErrors) as refused:
        read.finish()
    body: Mapping[str, list[str]] = refused.value.body
    return body


async def test_a_picture_is_found_under_its_name_or_an_alias_and_the_name_wins() -> None:
    both = form(source_image=upload(b"alias"), user_image=upload(b"canonical"))
    assert (await both.image("user_image", "source_image", "image_a")).content == b"canonical"
    aliases = form(image_a=upload(b"second"), source_image=upload(b"first"))
    assert (await aliases.image("user_image", "source_image", "image_a")).content == b"first"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (None, "No file was submitted."),
        ("", "No file was submitted."),
        ("aGVsbG8=", "not a file"),
        (upload(b""), "empty"),
        (upload(name="face.gif"), "gif"),
        (upload(name="face.jpg.exe"), "exe"),
        (upload(b"x" * (MAX_IMAGE_BYTES + 1)), "5 MB"),
        (upload(b"", name=""), "No file was submitted."),
    ],
)
async def test_a_bad_picture_is_refused_under_the_canonical_name(part: str | UploadFile | None, message: str) -> None:
    read = form() if part is None else form(image_a=part)
    await read.image("user_image", "image_a")
    assert message in refusal(read)["user_image"][0]


@pytest.mark.parametrize("name", ["face.JPG", "face.tiff", "C:\\pictures\\face.webp", "blob", "face"])
async def test_good_names_and_missing_extensions_pass(name: str) -> None:
    read = form(user_image=upload(name=name))
    assert await read.image("user_image") == Upload(PICTURE, name)
    read.finish()


async def test_exactly_five_megabytes_are_accepted() -> None:
    read = form(user_image=upload(b"x" * MAX_IMAGE_BYTES))
    assert len((await read.image("user_image")).content) == MAX_IMAGE_BYTES
    read.finish()


@pytest.mark.parametrize("text", ["-0.01", "100.01", "nan", "inf", "-inf", "1e400", "abc", "30,5", "0x10"])
def test_a_threshold_outside_0_to_100_or_no_number_is_refused(text: str) -> None:
    read = form(limit=text)
    read.number("limit", default=30.0)
    assert list(refusal(read)) == ["limit"]


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("100", 100.0), (" 30.5 ", 30.5), ("", 30.0), ("1e1", 10.0)])
def test_numbers_are_read_from_text_and_empty_means_default(text: str, value: float) -> None:
    read = form(limit=text)
    assert read.number("limit", default=30.0) == value
    read.finish()


def test_an_alias_of_a_number_is_read_and_its_error_carries_the_canonical_name() -> None:
    assert form(decline_threshold="12").number("limit", "decline_threshold", default=30.0) == 12.0
    bad = form(decline_threshold="120")
    bad.number("limit", "decline_threshold", default=30.0)
    assert list(refusal(bad)) == ["limit"]


@pytest.mark.parametrize("text", ["17.5", "-1", "101", "x", "inf"])
def test_a_whole_number_is_whole_and_bounded(text: str) -> None:
    read = form(age=text)
    read.whole("age", default=18)
    assert list(refusal(read)) == ["age"]
    assert form(age="21").whole("age", default=18) == 21
    assert form().whole("age", default=18) == 18


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), ("FALSE", False), ("0", False), ("", True)]
)
def test_booleans_are_read_from_text(text: str, value: bool) -> None:
    assert form(flag=text).truth("flag", default=True) is value
    wrong = form(flag="maybe")
    wrong.truth("flag", default=True)
    assert refusal(wrong) == {"flag": ["Must be a valid boolean."]}


def test_metadata_is_a_json_object_written_as_text() -> None:
    assert form(metadata='{"a": [1, {"b": null}]}').metadata() == {"a": [1, {"b": None}]}
    assert form(metadata="null").metadata() is None
    assert form(metadata="").metadata() is None


@pytest.mark.parametrize(
    "text", ["{", '"text"', "[1]", "NaN", '{"a": NaN}', '{"a": "\\u0000"}', "[" * 5000, '{"a": "' + "x" * 20000 + '"}']
)
def test_metadata_that_is_no_object_or_cannot_be_signed_is_refused(text: str) -> None:
    read = form(metadata=text)
    assert read.metadata() is None
    assert list(refusal(read)) == ["metadata"]


def test_vendor_data_is_bounded_and_empty_is_none() -> None:
    assert form(vendor_data="user-42").vendor_data() == "user-42"
    assert form(vendor_data="  ").vendor_data() is None
    read = form(vendor_data="x" * 257)
    read.vendor_data()
    assert list(refusal(read)) == ["vendor_data"]


def test_a_choice_is_one_of_the_choices() -> None:
    assert form(kind="a").choice("kind", ("a", "b"), default="b") == "a"
    assert form().choice("kind", ("a", "b"), default="b") == "b"
    read = form(kind="c")
    read.choice("kind", ("a", "b"), default="b")
    assert list(refusal(read)) == ["kind"]


def test_a_file_where_text_belongs_is_refused() -> None:
    read = form(vendor_data=upload())
    assert read.vendor_data() is None
    assert refusal(read) == {"vendor_data": ["Not a valid string."]}


async def test_all_problems_are_answered_at_once() -> None:
    read = form(limit="x", flag="maybe")
    await read.image("user_image")
    read.number("limit", default=30.0)
    read.truth("flag", default=False)
    assert set(refusal(read)) == {"user_image", "limit", "flag"}
