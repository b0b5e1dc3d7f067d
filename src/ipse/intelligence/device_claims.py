"""Reading claims one by one, each checked for its type and bounds; what is malformed was not told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_APPS: Final = frozenset({"ios", "android"})


@dataclass(frozen=True, slots=True)
class Claims:
    """Headers (names in lower case) and a report. Every reader answers None for what was not told."""

    headers: Mapping[str, str]
    report: Mapping[str, object]

    @property
    def from_app(self) -> bool:
        """Whether a native app reported, which knows more of its device than a page."""
        return self.text("source", 16) in _APPS

    def header(self, name: str, longest: int = 256) -> str | None:
        """A header without the quotes of structured fields, cut to ``longest`` characters."""
        return self.headers.get(name, "").strip().strip('"')[:longest] or None

    def text(self, name: str, longest: int) -> str | None:
        """A text of the report, cut to ``longest`` characters."""
        return _text(self.report.get(name), longest)

    def texts(self, name: str, most: int, longest: int) -> tuple[str, ...]:
        """A list of texts; what is no text in it is left out."""
        value = self.report.get(name)
        if not isinstance(value, list | tuple):
            return ()
        return tuple(text for one in value[:most] if (text := _text(one, longest)) is not None)

    def mapping(self, name: str) -> Mapping[str, object]:
        """An object of the report, empty where there is none."""
        value = self.report.get(name)
        return value if isinstance(value, Mapping) else {}

    def flag(self, name: str) -> bool | None:
        """True or false, and nothing that merely looks like it."""
        value = self.report.get(name)
        return value if isinstance(value, bool) else None

    def number(self, name: str) -> float | None:
        """A finite number."""
        value = self.report.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return float(value)

    def whole(self, name: str) -> int | None:
        """A whole number."""
        value = self.number(name)
        return int(value) if value is not None and value == int(value) else None

    def accepted_languages(self) -> tuple[str, ...]:
        """The languages of ``Accept-Language``, the most wanted first; ``*`` and what is not wanted are left out."""
        weighed: list[tuple[float, str]] = []
        for part in (self.header("accept-language") or "").split(","):
            language, _, parameters = part.strip().partition(";")
            weight = _weight(parameters)
            if language and language != "*" and weight > 0:
                weighed.append((-weight, language.strip()[:35]))
        return tuple(language for _, language in sorted(weighed, key=lambda one: one[0]))

    def hint(self, name: str, header: str) -> str | None:
        """A client hint, from the header or from what the page asked the browser for."""
        return self.header(header, 128) or _text(self.mapping("hints").get(name), 128)

    @property
    def user_agent(self) -> str:
        """The user agent of the request; longer ones are cut, because parsing costs time in proportion."""
        return self.headers.get("user-agent", "")[:1024]


def _text(value: object, longest: int) -> str | None:
    return (value.strip()[:longest] or None) if isinstance(value, str) else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
