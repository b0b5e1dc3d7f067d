"""What can be wrong with a workflow: each problem names the node, a stable code and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipse.decision.values import JsonValue


@dataclass(frozen=True)
class GraphProblem:
    """One reason why a graph cannot be published. ``node_id`` is None for the whole graph."""

    node_id: str | None
    code: str
    message: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return the problem as the console shows it."""
        return {"node_id": self.node_id, "code": self.code, "message": self.message}


class InvalidGraph(ValueError):
    """A graph has problems; ``problems`` lists all of them, each with its node."""

    code = "invalid_graph"

    def __init__(self, problems: Sequence[GraphProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))
