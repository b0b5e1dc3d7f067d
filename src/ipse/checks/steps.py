"""What the step of a workflow asks of the person: attempts, capture methods, and whether it searches other faces.

Pure, so that a replay asks the same questions as the capture did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ipse.decision.config import CaptureMethod
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode
from ipse.decision.lockout import MOST_TRIES
from ipse.decision.settings import AgeEstimationConfig, FaceMatchConfig, LivenessConfig

SELFIE_FEATURES: Final = frozenset({Feature.LIVENESS, Feature.AGE_ESTIMATION})
"""Steps whose capture proves that a live person is there; a face match compares what they captured."""

_CHALLENGES: Final = (CaptureMethod.ACTIVE_3D, CaptureMethod.FLASHING)


def max_attempts(node: FeatureNode) -> int:
    """Attempts that the workflow grants at a step; 1 where the person cannot try again."""
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).max_attempts
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.max_attempts
        case Feature.FACE_MATCH:
            return FaceMatchConfig.read(node.config, node.id).max_attempts
        case _:
            return 1


def tries(attempts: Iterable[tuple[Feature, int]]) -> int:
    """Submissions that were judged, from the attempts at each step: a selfie is judged at one step that takes it."""
    made = tuple(attempts)
    of_selfies = sum(count for feature, count in made if feature in SELFIE_FEATURES)
    return max([of_selfies, *(count for feature, count in made if feature is Feature.FACE_MATCH)])


def may_try_again(node: FeatureNode, attempts: int, submissions: int) -> bool:
    """Whether a step may be repeated: ``attempts`` at it and ``submissions`` of the session were made by now."""
    return attempts < max_attempts(node) and submissions < MOST_TRIES


def method_of(node: FeatureNode) -> CaptureMethod | None:
    """How the workflow wants a step's face captured; None where no face is shown."""
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).method
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.method
        case Feature.FACE_MATCH:
            return CaptureMethod.PASSIVE
        case _:
            return None


def methods_of(node: FeatureNode) -> tuple[CaptureMethod, ...]:
    """Every method a step accepts, the workflow's own first.

    A challenge may replace another, because not everybody can turn the head or bear the light, and PASSIVE may be
    strengthened. Nothing is ever weakened to PASSIVE.
    """
    own = method_of(node)
    if own is None:
        return ()
    if node.feature not in SELFIE_FEATURES:
        return (own,)
    return (own, *(method for method in _CHALLENGES if method is not own))


def suggested_method(node: FeatureNode, failed: int, latest: CaptureMethod | None) -> CaptureMethod | None:
    """Another method that may work better after two failed tries, the latest of them by ``latest``; often None."""
    better = CaptureMethod.ACTIVE_3D
    return better if failed >= 2 and latest is not better and better in methods_of(node) else None


def searches_faces(node: FeatureNode) -> bool:
    """Whether a capture at this step is compared with other people's faces and becomes findable itself."""
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).face_search_enabled
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.face_search_enabled
        case _:
            return False
