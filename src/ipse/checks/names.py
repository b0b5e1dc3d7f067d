"""Whether two written names can be the same person's."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from rapidfuzz import fuzz

ALIKE: Final = 85.0
"""Smallest likeness (0-100, rapidfuzz) of names that count as the same. Chosen, not measured: it lets one or two
letters of an ordinary name differ."""
_SEPARATORS: Final = re.compile(r"[\W\d_]+")


def differ(one: str | None, other: str | None) -> bool:
    """Whether both names are known and cannot be the same.

    Case, accents, order and punctuation do not count, nor do further given names where two parts agree. A name in two
    scripts counts as two names: nothing here transliterates.
    """
    first, second = _normalised(one), _normalised(other)
    if not first or not second:
        return False
    likeness = fuzz.token_sort_ratio(first, second)
    if min(len(first.split()), len(second.split())) > 1:
        likeness = max(likeness, fuzz.token_set_ratio(first, second) if _share_two(first, second) else 0.0)
    return likeness < ALIKE


def _share_two(first: str, second: str) -> bool:
    return len(set(first.split()) & set(second.split())) > 1


def _normalised(name: str | None) -> str:
    decomposed = unicodedata.normalize("NFKD", name or "")
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _SEPARATORS.sub(" ", letters.casefold()).strip()
