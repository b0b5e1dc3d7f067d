"""Ready-made workflows: step-up, step-up behind an address check, KYC and enrolment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipse.decision.features import Feature
from ipse.decision.graph import Branch, BranchNode, FeatureNode, Outcome, Rule, StatusNode, WorkflowGraph
from ipse.decision.operators import Operator
from ipse.decision.simple import SimpleFeature, straight_graph

LOW_IP_SCORE: Final = 30.0
"""Risk scores (0-100, 0 is safe) below this count as low. Our choice; the seeds call 11 low."""


@dataclass(frozen=True)
class Preset:
    """A workflow that every new application gets."""

    slug: str
    label: str
    workflow_type: str | None
    graph: WorkflowGraph


def biometric_authentication() -> WorkflowGraph:
    """Step-up: a live face, then its comparison with the enrolled one."""
    return straight_graph(
        [
            SimpleFeature(Feature.LIVENESS, {"face_liveness_method": "PASSIVE"}),
            SimpleFeature(Feature.FACE_MATCH),
        ]
    )


def enrolment() -> WorkflowGraph:
    """Liveness alone: the approved portrait becomes the person's reference face."""
    return straight_graph([SimpleFeature(Feature.LIVENESS, {"face_liveness_method": "PASSIVE"})])


def kyc() -> WorkflowGraph:
    """Document, liveness, face match and address analysis."""
    return straight_graph(
        [
            SimpleFeature(Feature.OCR),
            SimpleFeature(Feature.LIVENESS, {"face_liveness_method": "PASSIVE"}),
            SimpleFeature(Feature.FACE_MATCH),
            SimpleFeature(Feature.IP_ANALYSIS),
        ]
    )


def ip_gated_step_up() -> WorkflowGraph:
    """Approve a clean address on a trusted device at once; step up on anything else.

    Clean means a known low score, no VPN, no data centre and no warning at all. Trusted means that a
    face was approved on the device, or that the integrator vouches for it. A missing score or fact
    satisfies no rule, so it leads to the face.
    """
    clean = (
        Rule("ip_analysis.score", Operator.LESS_THAN, LOW_IP_SCORE),
        Rule("ip_analysis.status", Operator.EQUALS, "Approved"),
        Rule("ip_analysis.is_vpn_or_tor", Operator.EQUALS, False),
        Rule("ip_analysis.is_data_center", Operator.EQUALS, False),
        Rule("ip_analysis.is_trusted_device", Operator.EQUALS, True),
        Rule("ip_analysis.warnings", Operator.IS_EMPTY),
    )
    nodes = (
        FeatureNode("feature_ip_analysis", Feature.IP_ANALYSIS, next="branch_ip"),
        BranchNode(
            "branch_ip",
            (Branch("clean", clean, "status_skip"), Branch("else", (), "feature_liveness")),
        ),
        FeatureNode(
            "feature_liveness", Feature.LIVENESS, {"face_liveness_method": "PASSIVE"}, next="feature_face_match"
        ),
        FeatureNode("feature_face_match", Feature.FACE_MATCH, next="status"),
        StatusNode("status"),
        StatusNode("status_skip", Outcome.APPROVED),
    )
    return WorkflowGraph("feature_ip_analysis", {node.id: node for node in nodes})


PRESETS: Final[Mapping[str, Preset]] = {
    preset.slug: preset
    for preset in (
        Preset("wf_ato_step_up", "Step-up", "biometric_authentication", biometric_authentication()),
        Preset("wf_bio_2fa", "Biometric second factor", "biometric_authentication", biometric_authentication()),
        Preset("wf_ip_gated_step_up", "Step-up behind an address check", None, ip_gated_step_up()),
        Preset("wf_face_match_kyc", "KYC", "kyc", kyc()),
        Preset("wf_enrolment", "Enrolment", "biometric_authentication", enrolment()),
    )
}
"""The presets by slug; the slugs are those the seeds use."""
