"""The catalogue of sandbox scenarios and the report that each gives (contract 70 sections 3 and 4).

A scenario acts only on the features it names; every other feature the workflow runs approves. Reports are a pure
function of scenario, feature and configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.settings import FaceMatchConfig, LivenessConfig
from ipse.decision.thresholds import Thresholds
from ipse.decision.values import JsonObject, JsonValue
from ipse.decision.warnings import LogType, warn
from ipse.sandbox.facts import facts_of

Category = Literal["success", "decline", "review"]

DEFAULT: Final = "approve"
"""What a session without a scenario gets."""

APPROVING_SCORE: Final = 97.0
IP_RISK_SCORE: Final = 11.0
"""The address risk of the seeds' example: low."""


@dataclass(frozen=True)
class Effect:
    """What a scenario does to one feature: a warning with this effect, and facts that fit it."""

    risk: str
    log_type: LogType
    facts: JsonObject = field(default_factory=dict)
    additional_data: JsonObject | None = None


@dataclass(frozen=True)
class Scenario:
    """One line of the catalogue."""

    slug: str
    category: Category
    description: str
    effects: Mapping[Feature, Effect]


def _decline(risk: str, *, additional_data: JsonObject | None = None, **facts: JsonValue) -> Effect:
    return Effect(risk, LogType.ERROR, facts, additional_data)


def _review(risk: str, **facts: JsonValue) -> Effect:
    return Effect(risk, LogType.WARNING, facts)


