"""Read the contract's graph JSON into a WorkflowGraph, collecting every problem on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from ipse.decision.features import WORKFLOW_FEATURES, Feature, parse_feature
from ipse.decision.graph import (
    AbSplitNode,
    Branch,
    BranchNode,
    FeatureNode,
    Logic,
    Node,
    Outcome,
    Rule,
    StatusNode,
    Variant,
    WorkflowGraph,
)
from ipse.decision.operators import Operator
from ipse.decision.problems import GraphProblem, InvalidGraph
from ipse.decision.values import JsonObject, JsonValue, as_number, is_list, items_of

MAX_NODES: Final = 200
"""Most nodes of one graph; our bound, far above what a person can draw."""

_Member = TypeVar("_Member", bound=StrEnum)


def read_graph(value: JsonValue) -> WorkflowGraph:
    """Return the graph that ``value`` describes; raise InvalidGraph with all its problems.

    A bare ``next`` on a branch node becomes its else branch, aliases of features become their node
    names, and a missing label or config is filled in. What the graph *means* is checked by
    ``validation.validate``.
    """
    return _Reader().graph(value)


class _Reader:
    """Collects the problems of one reading."""

    def __init__(self) -> None:
        self._problems: list[GraphProblem] = []

    def _report(self, node_id: str | None, code: str, message: str) -> None:
        self._problems.append(GraphProblem(node_id, code, message))

    def graph(self, value: JsonValue) -> WorkflowGraph:
        if not isinstance(value, Mapping):
            raise InvalidGraph([GraphProblem(None, "not_a_graph", "A graph is a JSON object.")])
        raw_nodes = value.get("nodes")
        if not isinstance(raw_nodes, Mapping) or not raw_nodes:
            raise InvalidGraph([GraphProblem(None, "no_nodes", "The graph has no nodes.")])
        if len(raw_nodes) > MAX_NODES:
            message = f"A graph has at most {MAX_NODES} nodes."
            raise InvalidGraph([GraphProblem(None, "too_many_nodes", message)])
        start = value.get("start_node")
        if not isinstance(start, str) or not start:
            self._report(None, "missing_start", "The graph names no start node.")
            start = ""
        nodes: dict[str, Node] = {}
        for node_id, raw in raw_nodes.items():
            node = self._node(node_id, raw)
            if node is not None:
                nodes[node_id] = node
        if self._problems:
            raise InvalidGraph(self._problems)
        return WorkflowGraph(start, nodes)

    def _node(self, node_id: str, raw: JsonValue) -> Node | None:
        if not node_id or "@" in node_id or "|" in node_id:
            self._report(node_id, "bad_node_id", f"'{node_id}' is no node id: no '@', no '|', not empty.")
        if not isinstance(raw, Mapping):
            self._report(node_id, "not_a_node", f"Node '{node_id}' is not an object.")
            return None
        kind = raw.get("node_type")
        read = _KINDS.get(kind) if isinstance(kind, str) else None
        if read is None:
            self._report(
                node_id,
                "unknown_node_type",
                f"Node '{node_id}' has the type '{kind}'; known are feature, branch, ab_split and status.",
            )
            return None
        return read(self, node_id, raw)

    def feature(self, node_id: str, raw: JsonObject) -> Node | None:
        name = raw.get("feature")
        feature = parse_feature(name) if isinstance(name, str) else None
        if feature is None or feature not in WORKFLOW_FEATURES:
            self._report(node_id, "unknown_feature", f"Node '{node_id}' asks for unknown feature '{name}'.")
            feature = Feature.OCR
        config = raw.get("config")
        if config is None:
            config = {}
        if not isinstance(config, Mapping):
            self._report(node_id, "bad_config", f"The config of '{node_id}' is not an object.")
            config = {}
        return FeatureNode(node_id, feature, config, self._label(node_id, raw), self._target(node_id, raw, "next"))

    def branch(self, node_id: str, raw: JsonObject) -> Node | None:
        branches = [
            self._branch(node_id, index, item) for index, item in enumerate(self._list(node_id, raw, "branches"))
        ]
        target = self._target(node_id, raw, "next")
        if target is not None and all(branch.rules for branch in branches):
            branches.append(Branch("else", (), target))
        return BranchNode(node_id, tuple(branches), self._label(node_id, raw))

    def ab_split(self, node_id: str, raw: JsonObject) -> Node | None:
        variants = []
        for index, item in enumerate(self._list(node_id, raw, "variants")):
            entry = self._object(node_id, item, f"variant {index + 1}")
            weight = entry.get("weight")
            if isinstance(weight, float) and weight.is_integer():
                weight = int(weight)
            if isinstance(weight, bool) or not isinstance(weight, int):
                self._report(node_id, "bad_weights", f"A weight of '{node_id}' is not a whole number.")
                weight = 0
            variants.append(
                Variant(
                    self._id(entry, f"variant_{index + 1}"),
                    weight,
                    self._target(node_id, entry, "goto"),
                )
            )
        return AbSplitNode(node_id, tuple(variants), self._label(node_id, raw))

    def status(self, node_id: str, raw: JsonObject) -> Node | None:
        outcome = self._member(node_id, raw.get("session_status"), Outcome, Outcome.DETERMINE)
        return StatusNode(node_id, outcome, self._label(node_id, raw))

    def _branch(self, node_id: str, index: int, item: JsonValue) -> Branch:
        entry = self._object(node_id, item, f"branch {index + 1}")
        rules = tuple(self._rule(node_id, rule) for rule in self._list(node_id, entry, "rules"))
        return Branch(
            self._id(entry, f"branch_{index + 1}"),
            rules,
            self._target(node_id, entry, "goto"),
            self._member(node_id, entry.get("logic"), Logic, Logic.AND),
        )

    def _rule(self, node_id: str, item: JsonValue) -> Rule:
        entry = self._object(node_id, item, "a rule")
        path = entry.get("field")
        if not isinstance(path, str) or not path:
            self._report(node_id, "unknown_field", f"A rule of '{node_id}' names no field.")
            path = ""
        operator = self._member(node_id, entry.get("operator"), Operator, None)
        score = as_number(entry.get("score"))
        if entry.get("score") is not None and (score is None or not 0.0 <= score <= 100.0):
            self._report(node_id, "bad_value", f"A rule of '{node_id}' needs a score from 0 to 100.")
            score = None
        return Rule(path, operator, entry.get("value"), score)

    def _member(self, node_id: str, value: JsonValue, members: type[_Member], default: _Member | None) -> _Member:
        """Read an enum member; a missing value is the default where there is one."""
        first = next(iter(members))
        if value is None and default is not None:
            return default
        known = {member.value.lower(): member for member in members}
        member = known.get(value.strip().lower()) if isinstance(value, str) else None
        if member is None:
            names = ", ".join(item.value for item in members)
            self._report(
                node_id,
                f"unknown_{_MEMBER_CODES[members]}",
                f"'{value}' of node '{node_id}' is unknown; known are: {names}.",
            )
            return first
        return member

    def _list(self, node_id: str, raw: JsonObject, key: str) -> tuple[JsonValue, ...]:
        value = raw.get(key)
        if value is not None and not is_list(value):
            self._report(node_id, "bad_value", f"'{key}' of node '{node_id}' is not a list.")
        return items_of(value)

    def _object(self, node_id: str, item: JsonValue, what: str) -> JsonObject:
        if isinstance(item, Mapping):
            return item
        self._report(node_id, "bad_value", f"Node '{node_id}': {what} is not an object.")
        return {}

    def _label(self, node_id: str, raw: JsonObject) -> str | None:
        label = raw.get("label")
        if label is not None and not isinstance(label, str):
            self._report(node_id, "bad_value", f"The label of '{node_id}' is not text.")
            return None
        return label

    def _target(self, node_id: str, raw: JsonObject, key: str) -> str | None:
        target = raw.get(key)
        if target is not None and not isinstance(target, str):
            self._report(node_id, "unknown_goto", f"'{key}' of node '{node_id}' is not a node id.")
            return None
        return target or None

    @staticmethod
    def _id(entry: JsonObject, default: str) -> str:
        value = entry.get("id")
        return value if isinstance(value, str) and value else default


_KINDS: Final[Mapping[str, Callable[[_Reader, str, JsonObject], Node | None]]] = {
    "feature": _Reader.feature,
    "branch": _Reader.branch,
    "ab_split": _Reader.ab_split,
    "status": _Reader.status,
}
_MEMBER_CODES: Final[Mapping[type[StrEnum], str]] = {
    Operator: "operator",
    Logic: "logic",
    Outcome: "session_status",
}
