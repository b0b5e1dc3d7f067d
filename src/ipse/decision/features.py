"""The features of a workflow and the vocabularies they travel under.

The contract uses three vocabularies side by side (contract 90 I10): the node enum in workflows,
the report names in decisions and the tags on warnings. This module is the mapping table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Feature(StrEnum):
    """One kind of check, by its node name (contract 20 section 2)."""

    OCR = "OCR"
    NFC = "NFC"
    LIVENESS = "LIVENESS"
    FACE_MATCH = "FACE_MATCH"
    PROOF_OF_ADDRESS = "PROOF_OF_ADDRESS"
    QUESTIONNAIRE = "QUESTIONNAIRE"
    DOCUMENT_AI = "DOCUMENT_AI"
    PHONE_VERIFICATION = "PHONE_VERIFICATION"
    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    DATABASE_VALIDATION = "DATABASE_VALIDATION"
    AML = "AML"
    IP_ANALYSIS = "IP_ANALYSIS"
    AGE_ESTIMATION = "AGE_ESTIMATION"
    KYB_REGISTRY = "KYB_REGISTRY"
    KYB_DOCUMENTS = "KYB_DOCUMENTS"
    KYB_KEY_PEOPLE = "KYB_KEY_PEOPLE"
    GEOLOCATION = "GEOLOCATION"
    BANK_VERIFICATION = "BANK_VERIFICATION"
    FACE_SEARCH = "FACE_SEARCH"
    """Standalone call and decision array only; no workflow node."""


@dataclass(frozen=True)
class FeatureNames:
    """The names of one feature in the contract's other vocabularies."""

    report: str
    """In ``features`` of a decision and of list rows."""
    warning_tag: str
    """``feature`` of a warning."""
    array: str
    """The decision's array that holds its items."""
    field_root: str
    """First segment of a rule's field path."""


_F = Feature

NAMES: Final[Mapping[Feature, FeatureNames]] = MappingProxyType(
    {
        _F.OCR: FeatureNames("ID_VERIFICATION", "ID_VERIFICATION", "id_verifications", "kyc"),
        _F.NFC: FeatureNames("NFC", "NFC", "nfc_verifications", "nfc"),
        _F.LIVENESS: FeatureNames("LIVENESS", "LIVENESS", "liveness_checks", "liveness"),
        _F.FACE_MATCH: FeatureNames("FACE_MATCH", "FACEMATCH", "face_matches", "face_match"),
        _F.PROOF_OF_ADDRESS: FeatureNames("POA", "PROOF_OF_ADDRESS", "poa_verifications", "poa"),
        _F.QUESTIONNAIRE: FeatureNames("QUESTIONNAIRE", "QUESTIONNAIRE", "questionnaire_responses", "questionnaire"),
        _F.DOCUMENT_AI: FeatureNames("DOCUMENT_AI", "DOCUMENT_AI", "document_ai_documents", "document_ai"),
        _F.PHONE_VERIFICATION: FeatureNames("PHONE", "PHONE", "phone_verifications", "phone"),
        _F.EMAIL_VERIFICATION: FeatureNames("EMAIL_VERIFICATION", "EMAIL", "email_verifications", "email"),
        _F.DATABASE_VALIDATION: FeatureNames(
            "DATABASE_VALIDATION",
            "DATABASE_VALIDATION",
            "database_validations",
            "database_validation",
        ),
        _F.AML: FeatureNames("AML", "AML", "aml_screenings", "aml"),
        _F.IP_ANALYSIS: FeatureNames("IP_ANALYSIS", "LOCATION", "ip_analyses", "ip_analysis"),
        _F.AGE_ESTIMATION: FeatureNames("AGE_ESTIMATION", "LIVENESS", "liveness_checks", "age_estimation"),
        _F.KYB_REGISTRY: FeatureNames("KYB_REGISTRY", "KYB_REGISTRY", "registry_checks", "kyb_registry"),
        _F.KYB_DOCUMENTS: FeatureNames("KYB_DOCUMENTS", "KYB_DOCUMENTS", "document_verifications", "kyb_documents"),
        _F.KYB_KEY_PEOPLE: FeatureNames("KYB_KEY_PEOPLE", "KYB_KEY_PEOPLE", "key_people_checks", "kyb_key_people"),
        _F.GEOLOCATION: FeatureNames("GEOLOCATION", "LOCATION", "geolocations", "geolocation"),
        _F.BANK_VERIFICATION: FeatureNames(
            "BANK_VERIFICATION", "BANK_VERIFICATION", "bank_verifications", "bank_verification"
        ),
        _F.FACE_SEARCH: FeatureNames("FACE_SEARCH", "LIVENESS", "face_searches", "face_search"),
    }
)

PERSON_ARRAYS: Final = (
    "id_verifications",
    "nfc_verifications",
    "liveness_checks",
    "face_matches",
    "phone_verifications",
    "email_verifications",
    "poa_verifications",
    "document_ai_documents",
    "aml_screenings",
    "ip_analyses",
    "database_validations",
    "questionnaire_responses",
)
"""The arrays every person decision carries, in the contract's order (contract 10 section 7)."""

FIELD_ROOTS: Final[Mapping[str, Feature]] = MappingProxyType(
    {names.field_root: feature for feature, names in NAMES.items() if feature != _F.FACE_SEARCH}
    | {"id_verification": _F.OCR}
)
"""First segments of rule fields; ``kyc`` is the contract's, ``id_verification`` the seeds'."""

WORKFLOW_FEATURES: Final = frozenset(Feature) - {_F.FACE_SEARCH}
"""Features that may stand in a workflow."""

_ALIASES: Final[Mapping[str, Feature]] = MappingProxyType(
    {
        "ID_VERIFICATION": _F.OCR,
        "OCR_BACK": _F.OCR,
        "POA": _F.PROOF_OF_ADDRESS,
        "PHONE": _F.PHONE_VERIFICATION,
        "EMAIL": _F.EMAIL_VERIFICATION,
        "FACE": _F.LIVENESS,
        "FACE_LIVENESS": _F.LIVENESS,
        "PASSIVE_LIVENESS": _F.LIVENESS,
        "FACEMATCH": _F.FACE_MATCH,
        "LOCATION": _F.IP_ANALYSIS,
        "DEVICE_IP_ANALYSIS": _F.IP_ANALYSIS,
    }
)


def parse_feature(name: str) -> Feature | None:
    """Return the feature called ``name`` (any case, node name or alias), or None if unknown."""
    key = name.strip().upper()
    if key in Feature.__members__:
        return Feature(key)
    return _ALIASES.get(key)


def report_name(feature: Feature) -> str:
    """Return the name under which decisions list the feature, for example ``ID_VERIFICATION``."""
    return NAMES[feature].report


def event_name(feature: Feature) -> str:
    """Return the name in ``?include=events``: as in reports, but ``EMAIL`` is short there."""
    return "EMAIL" if feature is Feature.EMAIL_VERIFICATION else NAMES[feature].report


def warning_tag(feature: Feature) -> str:
    """Return the ``feature`` tag its warnings carry, for example ``FACEMATCH``."""
    return NAMES[feature].warning_tag
