"""Features have one mapping table between the contract's three vocabularies."""

from __future__ import annotations

import pytest

from ipse.decision.features import (
    FIELD_ROOTS,
    NAMES,
    PERSON_ARRAYS,
    WORKFLOW_FEATURES,
    Feature,
    event_name,
    parse_feature,
    report_name,
    warning_tag,
)


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("OCR", Feature.OCR),
        ("ID_VERIFICATION", Feature.OCR),
        ("POA", Feature.PROOF_OF_ADDRESS),
        ("PHONE", Feature.PHONE_VERIFICATION),
        ("EMAIL", Feature.EMAIL_VERIFICATION),
        ("FACE_LIVENESS", Feature.LIVENESS),
        ("PASSIVE_LIVENESS", Feature.LIVENESS),
        (" face_match ", Feature.FACE_MATCH),
        ("LOCATION", Feature.IP_ANALYSIS),
        ("TELEPATHY", None),
        ("", None),
    ],
)
def test_feature_names_and_aliases_are_understood(name: str, feature: Feature | None) -> None:
    assert parse_feature(name) is feature


def test_every_feature_has_all_names() -> None:
    assert set(NAMES) == set(Feature)


@pytest.mark.parametrize(
    ("feature", "report", "event", "tag"),
    [
        (Feature.OCR, "ID_VERIFICATION", "ID_VERIFICATION", "ID_VERIFICATION"),
        (Feature.NFC, "NFC", "NFC", "NFC"),
        (Feature.LIVENESS, "LIVENESS", "LIVENESS", "LIVENESS"),
        (Feature.FACE_MATCH, "FACE_MATCH", "FACE_MATCH", "FACEMATCH"),
        (Feature.PROOF_OF_ADDRESS, "POA", "POA", "PROOF_OF_ADDRESS"),
        (Feature.PHONE_VERIFICATION, "PHONE", "PHONE", "PHONE"),
        (Feature.EMAIL_VERIFICATION, "EMAIL_VERIFICATION", "EMAIL", "EMAIL"),
        (Feature.AML, "AML", "AML", "AML"),
        (Feature.IP_ANALYSIS, "IP_ANALYSIS", "IP_ANALYSIS", "LOCATION"),
        (Feature.AGE_ESTIMATION, "AGE_ESTIMATION", "AGE_ESTIMATION", "LIVENESS"),
    ],
)
def test_the_three_vocabularies_follow_the_contract(feature: Feature, report: str, event: str, tag: str) -> None:
    assert (report_name(feature), event_name(feature), warning_tag(feature)) == (report, event, tag)


def test_rule_fields_and_arrays_cover_the_workflow_features() -> None:
    assert set(FIELD_ROOTS.values()) == WORKFLOW_FEATURES
    assert FIELD_ROOTS["kyc"] is Feature.OCR
    assert NAMES[Feature.FACE_MATCH].array in PERSON_ARRAYS
    assert len(PERSON_ARRAYS) == 12
