"""Say everything that is wrong with a graph, each problem with the node it lies in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ipse.decision.config import STATUS_RULES, read_config
from ipse.decision.features import Feature
from ipse.decision.fields import OPERATORS, FieldType, definition_of, parse_path
from ipse.decision.graph import AbSplitNode, BranchNode, FeatureNode, Rule, StatusNode, WorkflowGraph
from ipse.decision.graph_json import read_graph
from ipse.decision.operators import Operator, pattern_problem
from ipse.decision.paths import Upstream, find_cycle, upstream_of
from ipse.decision.problems import GraphProblem, InvalidGraph
from ipse.decision.simple import PRODUCERS, one_of
from ipse.decision.status_rules import read_rules
from ipse.decision.values import JsonValue, is_list


def check(value: JsonValue) -> tuple[GraphProblem, ...]:
    """Return all problems of a graph in JSON form: first its shape, then its meaning."""
    try:
        graph = read_graph(value)
    except InvalidGraph as error:
        return error.problems
    return validate(graph)


def validate(graph: WorkflowGraph) -> tuple[GraphProblem, ...]:
    """Return every problem of ``graph`` in a stable order; none means that it can be published.

    A valid graph ends on every path, whatever the evidence: evaluation never falls back.
    """
    if graph.start_node not in graph.nodes:
        message = f"The start node '{graph.start_node}' does not exist."
        return (GraphProblem(graph.start_node or None, "missing_start", message),)
    problems = [*_exits(graph), *_reach(graph)]
    for node in graph.nodes.values():
        match node:
            case FeatureNode():
                problems.extend(_feature(node))
            case BranchNode():
                problems.extend(_branches(node))
            case AbSplitNode():
                problems.extend(_variants(node))
    cycle = find_cycle(graph)
    if cycle:
        path = " -> ".join((*cycle, cycle[0]))
        problems.append(GraphProblem(cycle[0], "cycle", f"The graph runs in a circle: {path}."))
    else:
        problems.extend(_order(graph, upstream_of(graph)))
    return tuple(problems)


def _exits(graph: WorkflowGraph) -> Iterator[GraphProblem]:
    for node in graph.nodes.values():
        for target in dict.fromkeys(node.exits):
            if target is None:
                yield GraphProblem(
                    node.id, "dead_end", f"Node '{node.id}' leads nowhere; every path ends in a status node."
                )
            elif target not in graph.nodes:
                yield GraphProblem(
                    node.id, "unknown_goto", f"Node '{node.id}' leads to '{target}', which does not exist."
                )


def _reach(graph: WorkflowGraph) -> Iterator[GraphProblem]:
    reached = {node.id: node for node in graph.walk()}
    for node_id in graph.nodes:
        if node_id not in reached:
            yield GraphProblem(node_id, "unreachable", f"No path leads to node '{node_id}'.")
    if not any(isinstance(node, StatusNode) for node in reached.values()):
        yield GraphProblem(None, "no_status_node", "No path reaches a status node.")


def _feature(node: FeatureNode) -> Iterator[GraphProblem]:
    yield from read_config(node.feature, node.config, node.id).problems
    rules = node.config.get(STATUS_RULES)
    if rules is not None and not is_list(rules):
        yield GraphProblem(node.id, "bad_status_rule", f"The status rules of '{node.id}' are not a list.")
    yield from read_rules(node.config, node.id)[1]
    if node.feature is Feature.QUESTIONNAIRE and not node.config.get("questionnaire_uuid"):
        yield GraphProblem(node.id, "bad_config", f"Node '{node.id}' needs 'questionnaire_uuid' in its config.")


def _repeated(ids: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(ids).items() if count > 1]


def _branches(node: BranchNode) -> Iterator[GraphProblem]:
    if not node.branches:
        yield GraphProblem(node.id, "no_branches", f"Branch node '{node.id}' has no branches.")
        return
    catch_all = sum(1 for branch in node.branches if not branch.rules)
    if catch_all == 0:
        yield GraphProblem(node.id, "no_else", f"Branch node '{node.id}' has no else branch (one without rules).")
    if catch_all > 1:
        yield GraphProblem(node.id, "several_elses", f"Branch node '{node.id}' has more than one else branch.")
    for name in _repeated(branch.id for branch in node.branches):
        yield GraphProblem(node.id, "repeated_id", f"Node '{node.id}' has two branches named '{name}'.")
    for branch in node.branches:
        for rule in branch.rules:
            yield from _rule(node.id, rule)


def _rule(node_id: str, rule: Rule) -> Iterator[GraphProblem]:
    path = parse_path(rule.field)
    definition = None if path is None else definition_of(path)
    if definition is None:
        yield GraphProblem(node_id, "unknown_field", f"Node '{node_id}' asks for unknown field '{rule.field}'.")
        return
    if rule.operator not in OPERATORS[definition.type]:
        yield GraphProblem(
            node_id,
            "unfit_operator",
            f"Node '{node_id}': '{rule.operator}' does not fit '{rule.field}' of type {definition.type}.",
        )
        return
    if rule.operator is Operator.REGEX:
        problem = pattern_problem(rule.value)
        if problem is not None:
            yield GraphProblem(node_id, "bad_regex", f"Node '{node_id}', field '{rule.field}': {problem}")
        return
    wanted = _wanted_value(rule, definition.type)
    if wanted is not None:
        yield GraphProblem(node_id, "bad_value", f"Node '{node_id}': the value for '{rule.field}' must be {wanted}.")


def _wanted_value(rule: Rule, kind: FieldType) -> str | None:
    """Say what a rule's value should have been; None if it is usable."""
    if rule.operator in (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY):
        return None
    if rule.operator in (Operator.IN, Operator.NOT_IN):
        return None if is_list(rule.value) else "a list"
    if rule.value is None or is_list(rule.value) or isinstance(rule.value, Mapping):
        return "a single value"
    if kind is FieldType.NUMBER and not _is_number(rule.value):
        return "a number"
    if kind in (FieldType.TEXT, FieldType.DATE) and not isinstance(rule.value, str):
        return "text"
    return None


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return not isinstance(value, bool)


