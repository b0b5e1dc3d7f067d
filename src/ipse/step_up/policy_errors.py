"""What can be wrong with a policy or with a question to it."""

from __future__ import annotations

from collections.abc import Sequence

from ipse.decision.policy.problems import PolicyProblem
from ipse.edge.errors import ApiError, FieldErrors


class UnknownPolicy(FieldErrors):
    """A policy is named that nobody published."""

    def __init__(self) -> None:
        super().__init__({"policy": ["There is no published policy of this name."]})


class PolicyExists(FieldErrors):
    """Names are unique in an application."""

    def __init__(self) -> None:
        super().__init__({"name": ["A policy of this name exists already. Publish its next version."]})


class TooManyPolicies(FieldErrors):
    """Policies are bounded."""

    def __init__(self, most: int) -> None:
        super().__init__({"name": [f"An application has at most {most} policies."]})


class InvalidPolicyBody(ApiError):
    """400 with every problem of a policy and its place."""

    def __init__(self, problems: Sequence[PolicyProblem]) -> None:
        self.problems = tuple(problems)
        lines = [f"{problem.path}: {problem.message}" for problem in self.problems]
        super().__init__(400, {"policy": lines, "problems": [problem.to_json() for problem in self.problems]})
