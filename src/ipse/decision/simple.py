"""Simple workflows: an ordered list of features becomes a straight graph with one final status.

Source: contract 20 section 2 (ordering rules, in the order of ``_NEEDS``) and section 5 (node ids).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ipse.decision.config import read_config
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, Node, StatusNode, WorkflowGraph
from ipse.decision.values import JsonObject

FINAL_NODE: Final = "status"
"""Node id of the final status node of a simple workflow."""

PRODUCERS: Final[Mapping[Feature, frozenset[Feature]]] = {
    Feature.FACE_MATCH: frozenset({Feature.OCR, Feature.LIVENESS, Feature.AGE_ESTIMATION}),
    Feature.NFC: frozenset({Feature.OCR}),
    Feature.DATABASE_VALIDATION: frozenset({Feature.OCR, Feature.NFC}),
}
"""What must have run before a feature, any one of them. FACE_MATCH after LIVENESS alone is the
biometric step-up of the seeds, which the official rule forbids (contract 90 E3)."""

NOT_FIRST: Final = frozenset({Feature.AML, Feature.IP_ANALYSIS, Feature.DATABASE_VALIDATION, Feature.KYB_KEY_PEOPLE})
"""Features that cannot open a simple workflow; in a graph they may."""


@dataclass(frozen=True)
class SimpleFeature:
    """One entry of the simple API's ``features`` array."""

    feature: Feature
    config: JsonObject = field(default_factory=dict)
    label: str | None = None


def ordering_problems(features: Sequence[SimpleFeature]) -> tuple[str, ...]:
    """Return one sentence per broken ordering rule of the simple API."""
    problems: list[str] = []
    before: set[Feature] = set()
    for position, item in enumerate(features):
        needed = PRODUCERS.get(item.feature)
        if position == 0 and item.feature in NOT_FIRST:
            problems.append(f"{item.feature} cannot be the first feature.")
        elif needed is not None and not needed & before:
            problems.append(f"{item.feature} must come after {one_of(needed)}.")
        before.add(item.feature)
    return tuple(problems)


def one_of(features: frozenset[Feature]) -> str:
    """Join feature names for a sentence, in a stable order."""
    return " or ".join(sorted(feature.value for feature in features))


def straight_graph(features: Sequence[SimpleFeature]) -> WorkflowGraph:
    """Return the graph that runs ``features`` in order and ends in a Determine status node.

    Node ids are ``feature_<name>``, with ``_1``, ``_2`` ... for repeats. Configurations are kept
    in their stored form; what cannot be read is left out (``read_config`` reports it).
    """
    ids = node_ids([item.feature for item in features])
    nodes: dict[str, Node] = {}
    for position, (node_id, item) in enumerate(zip(ids, features, strict=True)):
        following = ids[position + 1] if position + 1 < len(ids) else FINAL_NODE
        config = read_config(item.feature, item.config, node_id).values
        nodes[node_id] = FeatureNode(node_id, item.feature, config, item.label, following)
    nodes[FINAL_NODE] = StatusNode(FINAL_NODE)
    return WorkflowGraph(ids[0] if ids else FINAL_NODE, nodes)


def node_ids(features: Sequence[Feature]) -> list[str]:
    """Return the node id of each feature of a simple workflow."""
    counts: dict[Feature, int] = {}
    ids: list[str] = []
    for feature in features:
        repeat = counts.get(feature, 0)
        counts[feature] = repeat + 1
        ids.append(f"feature_{feature.value.lower()}" + (f"_{repeat}" if repeat else ""))
    return ids


def simple_features(graph: WorkflowGraph) -> tuple[SimpleFeature, ...] | None:
    """Return the feature list of a straight graph, or None if the graph branches or decides."""
    features: list[SimpleFeature] = []
    for node in graph.walk():
        match node:
            case FeatureNode():
                features.append(SimpleFeature(node.feature, node.config, node.label))
            case StatusNode(session_status=outcome) if outcome.status is None:
                continue
            case _:
                return None
    return tuple(features)