def _variants(node: AbSplitNode) -> Iterator[GraphProblem]:
    if len(node.variants) < 2:
        yield GraphProblem(node.id, "too_few_variants", f"A/B split '{node.id}' needs at least two variants.")
    if any(variant.weight < 0 for variant in node.variants) or not any(v.weight > 0 for v in node.variants):
        yield GraphProblem(
            node.id, "bad_weights", f"A/B split '{node.id}' needs weights of 0 or more, at least one above 0."
        )
    for name in _repeated(variant.id for variant in node.variants):
        yield GraphProblem(node.id, "repeated_id", f"Node '{node.id}' has two variants named '{name}'.")


def _order(graph: WorkflowGraph, upstream: Mapping[str, Upstream]) -> Iterator[GraphProblem]:
    """Check what needs to have run before, on the paths of an acyclic graph."""
    for node in graph.walk():
        before = upstream[node.id]
        if isinstance(node, FeatureNode):
            needed = PRODUCERS.get(node.feature)
            if needed is not None and not needed & before.certain:
                yield GraphProblem(
                    node.id,
                    "missing_producer",
                    f"Node '{node.id}': {one_of(needed)} must come before {node.feature} on every path.",
                )
        if isinstance(node, BranchNode):
            for branch in node.branches:
                for rule in branch.rules:
                    yield from _produced(graph, node, rule, before)


def _produced(graph: WorkflowGraph, node: BranchNode, rule: Rule, before: Upstream) -> Iterator[GraphProblem]:
    path = parse_path(rule.field)
    if path is None or path.feature is None:
        return
    if path.node_id is not None:
        source = graph.nodes.get(path.node_id)
        fits = isinstance(source, FeatureNode) and source.feature is path.feature and source.id in before.nodes
        if not fits:
            yield GraphProblem(
                node.id,
                "field_not_produced",
                f"Node '{node.id}': no {path.feature} node '{path.node_id}' comes before the field '{rule.field}'.",
            )
    elif path.feature not in before.possible:
        yield GraphProblem(
            node.id,
            "field_not_produced",
            f"Node '{node.id}': no {path.feature} node comes before the field '{rule.field}'.",
        )
