"""What can have happened before a node: cycles and the features upstream of each node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, WorkflowGraph


@dataclass(frozen=True)
class Upstream:
    """What lies on the paths from the start to a node, the node itself excluded."""

    nodes: frozenset[str]
    """Nodes on at least one path."""
    possible: frozenset[Feature]
    """Features on at least one path."""
    certain: frozenset[Feature]
    """Features on every path."""


def _predecessors(graph: WorkflowGraph) -> dict[str, list[str]]:
    """Return the reachable nodes with their reachable predecessors, in the order of the walk."""
    found: dict[str, list[str]] = {}
    for node in graph.walk():
        found.setdefault(node.id, [])
        for target in node.exits:
            if target is not None and target in graph.nodes:
                found.setdefault(target, []).append(node.id)
    return found


def find_cycle(graph: WorkflowGraph) -> tuple[str, ...]:
    """Return the node ids of one reachable cycle in walking order; empty if there is none."""
    try:
        TopologicalSorter(_predecessors(graph)).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return tuple(cycle[:-1])
    return ()


def upstream_of(graph: WorkflowGraph) -> Mapping[str, Upstream]:
    """Return what lies before each reachable node; raise graphlib.CycleError on a cycle."""
    predecessors = _predecessors(graph)
    found: dict[str, Upstream] = {}
    for node_id in TopologicalSorter(predecessors).static_order():
        before = [_including(graph, source, found[source]) for source in predecessors[node_id]]
        found[node_id] = Upstream(
            nodes=frozenset[str]().union(*(item.nodes for item in before)),
            possible=frozenset[Feature]().union(*(item.possible for item in before)),
            certain=frozenset.intersection(*(item.certain for item in before)) if before else frozenset(),
        )
    return found


def _including(graph: WorkflowGraph, node_id: str, before: Upstream) -> Upstream:
    node = graph.nodes[node_id]
    own = frozenset({node.feature}) if isinstance(node, FeatureNode) else frozenset()
    return Upstream(before.nodes | {node_id}, before.possible | own, before.certain | own)
