"""Typed settings of the features that Ipse runs, read from a node's configuration.

Defaults are those seen in the contract (contract 50 section 1, 90 E8); actions default to the risk
catalogue, so that there is one place that says what a risk does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipse.decision.config import CaptureMethod, parse_method, read_config
from ipse.decision.features import Feature
from ipse.decision.problems import InvalidGraph
from ipse.decision.risk_catalogue import CATALOGUE
from ipse.decision.thresholds import Thresholds
from ipse.decision.values import JsonObject, as_number
from ipse.decision.warnings import Action, default_action

LIVENESS_THRESHOLDS: Final = Thresholds(decline=50.0, review=70.0)
FACE_MATCH_THRESHOLDS: Final = Thresholds(decline=40.0, review=60.0)
DEFAULT_ATTEMPTS: Final = 3
DUPLICATE_POSSIBLE: Final = 62.0
"""Similarity (0-100) from which a face may be a duplicate (contract 20 section 3)."""
DUPLICATE_CERTAIN: Final = 68.0
"""Similarity (0-100) from which a face is a duplicate."""
DEFAULT_MINIMUM_AGE: Final = 18


class _Values:
    """Typed access to the stored form of one node's configuration."""

    def __init__(self, feature: Feature, config: JsonObject, node_id: str) -> None:
        read = read_config(feature, config, node_id)
        if read.problems:
            raise InvalidGraph(read.problems)
        self._values = read.values

    def number(self, key: str) -> float | None:
        return as_number(self._values.get(key))

    def whole(self, key: str, default: int) -> int:
        value = self.number(key)
        return default if value is None else int(value)

    def truth(self, key: str, default: bool) -> bool:
        value = self._values.get(key)
        return value if isinstance(value, bool) else default

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        return value if isinstance(value, str) else None

    def table(self, key: str) -> JsonObject:
        value = self._values.get(key)
        return value if isinstance(value, Mapping) else {}

    def actions(self) -> Mapping[str, Action]:
        read = {key: Action.parse(value) for key, value in self._values.items() if key.endswith("_action")}
        return {key: action for key, action in read.items() if action is not None}

    def thresholds(self, prefix: str, default: Thresholds) -> Thresholds:
        """Return the pair; a single given side pushes the default of the other one out of its way."""
        decline = self.number(f"{prefix}_decline_threshold")
        review = self.number(f"{prefix}_review_threshold")
        if decline is None:
            decline = default.decline if review is None else min(default.decline, review)
        if review is None:
            review = max(default.review, decline)
        return Thresholds(decline, review)

    def optional_thresholds(self, prefix: str) -> Thresholds | None:
        """Return the pair where the node sets at least one side; a missing side is switched off."""
        decline = self.number(f"{prefix}_decline_threshold")
        review = self.number(f"{prefix}_review_threshold")
        if decline is None and review is None:
            return None
        low = 0.0 if decline is None else decline
        return Thresholds(low, low if review is None else review)


@dataclass(frozen=True)
class FeatureConfig:
    """What all features share: the actions a node sets, by configuration key."""

    actions: Mapping[str, Action]

    def action(self, risk: str, key: str | None = None) -> Action:
        """Return the action for ``risk``: the node's, else the catalogue's default.

        ``key`` names the configuration key where the catalogue's own does not apply.
        """
        name = key or (CATALOGUE[risk].config_key if risk in CATALOGUE else None)
        if name is not None and name in self.actions:
            return self.actions[name]
        return default_action(risk)


