"""Logos: which file becomes which picture, and what is refused. Shown to strangers, so decoded before it is kept."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import PIL.Image

from ipse.branding.errors import UnusableImage


@dataclass(frozen=True, slots=True)
class ImageKind:
    """One of the three images of a brand. ``shape`` is width over height, None for any."""

    name: str
    upload: str
    """Field of the multipart form."""
    shown_as: str
    """Key of the answer; ``delete_`` before it removes the image."""
    max_bytes: int
    shape: float | None


KINDS: Final = (
    ImageKind("square", "image_square", "logo_square", 2**20, 1.0),
    ImageKind("rectangular", "image_rectangular", "logo_rectangular", 2**20, 2.0),
    ImageKind("favicon", "image_favicon", "favicon", 500 * 2**10, None),
)
"""Sizes and shapes of contract 60, section 6; it gives none for the rectangular file, which gets the square one's."""

_SHAPE_TOLERANCE: Final = 0.03
"""Designers round to whole pixels: 3 % of a 32-pixel logo is one pixel."""
_MOST_PIXELS: Final = 16_000_000
_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "ICO": "image/x-icon"}


def check(kind: ImageKind, content: bytes) -> str:
    """Return the media type of a logo that can be shown.

    Raises:
        UnusableImage: empty, too large, not decodable, of the wrong shape, or not PNG, JPEG, WebP or ICO. SVG is
            refused because it can carry script.
    """
    if not content:
        raise UnusableImage(kind.upload, "The submitted file is empty.")
    if len(content) > kind.max_bytes:
        raise UnusableImage(kind.upload, f"The file is larger than {kind.max_bytes // 1024} kB.")
    try:
        with PIL.Image.open(io.BytesIO(content), formats=tuple(_TYPES)) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise UnusableImage(kind.upload, f"The picture has more than {_MOST_PIXELS // 10**6} million pixels.")
            picture.load()
            content_type = _TYPES[picture.format or ""]
    except UnusableImage:
        raise
    except Exception as error:  # decoders of untrusted bytes raise nearly anything
        raise UnusableImage(kind.upload, "Upload a PNG, JPEG, WebP or ICO picture; this is none or damaged.") from error
    if kind.shape is not None and abs(width / height / kind.shape - 1) > _SHAPE_TOLERANCE:
        raise UnusableImage(kind.upload, f"The picture must be {kind.shape:g}:1; this one is {width} x {height}.")
    return content_type
