"""The multipart form of a standalone call, read field by field (contract 30 section 0).

Numbers and booleans arrive as text and ``metadata`` as JSON text. A picture is judged by the extension of its file
name and later by its bytes, never by the media type of its part: known clients send ``application/octet-stream``.
Every problem of a form is collected and answered at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from ipse.edge.errors import Detail, FieldErrors
from ipse.edge.request import parse_json
from ipse.security.canonical_json import NotCanonical, canonical_bytes

D = TypeVar("D")

MAX_IMAGE_BYTES: Final = 5 * 2**20
"""5 MB (contract 30 section 0)."""
EXTENSIONS: Final = ("tiff", "tif", "jpg", "jpeg", "png", "webp")
MAX_VENDOR_DATA: Final = 256
MAX_METADATA_BYTES: Final = 16 * 1024

_TRUE: Final = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE: Final = frozenset({"false", "0", "no", "off", "f", "n"})


@dataclass(frozen=True)
class Upload:
    """One picture as received: not empty and not larger than 5 MB."""

    content: bytes
    filename: str


@dataclass
class Form:
    """Typed access to the fields of a form; problems gather in ``errors`` until :meth:`finish`."""

    parts: FormData
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    async def read(cls, request: Request) -> Form:
        """Parse the request's form; a body that is no form has no fields."""
        return cls(await request.form(max_files=16, max_fields=64))

    async def image(self, name: str, *aliases: str) -> Upload:
        """A required picture under its canonical name or an alias; the canonical one wins, then the first alias."""
        present = next((key for key in (name, *aliases) if self._is_sent(key)), None)
        if present is None:
            return self._refuse_image(name, "No file was submitted.")
        part = self.parts[present]
        if not isinstance(part, UploadFile):
            return self._refuse_image(name, "The submitted data was not a file. Check the encoding type on the form.")
        filename = part.filename or ""
        extension = PurePosixPath(filename.replace("\\", "/")).suffix.lower().lstrip(".")
        if extension and extension not in EXTENSIONS:
            allowed = ", ".join(EXTENSIONS)
            return self._refuse_image(
                name, f'File extension "{extension[:16]}" is not allowed. Send one of: {allowed}.'
            )
        content = await part.read(MAX_IMAGE_BYTES + 1)
        if not content:
            return self._refuse_image(name, "The submitted file is empty.")
        if len(content) > MAX_IMAGE_BYTES:
            return self._refuse_image(name, "The file is larger than 5 MB.")
        return Upload(content, filename)

    def number(
        self, name: str, *aliases: str, default: float | None, low: float = 0.0, high: float = 100.0
    ) -> float | None:
        """A number from ``low`` to ``high``; ``default`` when it was not sent or is empty."""
        text = self._text(name, *aliases)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            return self._refuse(name, "A valid number is required.", default)
        return self._bounded(name, value, default, low, high)

    def whole(self, name: str, *, default: int, low: int = 0, high: int = 100) -> int:
        """A whole number from ``low`` to ``high``; ``default`` when it was not sent or is empty."""
        text = self._text(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not value.is_integer():
            return self._refuse(name, "A valid integer is required.", default)
        return int(self._bounded(name, value, default, low, high))

    def truth(self, name: str, *, default: bool) -> bool:
        """A boolean written as text, in any case."""
        text = self._text(name)
        if text is None:
            return default
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        return self._refuse(name, "Must be a valid boolean.", default)

    def choice(self, name: str, choices: Sequence[str], *, default: str) -> str:
        """One of ``choices``."""
        text = self._text(name)
        if text is None or text in choices:
            return text or default
        return self._refuse(name, f'"{text[:64]}" is not a valid choice. Use one of: {", ".join(choices)}.', default)

    def vendor_data(self) -> str | None:
        """The integrator's own id of the person; None when it was not sent or is empty."""
        text = self._text("vendor_data")
        if text is not None and len(text) > MAX_VENDOR_DATA:
            return self._refuse("vendor_data", f"Use at most {MAX_VENDOR_DATA} characters.", None)
        return text

    def metadata(self) -> Mapping[str, Any] | None:
        """A JSON object written as text, or None."""
        text = self._text("metadata")
        if text is None:
            return None
        try:
            value = parse_json(text.encode())
        except Detail:
            return self._refuse("metadata", "Value must be valid JSON.", None)
        if value is None:
            return None
        if not isinstance(value, dict):
            return self._refuse("metadata", "Expected a JSON object.", None)
        try:
            size = len(canonical_bytes(value))
        except NotCanonical as error:
            return self._refuse("metadata", f"This cannot be signed in a webhook: {error}", None)
        if size > MAX_METADATA_BYTES:
            return self._refuse("metadata", f"At most {MAX_METADATA_BYTES // 1024} KiB can be attached.", None)
        return value

    def refuse(self, name: str, message: str) -> None:
        """Note a problem that only the endpoint can see."""
        self.errors.setdefault(name, []).append(message)

    def finish(self) -> None:
        """Raise ``{field: [message, …]}`` with everything that was wrong."""
        if self.errors:
            raise FieldErrors(self.errors)

    def _is_sent(self, name: str) -> bool:
        """An empty file input of a browser arrives as a part without file name and content."""
        part = self.parts.get(name)
        if isinstance(part, UploadFile):
            return bool(part.filename) or part.size != 0
        return part is not None and part != ""

    def _text(self, name: str, *aliases: str) -> str | None:
        for key in (name, *aliases):
            part = self.parts.get(key)
            if isinstance(part, UploadFile):
                self.refuse(name, "Not a valid string.")
                return None
            if part is not None and part.strip():
                return part.strip()
        return None

    def _bounded(self, name: str, value: float, default: D, low: float, high: float) -> float | D:
        if value < low:
            return self._refuse(name, f"Ensure this value is greater than or equal to {low:g}.", default)
        if value > high:
            return self._refuse(name, f"Ensure this value is less than or equal to {high:g}.", default)
        return value

    def _refuse(self, name: str, message: str, default: D) -> D:
        self.refuse(name, message)
        return default

    def _refuse_image(self, name: str, message: str) -> Upload:
        return self._refuse(name, message, Upload(b"", ""))
