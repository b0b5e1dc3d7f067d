"""From what a client sends to a list of features: aliases, flat flags, threshold names of the seeds.

Source: contract 20 section 6 (flat flags with ``workflow_type``) and 90 E1-E6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ipse.decision.config import KEYS, read_config
from ipse.decision.features import WORKFLOW_FEATURES, Feature, parse_feature
from ipse.decision.graph import FeatureNode, WorkflowGraph
from ipse.decision.simple import SimpleFeature, node_ids, ordering_problems, straight_graph
from ipse.decision.validation import validate
from ipse.decision.values import JsonValue
from ipse.edge.errors import FieldErrors
from ipse.workflows.errors import InvalidFeatures

FLAGS: Final[Mapping[str, Feature]] = {
    "is_id_verification_enabled": Feature.OCR,
    "is_nfc_enabled": Feature.NFC,
    "is_liveness_enabled": Feature.LIVENESS,
    "is_face_match_enabled": Feature.FACE_MATCH,
    "is_age_estimation_enabled": Feature.AGE_ESTIMATION,
    "is_proof_of_address_enabled": Feature.PROOF_OF_ADDRESS,
    "is_phone_verification_enabled": Feature.PHONE_VERIFICATION,
    "is_email_verification_enabled": Feature.EMAIL_VERIFICATION,
    "is_database_validation_enabled": Feature.DATABASE_VALIDATION,
    "is_aml_enabled": Feature.AML,
    "is_ip_analysis_enabled": Feature.IP_ANALYSIS,
}
"""Flat flags, in the order in which the features then run."""

_BY_TYPE: Final[Mapping[str, frozenset[Feature]]] = {
    "kyc": frozenset({Feature.OCR, Feature.LIVENESS, Feature.FACE_MATCH}),
    "biometric_authentication": frozenset({Feature.LIVENESS}),
    "adaptive_age_verification": frozenset({Feature.AGE_ESTIMATION}),
    "address_verification": frozenset({Feature.PROOF_OF_ADDRESS}),
    "email_verification": frozenset({Feature.EMAIL_VERIFICATION}),
    "phone_verification": frozenset({Feature.PHONE_VERIFICATION}),
}
"""What a ``workflow_type`` runs before its flags add or remove features."""

_SEED_THRESHOLDS: Final = frozenset({"review_threshold", "decline_threshold"})
_ITEM_KEYS: Final = frozenset({"feature", "config", "label"})
_MAX_LABEL: Final = 100


def simple_graph(features: Sequence[SimpleFeature]) -> WorkflowGraph:
    """Return the straight graph of ``features``; raise InvalidFeatures with every problem."""
    problems = list(ordering_problems(features))
    for node_id, item in zip(node_ids([item.feature for item in features]), features, strict=True):
        problems.extend(problem.message for problem in read_config(item.feature, item.config, node_id).problems)
        if item.feature is Feature.QUESTIONNAIRE:
            problems.append("QUESTIONNAIRE needs config.questionnaire_uuid of a questionnaire that exists.")
    graph = straight_graph(features)
    if not problems:
        problems.extend(problem.message for problem in validate(graph))
    if problems:
        raise InvalidFeatures(problems)
    return graph


def read_features(items: Sequence[Any]) -> list[SimpleFeature]:
    """Read the ``features`` array; raise InvalidFeatures naming the item by its position."""
    features: list[SimpleFeature] = []
    problems: list[str] = []
    for position, item in enumerate(items, 1):
        read = _read_item(item)
        if isinstance(read, str):
            problems.append(f"Item {position}: {read}")
        else:
            features.append(read)
    if problems:
        raise InvalidFeatures(problems)
    return features


def _read_item(item: Any) -> SimpleFeature | str:
    entry: Any = {"feature": item} if isinstance(item, str) else item
    if not isinstance(entry, Mapping):
        return "it is not an object."
    name = entry.get("feature")
    feature = parse_feature(name) if isinstance(name, str) else None
    if feature is None or feature not in WORKFLOW_FEATURES:
        return f'"{name}" is not a valid choice.' if name is not None else "feature is required."
    config = entry.get("config")
    if config is not None and not isinstance(config, Mapping):
        return "config is not an object."
    label = entry.get("label")
    if label is not None and (not isinstance(label, str) or len(label) > _MAX_LABEL):
        return f"label is not text of at most {_MAX_LABEL} characters."
    beside = {key: value for key, value in entry.items() if key not in _ITEM_KEYS}
    return SimpleFeature(feature, {**beside, **(config or {})}, label)


def features_of_flags(body: Mapping[str, Any]) -> list[SimpleFeature] | None:
    """Build the list from ``workflow_type`` and flat flags; None where the body has neither.

    Raises FieldErrors for a ``workflow_type`` that flags cannot build.
    """
    kind = body.get("workflow_type")
    flagged = {feature: body[flag] is True for flag, feature in FLAGS.items() if flag in body}
    if kind is None and not any(flagged.values()):
        return None
    if kind is None:
        kind = "kyc" if flagged.get(Feature.OCR) or flagged.get(Feature.NFC) else "biometric_authentication"
    if not isinstance(kind, str) or kind not in _BY_TYPE:
        raise FieldErrors({"workflow_type": [f"Use features, or one of: {', '.join(sorted(_BY_TYPE))}."]})
    included = {feature for feature in _BY_TYPE[kind] if flagged.get(feature, True)}
    included |= {feature for feature, wanted in flagged.items() if wanted}
    return [SimpleFeature(feature) for feature in FLAGS.values() if feature in included]


def with_flat_settings(graph: WorkflowGraph, flat: Mapping[str, JsonValue], *, override: bool) -> WorkflowGraph:
    """Put top-level configuration keys into the nodes that know them.

    ``override`` decides whether they win over what a node already says. Raises FieldErrors naming
    the key whose value cannot be used.
    """
    nodes = dict(graph.nodes)
    problems: dict[str, list[str]] = {}
    for node_id, node in graph.nodes.items():
        if not isinstance(node, FeatureNode):
            continue
        config = dict(node.config)
        for name, value in flat.items():
            if not _belongs(name.lower(), node.feature):
                continue
            read = read_config(node.feature, {name: value}, node_id)
            if read.problems:
                problems.setdefault(name, []).extend(problem.message for problem in read.problems)
            for key, stored in read.values.items():
                if override or key not in config:
                    config[key] = stored
        together = read_config(node.feature, config, node_id).problems
        if together and not problems:
            raise InvalidFeatures([problem.message for problem in together])
        nodes[node_id] = replace(node, config=config)
    if problems:
        raise FieldErrors(problems)
    return WorkflowGraph(graph.start_node, nodes)


def _belongs(name: str, feature: Feature) -> bool:
    """Tell whether a top-level key configures ``feature``; the seeds' thresholds mean FACE_MATCH."""
    return name in KEYS[feature] or (feature is Feature.FACE_MATCH and name in _SEED_THRESHOLDS)


def is_understood(name: str) -> bool:
    """Tell whether a key beside the documented ones means something to us."""
    key = name.lower()
    return key == "workflow_type" or key in FLAGS or any(_belongs(key, feature) for feature in Feature)