_F = Feature
_CATALOGUE: Final = (
    Scenario("approve", "success", "Everything the workflow checks is approved.", {}),
    Scenario(
        "decline_document_expired",
        "decline",
        "The identity document is out of date.",
        {_F.OCR: _decline("DOCUMENT_EXPIRED", expiration_date="2020-01-01")},
    ),
    Scenario(
        "decline_could_not_recognize_document",
        "decline",
        "The picture shows no document that can be recognised.",
        {_F.OCR: _decline("COULD_NOT_RECOGNIZE_DOCUMENT", mrz=None)},
    ),
    Scenario(
        "decline_mrz_validation",
        "decline",
        "Check digits of the machine-readable zone are wrong.",
        {_F.OCR: _decline("MRZ_VALIDATION_FAILED")},
    ),
    Scenario(
        "decline_minimum_age",
        "decline",
        "The person is younger than the workflow allows.",
        {
            _F.OCR: _decline("MINIMUM_AGE_NOT_MET", date_of_birth="2015-01-01", age=11),
            _F.AGE_ESTIMATION: _decline("AGE_BELOW_MINIMUM", age_estimation=11.0),
        },
    ),
    Scenario(
        "decline_face_match_low_similarity",
        "decline",
        "The live face is not the face of the reference.",
        {_F.FACE_MATCH: _decline("LOW_FACE_MATCH_SIMILARITY")},
    ),
    Scenario(
        "decline_liveness_attack",
        "decline",
        "The camera was shown a picture instead of a person.",
        {
            _F.LIVENESS: _decline("LIVENESS_FACE_ATTACK", additional_data={"attack_type": "replay"}),
            _F.AGE_ESTIMATION: _decline("LIVENESS_FACE_ATTACK", additional_data={"attack_type": "replay"}),
        },
    ),
    Scenario(
        "decline_aml_hit",
        "decline",
        "The person is on a sanctions list.",
        {_F.AML: _decline("AML_MATCH_CONFIRMED", total_hits=1)},
    ),
    Scenario(
        "decline_ip_blocklist",
        "decline",
        "The address of the person is on the blocklist.",
        {_F.IP_ANALYSIS: _decline("IP_ADDRESS_IN_BLOCKLIST")},
    ),
    Scenario(
        "decline_poa_address_mismatch",
        "decline",
        "The proof of address names another address.",
        {_F.PROOF_OF_ADDRESS: _decline("ADDRESS_MISMATCH_WITH_PROVIDED")},
    ),
    Scenario(
        "decline_nfc_chip_not_verified",
        "decline",
        "The signature of the document's chip is not valid.",
        {_F.NFC: _decline("NFC_CHIP_NOT_VERIFIED", authenticity={"sod_integrity": False, "dg_integrity": False})},
    ),
    Scenario(
        "decline_database_no_match",
        "decline",
        "The official database does not know the person.",
        {_F.DATABASE_VALIDATION: _decline("DATABASE_VALIDATION_NO_MATCH", match_type="no_match")},
    ),
    Scenario(
        "decline_kyb_registry_mismatch",
        "decline",
        "The data of the company differ from its registry.",
        {_F.KYB_REGISTRY: _decline("REGISTRY_MISMATCH")},
    ),
    Scenario(
        "review_aml_possible_match",
        "review",
        "The person resembles an entry of a screened list.",
        {_F.AML: _review("POSSIBLE_MATCH_FOUND", total_hits=1)},
    ),
    Scenario(
        "review_face_match_borderline",
        "review",
        "The faces are similar, but not similar enough to approve.",
        {_F.FACE_MATCH: _review("LOW_FACE_MATCH_SIMILARITY")},
    ),
    Scenario(
        "review_poa_partial_match",
        "review",
        "The proof of address agrees only in part.",
        {_F.PROOF_OF_ADDRESS: _review("ADDRESS_MISMATCH_WITH_PROVIDED")},
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({one.slug: one for one in _CATALOGUE})
"""Every scenario by slug, in the contract's order."""


class UnknownScenario(LookupError):
    """There is no scenario with this slug."""

    code = "unknown_scenario"

    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"'{slug}' is not a sandbox scenario; GET /v1/sandbox/scenarios/ lists them.")


def scenario(slug: str | None) -> Scenario:
    """Return the scenario, the approving one for None; raise UnknownScenario."""
    found = SCENARIOS.get(slug or DEFAULT)
    if found is None:
        raise UnknownScenario(slug or DEFAULT)
    return found


def report_for(
    slug: str | None, feature: Feature, node_id: str, config: JsonObject, *, media_id: str | None = None
) -> Report:
    """Return the report of ``feature`` under a scenario.

    ``config`` is the node's configuration: scores lie where its thresholds put the scenario's verdict. ``media_id``
    names the picture that was captured, if any. Raises UnknownScenario, and InvalidGraph for an unusable ``config``.
    """
    effect = scenario(slug).effects.get(feature)
    score = _score(feature, node_id, config, effect)
    facts: dict[str, JsonValue] = {**facts_of(feature), **_pictures(feature, node_id, config, media_id)}
    if effect is None:
        return report_from_warnings(feature, node_id, score=score, warnings=(), facts=facts)
    return report_from_warnings(
        feature,
        node_id,
        score=score,
        warnings=(warn(effect.risk, node_id, log_type=effect.log_type, additional_data=effect.additional_data),),
        facts={**facts, **effect.facts},
    )


def _pictures(feature: Feature, node_id: str, config: JsonObject, media_id: str | None) -> dict[str, JsonValue]:
    match feature:
        case Feature.LIVENESS | Feature.AGE_ESTIMATION:
            method = LivenessConfig.read(config, node_id, feature=feature).method
            return {"reference_media_id": media_id, "method": method.value}
        case Feature.FACE_MATCH:
            return {"target_media_id": media_id}
        case _:
            return {}


def _score(feature: Feature, node_id: str, config: JsonObject, effect: Effect | None) -> float | None:
    match feature:
        case Feature.LIVENESS | Feature.AGE_ESTIMATION:
            return _placed(LivenessConfig.read(config, node_id, feature=feature).thresholds, _liveness_effect(effect))
        case Feature.FACE_MATCH:
            return _placed(FaceMatchConfig.read(config, node_id).thresholds, effect)
        case Feature.IP_ANALYSIS:
            return 100.0 if effect is not None else IP_RISK_SCORE
        case Feature.AML:
            return {None: 0.0, LogType.WARNING: 90.0, LogType.ERROR: 100.0}[effect.log_type if effect else None]
        case Feature.DATABASE_VALIDATION:
            return 0.0 if effect is not None else 100.0
        case _:
            return None


def _liveness_effect(effect: Effect | None) -> Effect | None:
    """A scenario about age leaves the liveness of the same capture alone."""
    return effect if effect is not None and effect.risk == "LIVENESS_FACE_ATTACK" else None


def _placed(thresholds: Thresholds, effect: Effect | None) -> float:
    """A score on the side of the thresholds that the effect is about."""
    if effect is None:
        return round(max(APPROVING_SCORE, thresholds.review), 2)
    if effect.log_type is LogType.ERROR:
        return round(thresholds.decline / 2, 2)
    return round((thresholds.decline + thresholds.review) / 2, 2)
