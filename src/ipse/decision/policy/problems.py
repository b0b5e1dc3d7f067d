"""What can be wrong with a policy: each problem names the place, a stable code and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipse.decision.values import JsonValue


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One reason why a policy cannot be published. ``path`` reads like ``rules[2].when.all[0].field``."""

    path: str
    code: str
    message: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return the problem as the API lists it."""
        return {"path": self.path, "code": self.code, "message": self.message}


class InvalidPolicy(ValueError):
    """A policy has problems; ``problems`` lists all of them, each with its place."""

    code = "invalid_policy"

    def __init__(self, problems: Sequence[PolicyProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"{problem.path}: {problem.message}" for problem in self.problems))
