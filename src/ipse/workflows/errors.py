"""What can go wrong with workflows, in the contract's shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ipse.decision.problems import GraphProblem
from ipse.edge.errors import ApiError, Detail, FieldErrors

MAX_WORKFLOWS: Final = 50
"""Workflows of one application (contract 20 section 1)."""


class UnknownWorkflow(LookupError):
    """No published workflow of this application has the id or slug."""

    code = "unknown_workflow"

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        super().__init__("No published workflow of this application has this id.")


class InvalidFeatures(FieldErrors):
    """``{"features": [message, ...]}``: the list cannot become a workflow."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__({"features": messages})


class InvalidGraphBody(ApiError):
    """400 with every problem of a graph: sentences under ``graph``, details under ``errors``."""

    def __init__(self, problems: Sequence[GraphProblem]) -> None:
        super().__init__(
            400,
            {
                "graph": [problem.message for problem in problems],
                "errors": [problem.to_json() for problem in problems],
            },
        )


class TooManyWorkflows(Detail):
    """The application already has as many workflows as it may have."""

    def __init__(self) -> None:
        super().__init__(400, f"An application has at most {MAX_WORKFLOWS} workflows. Delete one first.")


class NotADraft(FieldErrors):
    """A published version cannot become a draft again."""

    def __init__(self) -> None:
        super().__init__({"status": ["A published version cannot become a draft. Use create-draft."]})


class PublishedGraph(FieldErrors):
    """The graph of a published version does not change; edit a draft."""

    def __init__(self) -> None:
        super().__init__({"graph": ["This version is published. Create a draft and change that."]})


class SlugTaken(FieldErrors):
    """Another workflow of the application has the slug."""

    def __init__(self) -> None:
        super().__init__({"slug": ["Another workflow of this application has this slug."]})