@dataclass(frozen=True)
class LivenessConfig(FeatureConfig):
    """Settings of a LIVENESS node (and of the liveness part of AGE_ESTIMATION)."""

    method: CaptureMethod
    thresholds: Thresholds
    quality: Thresholds | None
    """None: face quality is measured but has no effect."""
    luminance_min: float | None
    luminance_max: float | None
    max_attempts: int
    face_search_enabled: bool
    """Off: no 1:N search and no template is stored."""
    duplicate_possible: float
    duplicate_certain: float
    flash_mode: str | None
    handoff_allowed: bool
    """Off: the person must finish on the device on which the session was opened."""
    alternative_url: str | None
    """Where a person goes who wants to show no face: the equal way that EN 301 549 asks for."""

    @classmethod
    def read(cls, config: JsonObject, node_id: str, *, feature: Feature = Feature.LIVENESS) -> LivenessConfig:
        """Read the settings of a node; raise InvalidGraph naming it when a value is unusable."""
        values = _Values(feature, config, node_id)
        possible, certain = _duplicate_bands(values.table("race_map_similarity_thresholds"))
        return cls(
            actions=values.actions(),
            method=parse_method(values.text("face_liveness_method")) or CaptureMethod.PASSIVE,
            thresholds=values.thresholds("face_liveness_score", LIVENESS_THRESHOLDS),
            quality=values.optional_thresholds("face_quality"),
            luminance_min=values.number("face_luminance_min_threshold"),
            luminance_max=values.number("face_luminance_max_threshold"),
            max_attempts=values.whole("face_liveness_max_attempts", DEFAULT_ATTEMPTS),
            face_search_enabled=values.truth("face_search_enabled", True),
            duplicate_possible=possible,
            duplicate_certain=certain,
            flash_mode=values.text("face_liveness_flash_mode"),
            handoff_allowed=values.truth("handoff_allowed", True),
            alternative_url=values.text("non_biometric_alternative_url"),
        )


@dataclass(frozen=True)
class FaceMatchConfig(FeatureConfig):
    """Settings of a FACE_MATCH node."""

    thresholds: Thresholds
    max_attempts: int

    @classmethod
    def read(cls, config: JsonObject, node_id: str) -> FaceMatchConfig:
        """Read the settings of a node; raise InvalidGraph naming it when a value is unusable."""
        values = _Values(Feature.FACE_MATCH, config, node_id)
        return cls(
            actions=values.actions(),
            thresholds=values.thresholds("face_match_score", FACE_MATCH_THRESHOLDS),
            max_attempts=values.whole("face_match_max_attempts", DEFAULT_ATTEMPTS),
        )


@dataclass(frozen=True)
class IpAnalysisConfig(FeatureConfig):
    """Settings of an IP_ANALYSIS node."""

    geofencing_enabled: bool
    geofencing_by_country: JsonObject
    """ISO alpha-3 country -> ``{"allowed": bool, "states": {code: {"allowed": bool}} | null}``."""

    @classmethod
    def read(cls, config: JsonObject, node_id: str) -> IpAnalysisConfig:
        """Read the settings of a node; raise InvalidGraph naming it when a value is unusable."""
        values = _Values(Feature.IP_ANALYSIS, config, node_id)
        return cls(
            actions=values.actions(),
            geofencing_enabled=values.truth("is_ip_geofencing_enabled", False),
            geofencing_by_country=values.table("ip_geofencing_by_country"),
        )


@dataclass(frozen=True)
class AgeEstimationConfig(FeatureConfig):
    """Settings of an AGE_ESTIMATION node, with those of the liveness it includes."""

    liveness: LivenessConfig
    minimum_age: int
    borderline_minimum: int | None
    borderline_maximum: int | None
    """Ages from ``borderline_minimum`` to ``borderline_maximum`` need a document or a person."""
    document_fallback: bool

    @classmethod
    def read(cls, config: JsonObject, node_id: str) -> AgeEstimationConfig:
        """Read the settings of a node; raise InvalidGraph naming it when a value is unusable."""
        values = _Values(Feature.AGE_ESTIMATION, config, node_id)
        low = values.number("borderline_minimum_age_threshold")
        high = values.number("borderline_maximum_age_threshold")
        return cls(
            actions=values.actions(),
            liveness=LivenessConfig.read(config, node_id, feature=Feature.AGE_ESTIMATION),
            minimum_age=values.whole("minimum_age_threshold", DEFAULT_MINIMUM_AGE),
            borderline_minimum=None if low is None else int(low),
            borderline_maximum=None if high is None else int(high),
            document_fallback=values.truth("enable_id_verification_fallback", False),
        )


def _duplicate_bands(table: JsonObject) -> tuple[float, float]:
    """Read ``{possible, high}``, flat or under the key ``default``; per-group maps are not used."""
    nested = table.get("default")
    bands = nested if isinstance(nested, Mapping) else table
    possible, certain = as_number(bands.get("possible")), as_number(bands.get("high"))
    return (
        DUPLICATE_POSSIBLE if possible is None else possible,
        DUPLICATE_CERTAIN if certain is None else certain,
    )
