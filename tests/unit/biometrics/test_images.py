"""Whatever a stranger sends ends in an upright RGB image or in one typed error."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ipse.biometrics import images
from ipse.biometrics.images import ImageError, ImageLimits, decode


def _gradient(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Dark left, bright right, red rising downwards: every orientation looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 1] = np.linspace(0, 255, width, dtype=np.uint8)[None, :]
    pixels[:, :, 0] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    return pixels


def _encoded(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _picture(kind: str = "PNG", **options: Any) -> bytes:
    return _encoded(PIL.Image.fromarray(_gradient()), kind, **options)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def _refusal(data: bytes, limits: ImageLimits = images.DEFAULT_LIMITS) -> str:
    with pytest.raises(ImageError) as caught:
        decode(data, limits)
    assert caught.value.message
    return caught.value.code


@pytest.mark.parametrize(("kind", "name"), [("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tiff")])
def test_lossless_formats_come_back_pixel_by_pixel(kind: str, name: str) -> None:
    decoded = decode(_picture(kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert (decoded.format, decoded.width, decoded.height) == (name, 64, 48)
    assert np.array_equal(decoded.pixels, _gradient())


def test_jpeg_comes_back_nearly_equal() -> None:
    decoded = decode(_picture("JPEG", quality=98))
    assert decoded.format == "jpeg"
    assert np.abs(decoded.pixels.astype(int) - _gradient()).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_undone(orientation: int) -> None:
    # The inverse of each orientation, by Pillow's own names, makes the picture a camera would have stored.
    stored_as = {
        1: None,
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_90,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_270,
    }[orientation]
    upright = PIL.Image.fromarray(_gradient())
    stored = upright if stored_as is None else upright.transpose(stored_as)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(_encoded(stored, "PNG", exif=exif))
    assert np.array_equal(decoded.pixels, _gradient())


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_other_pixel_types_become_rgb(mode: str) -> None:
    if mode == "I;16":
        source = PIL.Image.fromarray(_gradient()[:, :, 1].astype(np.uint16) * 257)
    else:
        source = PIL.Image.fromarray(_gradient()).convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    decoded = decode(_encoded(source, kind))
    assert decoded.pixels.shape == (48, 64, 3)
    assert decoded.pixels.dtype == np.uint8
    bright, dark = decoded.pixels[:, -8:, 1].mean(), decoded.pixels[:, :8, 1].mean()
    assert bright > dark + 60


def test_cmyk_jpeg_keeps_its_colours() -> None:
    decoded = decode(_encoded(PIL.Image.fromarray(_gradient()).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(decoded.pixels.astype(int) - _gradient()).mean() < 8


def test_sixteen_bits_keep_their_upper_eight() -> None:
    wide = np.linspace(0, 65535, 64, dtype=np.uint16)[None, :].repeat(48, axis=0)
    decoded = decode(_encoded(PIL.Image.fromarray(wide), "PNG"))
    assert np.array_equal(decoded.pixels[:, :, 0], (wide >> 8).astype(np.uint8))


def test_transparency_is_laid_over_white() -> None:
    translucent = np.zeros((40, 40, 4), np.uint8)
    assert decode(_encoded(PIL.Image.fromarray(translucent), "PNG")).pixels.min() == 255


def test_transparent_palette_is_laid_over_white() -> None:
    source = PIL.Image.new("P", (40, 40), 0)
    source.putpalette([0, 0, 0] * 256)
    assert decode(_encoded(source, "PNG", transparency=0)).pixels.min() == 255


def test_trailing_garbage_is_ignored() -> None:
    assert decode(_picture("JPEG") + b"\x00garbage" * 50).width == 64


def test_no_bytes() -> None:
    assert _refusal(b"") == "empty_image"


@pytest.mark.parametrize("data", [b"x", b"hello world" * 9, b"\x00" * 500, b'{"image": 1}', b"<svg/>", b"\xff\xd8"])
def test_what_is_no_image(data: bytes) -> None:
    assert _refusal(data) == "not_an_image"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "ICO"])
def test_other_image_formats(kind: str) -> None:
    assert _refusal(_picture(kind)) == "unsupported_format"


@pytest.mark.parametrize("data", [b"%PDF-1.7 ...", b"\x00\x00\x00\x18ftypheic....", b"\x00\x00\x00\x1cftypavif...."])
def test_documents_and_new_camera_formats(data: bytes) -> None:
    assert _refusal(data) == "unsupported_format"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_half_an_upload_is_never_accepted(kind: str, share: float) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    data = _encoded(PIL.Image.fromarray(noise), kind)
    assert _refusal(data[: int(len(data) * share)]) in ("truncated_image", "corrupt_image")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_called_truncated(kind: str) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    data = _encoded(PIL.Image.fromarray(noise), kind)
    assert _refusal(data[: len(data) // 2]) == "truncated_image"


def test_six_megabytes() -> None:
    assert _refusal(_picture("JPEG") + b"\x00" * (6 * 2**20)) == "image_too_large"


def test_png_bomb_is_refused_by_its_header() -> None:
    body = zlib.compress(b"\x00" * 1_000_000)
    bomb = _png_header(60_000, 60_000) + _png_chunk(b"IDAT", body) + _png_chunk(b"IEND", b"")
    assert _refusal(bomb) == "too_many_pixels"


def test_a_bomb_below_pillows_own_limit_is_refused_too() -> None:
    assert _refusal(_png_header(7_000, 7_000) + _png_chunk(b"IDAT", b"")) == "too_many_pixels"


def test_tiff_bomb_is_refused_by_its_header() -> None:
    entries = [(256, 4, 1, 50_000), (257, 4, 1, 50_000), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 9)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    assert _refusal(b"II*\x00" + struct.pack("<I", 8) + body) == "too_many_pixels"


def test_webp_bomb_is_refused_before_its_canvas_is_allocated() -> None:
    bits = (16382 | 16382 << 14).to_bytes(4, "little")
    body = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + bits + bytes(8)
    assert _refusal(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body) == "too_many_pixels"


def test_jpeg_with_thousands_of_scans_is_refused() -> None:
    assert _refusal(_picture("JPEG")[:-2] + b"\xff\xda\x00\x03\x00" * 4000) == "corrupt_image"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_animations_and_many_pages(kind: str) -> None:
    other = PIL.Image.fromarray(255 - _gradient())
    assert _refusal(_picture(kind, save_all=True, append_images=[other])) == "animated_image"


def test_a_picture_too_small_for_a_face() -> None:
    assert _refusal(_encoded(PIL.Image.new("RGB", (31, 500)), "PNG")) == "image_too_small"


def test_limits_are_the_callers() -> None:
    limits = ImageLimits(max_bytes=10_000, max_pixels=64 * 48 - 1, min_side=8)
    assert _refusal(_picture(), limits) == "too_many_pixels"
    assert decode(_encoded(PIL.Image.new("RGB", (8, 8)), "PNG"), limits).width == 8


def test_floating_point_pixels_have_no_meaning_as_a_photo() -> None:
    assert _refusal(_encoded(PIL.Image.new("F", (40, 40)), "TIFF")) == "unsupported_format"


def test_broken_exif_does_not_spoil_a_readable_photo() -> None:
    assert decode(_picture("JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")).width == 64


def test_warnings_of_the_decoder_do_not_leak() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decode(_picture("JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00\x12\x01\x03\x00\x01\x00"))
        _refusal(_png_header(9_400, 9_600))
    assert [str(warning.message) for warning in caught] == []


@given(st.binary(max_size=600))
@settings(max_examples=150, deadline=None)
def test_any_bytes_end_in_an_image_error(data: bytes) -> None:
    for prefix in (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x10\x00\x00WEBP", b"II*\x00", b"MM\x00*"):
        with pytest.raises(ImageError):
            decode(prefix + data)


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"]), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255))))
@settings(max_examples=150, deadline=None)
def test_damaged_files_decode_or_end_in_an_image_error(kind: str, damage: list[tuple[float, int]]) -> None:
    data = bytearray(_picture(kind))
    for position, value in damage:
        data[int(position * (len(data) - 1))] = value
    try:
        decoded = decode(bytes(data))
    except ImageError:
        return
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)
