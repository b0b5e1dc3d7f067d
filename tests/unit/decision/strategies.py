"""Random JSON, reports and workflow graphs for the property tests of the decision core."""

from __future__ import annotations

from hypothesis import strategies as st

from ipse.decision.features import NAMES, WORKFLOW_FEATURES, Feature
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
from ipse.decision.reports import Report
from ipse.decision.simple import PRODUCERS
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)

_FREE = sorted(WORKFLOW_FEATURES - set(PRODUCERS) - {Feature.QUESTIONNAIRE})
_SCORE_RULES = st.builds(
    Rule,
    st.sampled_from(["metadata.amount", "session.vendor_data", "expected_details.country", "reference.age_days"]),
    st.sampled_from([Operator.EQUALS, Operator.NOT_EQUALS, Operator.IS_EMPTY, Operator.IS_NOT_EMPTY]),
    st.sampled_from(["1", "7", "100"]),
)
_LABELS = st.none() | st.text(max_size=5)


@st.composite
def valid_graphs(draw: st.DrawFn) -> WorkflowGraph:
    """Draw an acyclic graph without problems: every node leads only to later ones.

    Node ``n<i>`` is reachable because the spine leads from each node to its successor.
    """
    length = draw(st.integers(0, 7))
    nodes: dict[str, Node] = {}
    for index in range(length):
        node_id, following = f"n{index}", f"n{index + 1}"
        later = st.integers(index + 1, length).map(lambda number: f"n{number}")
        kind = draw(st.sampled_from(["feature", "branch", "ab_split"]))
        label = draw(_LABELS)
        if kind == "feature":
            feature = draw(st.sampled_from(_FREE))
            nodes[node_id] = FeatureNode(node_id, feature, {}, label, following)
        elif kind == "branch":
            rules = draw(st.lists(st.lists(_SCORE_RULES, min_size=1, max_size=2), max_size=2))
            before = [node for node in nodes.values() if isinstance(node, FeatureNode)]
            fields = [f"{NAMES[node.feature].field_root}.score@{node.id}" for node in before]
            branches = [
                Branch(f"b{number}", tuple(group), draw(later), draw(st.sampled_from(Logic)))
                for number, group in enumerate(rules)
            ]
            if fields and index == len(before):
                rule = Rule(draw(st.sampled_from(fields)), Operator.LESS_THAN, draw(st.integers(0, 100)))
                branches.append(Branch("scored", (rule,), draw(later)))
            branches.append(Branch("else", (), following))
            nodes[node_id] = BranchNode(node_id, tuple(branches), label)
        else:
            weights = draw(st.lists(st.integers(0, 50), min_size=1, max_size=3))
            variants = [Variant(f"v{number}", weight, draw(later)) for number, weight in enumerate(weights)]
            nodes[node_id] = AbSplitNode(node_id, (*variants, Variant("rest", 1, following)), label)
    last = f"n{length}"
    nodes[last] = StatusNode(last, draw(st.sampled_from(Outcome)), draw(_LABELS))
    return WorkflowGraph("n0", nodes)


@st.composite
def reports_of(draw: st.DrawFn, graph: WorkflowGraph) -> dict[str, Report]:
    """Draw finished reports for some of the graph's feature nodes."""
    reports: dict[str, Report] = {}
    for node in graph.feature_nodes():
        if draw(st.booleans()):
            status = draw(st.sampled_from(FeatureStatus))
            score = draw(st.none() | st.floats(0, 100))
            reports[node.id] = Report(node.feature, node.id, status, score)
    return reports


METADATA: st.SearchStrategy[dict[str, JsonValue]] = st.fixed_dictionaries(
    {}, optional={"amount": st.sampled_from(["1", "7", 100, None])}
)
