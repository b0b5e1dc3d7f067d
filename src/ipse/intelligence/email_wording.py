"""How the local part of an e-mail address is written, and whether a program seems to have chosen it.

There is no labelled data behind the rule, only what generators do and people do not: letters and digits that take
turns, long runs of consonants, hexadecimal keys. Two traces are asked for, since most alone also occur in names
(``hirschsprung``, ``r2d2fan``) and years (``maria1987``). docs/risk-calls.md has the rates on random texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_VOWELS: Final = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüœаеёиоуыэюя")
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{16,}")
_CONSONANTS: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]+")
_CHANGES: Final = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")

TRACES_NEEDED: Final = 2
LONG_RUN: Final = 5
"""Consonants in a row: German and Polish names reach it, English ones rarely do."""
MANY_CHANGES: Final = 3
"""Changes between letter and digit: a year at the end is one, a birthday between two names is two."""
CONSTANT_CHANGES: Final = 5
"""As many changes need no second trace."""
FEW_VOWELS: Final = 0.15
"""Share among the letters, from seven letters on. English text has about 0.4."""
MANY_DIGITS: Final = 0.35
"""Share among the characters, from four digits on that are more than a year."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Measures of a local part. Shares are 0-1."""

    length: int
    digit_share: float
    vowel_share: float | None
    """Among the Latin and Cyrillic letters; None without letters."""
    changes: int
    """How often a letter follows a digit or the other way round."""
    longest_consonant_run: int
    is_hexadecimal: bool
    """A key of 16 digits or more: no person types it."""

    @property
    def traces(self) -> tuple[str, ...]:
        """What speaks for a program."""
        digits = round(self.digit_share * self.length)
        letters = self.length - digits
        found = {
            "hexadecimal": self.is_hexadecimal,
            "consonants": self.longest_consonant_run >= LONG_RUN,
            "changes": self.changes >= MANY_CHANGES,
            "vowels": self.vowel_share is not None and letters >= 7 and self.vowel_share < FEW_VOWELS,
            "digits": digits >= 5 and self.changes > 1 and self.digit_share >= MANY_DIGITS,
        }
        return tuple(name for name, is_found in found.items() if is_found)

    @property
    def looks_generated(self) -> bool:
        """Whether two traces were found, or one that people do not leave."""
        return self.is_hexadecimal or self.changes >= CONSTANT_CHANGES or len(self.traces) >= TRACES_NEEDED


def wording_of(local: str) -> Wording:
    """Measure a local part in lower case, without its tag."""
    letters = [character for character in local if character.isalpha()]
    vowels = sum(character in _VOWELS for character in letters)
    return Wording(
        length=len(local),
        digit_share=sum(character.isdigit() for character in local) / len(local),
        vowel_share=vowels / len(letters) if letters else None,
        changes=len(_CHANGES.findall(local)),
        longest_consonant_run=max((len(run) for run in _CONSONANTS.findall(local)), default=0),
        is_hexadecimal=bool(_HEXADECIMAL.fullmatch(local.replace("-", ""))) and any(map(str.isdigit, local)),
    )
