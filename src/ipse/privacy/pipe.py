"""A file that somebody else reads while it is written, and that cannot be wound back."""

from __future__ import annotations

from typing import Final

PIECE: Final = 64 * 1024
"""Bytes from which on what was written is worth sending."""


class Pipe:
    """What was written is taken away in pieces. ``zipfile`` asks for no more than this."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether there is a piece to send."""
        return self._size >= PIECE

    def write(self, content: bytes, /) -> int:
        """Take in what is written."""
        self._parts.append(bytes(content))
        self._size += len(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def drain(self) -> bytes:
        """Take away what was written since."""
        content, self._parts, self._size = b"".join(self._parts), [], 0
        return content
