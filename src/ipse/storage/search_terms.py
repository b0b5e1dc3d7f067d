"""Beginnings of words as keyed digests, so that sealed names can be searched (decision 0017).

Who reads the digests learns which objects of one application share a beginning, not the letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from ipse.storage.sealed import Vault

SHORTEST: Final = 2
"""Letters that a beginning has at least."""

LONGEST: Final = 16
"""Letters that count; words that agree so far are found together."""

TAG_LENGTH: Final = 32
"""Hexadecimal digits kept of a digest: 128 bits, so that no two beginnings meet by chance."""

_WORD: Final = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared: without case, accents composed, at most 16 letters each."""
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return [word[:LONGEST] for word in found if len(word) >= SHORTEST]


def stored_tags(vault: Vault, application_id: str, texts: Iterable[str | None]) -> set[str]:
    """Return the digest of every beginning of every word of ``texts``."""
    beginnings = {
        word[:length] for text in texts if text for word in words(text) for length in range(SHORTEST, len(word) + 1)
    }
    return {_tag(vault, application_id, beginning) for beginning in beginnings}


def asked_tags(vault: Vault, application_id: str, text: str) -> set[str]:
    """Return the digests that an object must have to be found by ``text``; none where no word is long enough."""
    return {_tag(vault, application_id, word) for word in words(text)}


def _tag(vault: Vault, application_id: str, beginning: str) -> str:
    return vault.tag("search", application_id, beginning)[:TAG_LENGTH]
