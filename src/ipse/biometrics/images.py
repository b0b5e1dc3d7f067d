"""Decoding of untrusted image bytes into upright 8-bit RGB.

Everything a stranger can send ends in an ``Image`` or in one ``ImageError`` with a stable code. The declared size is
read from the header and refused before any pixel is decoded.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from .errors import BiometricsError

ImageFormat = Literal["jpeg", "png", "webp", "tiff"]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ImageLimits:
    """What is refused. Sizes in bytes and pixels; ``min_side`` is the shorter side in pixels."""

    max_bytes: int = 5 * 2**20
    max_pixels: int = 40_000_000
    min_side: int = 32


@dataclass(frozen=True, eq=False)
class Image:
    """An upright picture: ``pixels`` is (height, width, 3) uint8 RGB, C-contiguous; EXIF orientation is applied."""

    pixels: Pixels
    format: ImageFormat
    width: int
    height: int


class ImageError(BiometricsError):
    """Base of all refusals of an image."""

    code = "image_error"


class EmptyImage(ImageError):
    """No bytes at all."""

    code = "empty_image"


class NotAnImage(ImageError):
    """The bytes are not a picture of any known kind."""

    code = "not_an_image"


class UnsupportedFormat(ImageError):
    """A picture, but not JPEG, PNG, WebP or TIFF, or of a pixel type that has no meaning as a photo."""

    code = "unsupported_format"


class TruncatedImage(ImageError):
    """The file ends before the picture does."""

    code = "truncated_image"


class CorruptImage(ImageError):
    """The file has the right beginning but cannot be decoded."""

    code = "corrupt_image"


class ImageTooLarge(ImageError):
    """More bytes than allowed."""

    code = "image_too_large"


class TooManyPixels(ImageError):
    """The header declares more pixels than allowed (a decompression bomb, or an oversized scan)."""

    code = "too_many_pixels"


class AnimatedImage(ImageError):
    """More than one frame or page: which of them would be the photo?"""

    code = "animated_image"


class ImageTooSmall(ImageError):
    """The shorter side has too few pixels to hold a face."""

    code = "image_too_small"


DEFAULT_LIMITS: Final = ImageLimits()

# A progressive JPEG costs one pass over all pixels per scan; cameras write about ten, an attacker thousands.
_MAX_JPEG_SCANS: Final = 100
_FOREIGN_SIGNATURES: Final = (
    b"GIF8",
    b"BM",
    b"%PDF",
    b"\x00\x00\x01\x00",
    b"\xff\x0a",
    b"8BPS",
    b"II+\x00",
    b"MM\x00+",
)
_FOREIGN_BRANDS: Final = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"jxl ", b"jp2 ")
_ORIENTATION_TAG: Final = 0x0112

# Pillow warns about odd metadata through the process-wide filter list, which is not safe to change from two threads.
_warning_filters = threading.Lock()


def decode(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> Image:
    """Decode JPEG, PNG, WebP or TIFF bytes into an upright RGB ``Image``.

    CMYK, palette, grey, 16-bit and float-free TIFF variants are converted; transparency is laid over white. Raises a
    subclass of ``ImageError`` for anything else, never another exception.
    """
    if not data:
        raise EmptyImage("The image is empty.")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"The image has {len(data)} bytes; at most {limits.max_bytes} are accepted.")
    kind = _format_of(data)
    if kind == "webp":
        _check_size(*_webp_canvas(data), limits)
    if kind == "jpeg" and data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise CorruptImage("The JPEG has an unreasonable number of scans.")
    try:
        opened, orientation = _open(data, kind, limits)
        pixels = _rgb(opened)
    except ImageError:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise TooManyPixels("The image declares too many pixels.") from error
    except (MemoryError, RecursionError) as error:
        raise CorruptImage("The image cannot be decoded.") from error
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error and more
        raise _decoding_error(error, data, kind) from error
    upright = np.ascontiguousarray(_oriented(pixels, orientation))
    return Image(pixels=upright, format=kind, width=upright.shape[1], height=upright.shape[0])


def _format_of(data: bytes) -> ImageFormat:
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return "tiff"
    if data.startswith(_FOREIGN_SIGNATURES) or (data[4:8] == b"ftyp" and data[8:12] in _FOREIGN_BRANDS):
        raise UnsupportedFormat("Send a JPEG, PNG, WebP or TIFF image.")
    raise NotAnImage("The data is not an image.")


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Width and height from the first chunk; Pillow would allocate the whole canvas merely to open the file."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        raise TruncatedImage("The WebP file ends inside its header.")
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    raise CorruptImage("The WebP file has an unknown first chunk.")


def _check_size(width: int, height: int, limits: ImageLimits) -> None:
    if width * height > limits.max_pixels:
        raise TooManyPixels(f"The image has {width} x {height} pixels; at most {limits.max_pixels} are accepted.")
    if min(width, height) < limits.min_side:
        raise ImageTooSmall(f"The image has {width} x {height} pixels; each side needs {limits.min_side}.")


def _open(data: bytes, kind: ImageFormat, limits: ImageLimits) -> tuple[PIL.Image.Image, int]:
    """Read the header only, and the EXIF orientation (1-8)."""
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = PIL.Image.open(io.BytesIO(data), formats=[kind.upper()])
        _check_size(*opened.size, limits)
        # A JPEG with an embedded preview or gain map (MPO) is one photo; its first frame is the picture.
        if kind != "jpeg" and getattr(opened, "n_frames", 1) > 1:
            raise AnimatedImage("The image has more than one frame or page.")
        try:
            orientation = int(opened.getexif().get(_ORIENTATION_TAG, 1))
        except Exception:  # broken metadata is no reason to refuse a readable photo
            orientation = 1
        if kind == "tiff":
            opened.load()  # libtiff warns while decoding
    return opened, orientation


def _rgb(opened: PIL.Image.Image) -> Pixels:
    mode = opened.mode
    if mode == "F":
        raise UnsupportedFormat("Floating-point images are not supported.")
    if mode.startswith("I"):
        wide = np.asarray(opened).astype(np.int64)
        grey = np.clip(wide >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in opened.info:
        translucent = opened.convert("RGBA")
        white = PIL.Image.new("RGBA", translucent.size, (255, 255, 255, 255))
        return np.asarray(PIL.Image.alpha_composite(white, translucent).convert("RGB"))
    return np.asarray(opened if mode == "RGB" else opened.convert("RGB"))


def _oriented(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (TIFF 6.0 tag 274)."""
    match orientation:
        case 2:
            return pixels[:, ::-1]
        case 3:
            return pixels[::-1, ::-1]
        case 4:
            return pixels[::-1]
        case 5:
            return pixels.transpose(1, 0, 2)
        case 6:
            return np.rot90(pixels, -1)
        case 7:
            return pixels[::-1, ::-1].transpose(1, 0, 2)
        case 8:
            return np.rot90(pixels)
        case _:
            return pixels


def _decoding_error(error: Exception, data: bytes, kind: ImageFormat) -> ImageError:
    reason = str(error).lower()
    ends_early = "truncat" in reason or "unexpected end" in reason or "not enough" in reason
    if kind == "webp":
        ends_early = ends_early or int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind == "png":
        ends_early = ends_early or b"IEND" not in data[-64:]
    if ends_early or isinstance(error, struct.error | EOFError):
        return TruncatedImage("The image file is incomplete.")
    return CorruptImage("The image cannot be decoded.")
