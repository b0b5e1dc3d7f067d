"""Workflow graphs: feature, branch, A/B split and status nodes, in the contract's JSON.

Source: contract 20 section 5. ``ab_split`` is Ipse's own node (the contract names A/B tests but no
shape); ``action`` and ``webhook`` nodes are not supported and are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from ipse.decision.features import Feature
from ipse.decision.operators import Operator
from ipse.decision.statuses import SessionStatus
from ipse.decision.values import JsonObject, JsonValue


class Logic(StrEnum):
    """How the rules of a branch combine."""

    AND = "and"
    OR = "or"


class Outcome(StrEnum):
    """What a status node says; Determine rolls the features up."""

    APPROVED = "Approved"
    DECLINED = "Declined"
    IN_REVIEW = "In Review"
    DETERMINE = "Determine"

    @property
    def status(self) -> SessionStatus | None:
        """The session status it stands for; None for Determine."""
        return None if self is Outcome.DETERMINE else SessionStatus(self.value)


@dataclass(frozen=True)
class Rule:
    """One comparison: the field of a report or of the session, an operator and a value."""

    field: str
    operator: Operator
    value: JsonValue = None
    score: float | None = None
    """Least similarity of ``fuzzy_match``, 0-100; unused by the other operators."""

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's rule object."""
        rule: dict[str, JsonValue] = {
            "field": self.field,
            "operator": self.operator.value,
            "value": self.value,
        }
        if self.score is not None:
            rule["score"] = self.score
        return rule


@dataclass(frozen=True)
class Branch:
    """One exit of a branch node; without rules it is the else branch."""

    id: str
    rules: tuple[Rule, ...]
    goto: str | None
    logic: Logic = Logic.AND

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's branch object."""
        return {
            "id": self.id,
            "logic": self.logic.value,
            "rules": [rule.to_json() for rule in self.rules],
            "goto": self.goto,
        }


@dataclass(frozen=True)
class Variant:
    """One arm of an A/B split; weights are whole numbers and need not add up to 100."""

    id: str
    weight: int
    goto: str | None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the variant as stored."""
        return {"id": self.id, "weight": self.weight, "goto": self.goto}


@dataclass(frozen=True)
class FeatureNode:
    """Run one check, then go on."""

    id: str
    feature: Feature
    config: JsonObject = field(default_factory=dict)
    label: str | None = None
    next: str | None = None

    @property
    def exits(self) -> tuple[str | None, ...]:
        """The nodes this one leads to; None stands for a missing target."""
        return (self.next,)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's node object."""
        return {
            "node_type": "feature",
            "feature": self.feature.value,
            "config": dict(self.config),
            "label": self.label,
            "next": self.next,
        }


@dataclass(frozen=True)
class BranchNode:
    """Take the first branch whose rules hold."""

    id: str
    branches: tuple[Branch, ...]
    label: str | None = None

    @property
    def exits(self) -> tuple[str | None, ...]:
        """The nodes this one leads to; None stands for a missing target."""
        return tuple(branch.goto for branch in self.branches)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's node object."""
        return {
            "node_type": "branch",
            "label": self.label,
            "branches": [branch.to_json() for branch in self.branches],
        }


@dataclass(frozen=True)
class AbSplitNode:
    """Send each subject to one variant, always the same one."""

    id: str
    variants: tuple[Variant, ...]
    label: str | None = None

    @property
    def exits(self) -> tuple[str | None, ...]:
        """The nodes this one leads to; None stands for a missing target."""
        return tuple(variant.goto for variant in self.variants)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the node as stored."""
        return {
            "node_type": "ab_split",
            "label": self.label,
            "variants": [variant.to_json() for variant in self.variants],
        }


@dataclass(frozen=True)
class StatusNode:
    """The end: an explicit session status, or the roll-up of what ran."""

    id: str
    session_status: Outcome = Outcome.DETERMINE
    label: str | None = None

    @property
    def exits(self) -> tuple[str | None, ...]:
        """A status node leads nowhere."""
        return ()

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's node object."""
        return {
            "node_type": "status",
            "label": self.label,
            "session_status": self.session_status.value,
        }


Node: TypeAlias = FeatureNode | BranchNode | AbSplitNode | StatusNode


@dataclass(frozen=True)
class WorkflowGraph:
    """The nodes of one workflow version and where a session starts."""

    start_node: str
    nodes: Mapping[str, Node]

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's graph object; ``graph_json.read_graph`` reads it back."""
        return {
            "start_node": self.start_node,
            "nodes": {node_id: node.to_json() for node_id, node in self.nodes.items()},
        }

    def walk(self) -> Iterator[Node]:
        """Yield every reachable node once, depth first from the start, branches in order."""
        seen: set[str] = set()
        waiting = [self.start_node]
        while waiting:
            node = self.nodes.get(waiting.pop())
            if node is None or node.id in seen:
                continue
            seen.add(node.id)
            yield node
            waiting.extend(target for target in reversed(node.exits) if target is not None)

    def feature_nodes(self) -> tuple[FeatureNode, ...]:
        """Return the reachable feature nodes in the order of ``walk``."""
        return tuple(node for node in self.walk() if isinstance(node, FeatureNode))

    def features(self) -> tuple[Feature, ...]:
        """Return the reachable features, each once, in the order of ``walk``."""
        return tuple(dict.fromkeys(node.feature for node in self.feature_nodes()))

    def has(self, feature: Feature) -> bool:
        """Tell whether a session of this workflow can reach a node of ``feature``."""
        return feature in self.features()
