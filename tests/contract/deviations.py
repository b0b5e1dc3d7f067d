"""Where Ipse departs from the contract document on purpose, each with its reason. Unused entries fail the suite."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """``operation`` is a key such as ``GET /v3/users/`` or a regular expression over keys; ``problem`` likewise."""

    operation: str
    problem: str
    reason: str

    def covers(self, operation: str, problem: str) -> bool:
        return bool(re.fullmatch(self.operation, operation) and re.search(self.problem, problem))


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        r"POST /v3/session/",
        r"^400: \$",
        "placeholder",
    ),
)
