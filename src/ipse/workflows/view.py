"""Workflow versions as the contract shows them (contract 20 sections 2 and 6)."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any, Final

from ipse.decision.config import KEYS, Kind
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, WorkflowGraph
from ipse.decision.graph_json import read_graph
from ipse.decision.risk_catalogue import CATALOGUE
from ipse.decision.settings import (
    DEFAULT_ATTEMPTS,
    DEFAULT_MINIMUM_AGE,
    FACE_MATCH_THRESHOLDS,
    LIVENESS_THRESHOLDS,
)
from ipse.decision.values import JsonValue
from ipse.decision.warnings import default_action
from ipse.settings import Settings
from ipse.storage.tables import WorkflowRow, WorkflowVersionRow
from ipse.workflows.requested import FLAGS
from ipse.workflows.schemas import CreatedBy, WorkflowDetail, WorkflowItem
from ipse.workflows.versions import VersionStatus, WorkflowSettings

_DEFAULTS: Final[Mapping[str, JsonValue]] = {
    **{risk.config_key: default_action(risk.code).value for risk in CATALOGUE.values() if risk.config_key},
    "face_liveness_method": "PASSIVE",
    "face_liveness_score_decline_threshold": LIVENESS_THRESHOLDS.decline,
    "face_liveness_score_review_threshold": LIVENESS_THRESHOLDS.review,
    "face_liveness_max_attempts": DEFAULT_ATTEMPTS,
    "face_match_score_decline_threshold": FACE_MATCH_THRESHOLDS.decline,
    "face_match_score_review_threshold": FACE_MATCH_THRESHOLDS.review,
    "face_match_max_attempts": DEFAULT_ATTEMPTS,
    "face_search_enabled": True,
    "handoff_allowed": True,
    "minimum_age_threshold": DEFAULT_MINIMUM_AGE,
    "is_ip_geofencing_enabled": False,
    "is_age_restrictions_enabled": False,
}
"""What a flat key shows where no node sets it; keys without a default show null."""

_LOWER_CASE: Final = frozenset({Kind.ACTION, Kind.REVIEW_OR_DECLINE, Kind.METHOD})


def share_link(settings: Settings, workflow_id: str) -> str:
    """Return ``/u/{b64}``: the base64url of the id's 16 bytes, unpadded (contract 80 section 1)."""
    code = base64.urlsafe_b64encode(uuid.UUID(workflow_id).bytes).decode().rstrip("=")
    return f"{settings.public_url.rstrip('/')}/u/{code}"


def item(row: WorkflowVersionRow, group: WorkflowRow, *, has_draft: bool, settings: Settings) -> WorkflowItem:
    """Return a version as lists show it."""
    return WorkflowItem(**_item(row, group, has_draft, settings))


def detail(row: WorkflowVersionRow, group: WorkflowRow, *, has_draft: bool, settings: Settings) -> WorkflowDetail:
    """Return a version with its graph and every setting as a flat key."""
    own = WorkflowSettings.from_json(row.settings)
    graph = read_graph(row.graph)
    return WorkflowDetail(
        **{
            **flat_settings(graph),
            **_item(row, group, has_draft, settings),
            "workflow_graph": row.graph,
            "is_desktop_allowed": own.is_desktop_allowed,
            "callback_url": own.callback,
            "response_attributes": own.response_attributes,
        }
    )


def flat_settings(graph: WorkflowGraph) -> dict[str, JsonValue]:
    """Return every configuration key with the value in effect, and a flag per feature.

    The first node of a feature speaks for it; actions and methods are lower case here (90 E5, E6).
    """
    flat: dict[str, JsonValue] = {}
    first = _first_nodes(graph)
    for feature in (*first, *KEYS):
        config = first[feature].config if feature in first else {}
        for name, key in KEYS[feature].items():
            if name in flat:
                continue
            value = config.get(name, _DEFAULTS.get(name))
            flat[name] = value.lower() if isinstance(value, str) and key.kind in _LOWER_CASE else value
    return flat | {flag: feature in first for flag, feature in FLAGS.items()}


def _first_nodes(graph: WorkflowGraph) -> dict[Feature, FeatureNode]:
    first: dict[Feature, FeatureNode] = {}
    for node in graph.feature_nodes():
        first.setdefault(node.feature, node)
    return first


def _item(row: WorkflowVersionRow, group: WorkflowRow, has_draft: bool, settings: Settings) -> dict[str, Any]:
    own = WorkflowSettings.from_json(row.settings)
    features = [node.feature.value for node in read_graph(row.graph).feature_nodes()]
    return {
        "uuid": row.id,
        "workflow_id": row.workflow_id,
        "workflow_label": row.label,
        "workflow_type": row.workflow_type,
        "is_default": group.is_default,
        "is_archived": group.is_archived,
        "is_white_label_enabled": own.is_white_label_enabled,
        "total_price": 0.0,
        "min_price": 0.0,
        "max_price": 0.0,
        "features": " + ".join(features),
        "is_simple_workflow": row.is_simple,
        "is_editable": row.status == VersionStatus.DRAFT,
        "workflow_url": share_link(settings, row.workflow_id),
        "max_retry_attempts": own.max_retry_attempts,
        "retry_window_days": own.retry_window_days,
        "session_expiration_time": own.session_expiration_time,
        "version": row.version,
        "status": row.status,
        "has_draft": has_draft,
        "created_by": CreatedBy(**row.created_by) if row.created_by else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "published_at": row.published_at,
        "slug": group.slug,
    }
