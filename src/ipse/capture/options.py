"""What a workflow leaves to the person beside the capture itself: another device, another way."""

from __future__ import annotations

from collections.abc import Iterator

from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, Node, WorkflowGraph
from ipse.decision.settings import AgeEstimationConfig, LivenessConfig


def allows_handoff(graph: WorkflowGraph) -> bool:
    """Whether the session may move to a second device: no step that shows a face forbids it."""
    return all(settings.handoff_allowed for settings in _settings(graph.walk()))


def alternative_url(graph: WorkflowGraph, awaited: FeatureNode) -> str | None:
    """Where the person may go instead: what the awaited step says, else the first step that says anything."""
    for settings in _settings((awaited, *graph.walk())):
        if settings.alternative_url is not None:
            return settings.alternative_url
    return None


def _settings(nodes: Iterator[Node] | tuple[Node, ...]) -> Iterator[LivenessConfig]:
    for node in nodes:
        if not isinstance(node, FeatureNode):
            continue
        if node.feature is Feature.LIVENESS:
            yield LivenessConfig.read(node.config, node.id)
        elif node.feature is Feature.AGE_ESTIMATION:
            yield AgeEstimationConfig.read(node.config, node.id).liveness
