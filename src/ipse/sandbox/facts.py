"""The fictional person of the sandbox: what each feature's item of a decision shows (contract 10 section 7).

Everything here is invented and constant, so that a sandbox answer is the same today and in a year. Addresses and
numbers are from the ranges reserved for documentation (RFC 5737, RFC 2606, 555-01xx).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ipse.decision.features import Feature
from ipse.decision.values import JsonObject, JsonValue

FULL_NAME: Final = "Sandbox User"
DATE_OF_BIRTH: Final = "1990-01-01"
DOCUMENT_NUMBER: Final = "SANDBOX123"
AGE: Final = 30.0
"""Apparent age in years (contract 70 section 5)."""

_ADDRESS: Final = "123 Sandbox Street, Springfield, IL 62701"
_SPRINGFIELD: Final[JsonObject] = {"latitude": 39.8, "longitude": -89.65}
_PARSED_ADDRESS: Final[JsonObject] = {
    "street_1": "123 Sandbox Street",
    "street_2": None,
    "city": "Springfield",
    "region": "IL",
    "country": "US",
    "postal_code": "62701",
    "address_type": "residential",
    "label": None,
    "category": None,
    "is_verified": True,
    "document_location": _SPRINGFIELD,
    "formatted_address": _ADDRESS,
    "raw_results": {},
}
_IMAGE_QUALITY: Final[JsonObject] = {
    "focus_score": 95,
    "brightness_score": 90,
    "brightness_issue": "ok",
    "is_document_fully_visible": True,
    "resolution_score": 95,
    "overall_score": 94,
}
_MRZ: Final[JsonObject] = {
    "surname": "USER",
    "name": "SANDBOX",
    "country": "USA",
    "nationality": "USA",
    "birth_date": "900101",
    "expiry_date": "350101",
    "sex": "F",
    "document_type": "ID",
    "document_number": DOCUMENT_NUMBER,
    "optional_data": "",
    "optional_data_2": "",
    "birth_date_hash": "1",
    "expiry_date_hash": "5",
    "document_number_hash": "0",
    "final_hash": "0",
    "personal_number": "",
    "warnings": [],
    "errors": [],
    "mrz_type": "TD1",
    "mrz_string": "",
    "mrz_key": "",
}

USER_IMAGE: Final[JsonObject] = {
    "entities": [{"bbox": [200, 120, 440, 420], "confidence": 0.99, "age": AGE, "race": None}],
    "best_angle": 0,
}
"""The face that every sandbox picture is said to show."""

_FACTS: Final[Mapping[Feature, JsonObject]] = {
    Feature.LIVENESS: {
        "method": "PASSIVE",
        "video_url": None,
        "age_estimation": AGE,
        "matches": [],
        "face_quality": 90.0,
        "face_luminance": 50.0,
    },
    Feature.FACE_MATCH: {"source_image_session_id": None},
    Feature.IP_ANALYSIS: {
        "device_brand": "Apple",
        "device_model": "iPhone",
        "browser_family": "Mobile Safari",
        "os_family": "iOS",
        "platform": "mobile",
        "device_fingerprint": "fp_sandbox",
        "ip_country": "United States",
        "ip_country_code": "US",
        "ip_state": "Illinois",
        "ip_city": "Springfield",
        "latitude": 39.8,
        "longitude": -89.65,
        "ip_address": "198.51.100.7",
        "isp": "Sandbox Internet",
        "organization": "Sandbox Internet",
        "is_vpn_or_tor": False,
        "is_data_center": False,
        "time_zone": "America/Chicago",
        "time_zone_offset": "-0600",
        "ip": {"location": _SPRINGFIELD, "distance_from_id_document": None, "distance_from_poa_document": None},
        "id_document": {"location": None, "distance_from_ip": None, "distance_from_poa_document": None},
        "poa_document": {"location": None, "distance_from_ip": None, "distance_from_id_document": None},
        "matches": [],
    },
    Feature.OCR: {
        "document_type": "Identity Card",
        "document_subtype": None,
        "document_number": DOCUMENT_NUMBER,
        "personal_number": None,
        "date_of_birth": DATE_OF_BIRTH,
        "age": 36,
        "expiration_date": "2035-01-01",
        "date_of_issue": "2025-01-01",
        "issuing_state": "USA",
        "issuing_state_name": "United States",
        "first_name": "Sandbox",
        "last_name": "User",
        "full_name": FULL_NAME,
        "gender": "F",
        "address": _ADDRESS,
        "formatted_address": _ADDRESS,
        "place_of_birth": "Springfield",
        "marital_status": None,
        "nationality": "USA",
        "extra_fields": {},
        "mrz": _MRZ,
        "parsed_address": _PARSED_ADDRESS,
        "extra_files": [],
        "front_image_quality_score": _IMAGE_QUALITY,
        "back_image_quality_score": _IMAGE_QUALITY,
        "matches": [],
    },
    Feature.NFC: {
        "chip_data": {
            "document_type": "ID",
            "issuing_country": "USA",
            "document_number": DOCUMENT_NUMBER,
            "expiration_date": "2035-01-01",
            "first_name": "Sandbox",
            "last_name": "User",
            "birth_date": DATE_OF_BIRTH,
            "gender": "F",
            "nationality": "USA",
            "address": None,
            "place_of_birth": None,
        },
        "authenticity": {"sod_integrity": True, "dg_integrity": True},
        "certificate_summary": {
            "issuer": "CN=Sandbox CSCA",
            "subject": "CN=Sandbox Document Signer",
            "serial_number": "1",
            "not_valid_after": "2035-01-01",
            "not_valid_before": "2025-01-01",
        },
    },
    Feature.PHONE_VERIFICATION: {
        "phone_number_prefix": "+1",
        "phone_number": "2025550123",
        "full_number": "+12025550123",
        "country_code": "US",
        "country_name": "United States",
        "carrier": {"name": "Sandbox Mobile", "type": "mobile"},
        "is_disposable": False,
        "is_virtual": False,
        "verification_method": "sms",
        "verification_attempts": 1,
        "verified_at": None,
        "lifecycle": [],
        "matches": [],
    },
    Feature.EMAIL_VERIFICATION: {
        "email": "sandbox.user@example.com",
        "is_breached": False,
        "breaches": [],
        "is_disposable": False,
        "is_undeliverable": False,
        "verification_attempts": 1,
        "verified_at": None,
        "lifecycle": [],
        "matches": [],
    },
    Feature.PROOF_OF_ADDRESS: {
        "issuing_state": "USA",
        "document_type": "UTILITY_BILL",
        "document_subtype": "ELECTRICITY_BILL",
        "document_language": "en",
        "document_metadata": {},
        "issuer": "Sandbox Power and Light",
        "issue_date": "2026-01-01",
        "expiration_date": None,
        "poa_address": _ADDRESS,
        "poa_formatted_address": _ADDRESS,
        "poa_parsed_address": _PARSED_ADDRESS,
        "name_on_document": FULL_NAME,
        "name_match_score_expected_details": None,
        "name_match_score_id_verification": 100.0,
        "expected_details_address": None,
        "expected_details_formatted_address": None,
        "expected_details_parsed_address": None,
        "extra_fields": {},
        "extra_files": [],
    },
    Feature.AML: {
        "total_hits": 0,
        "entity_type": "person",
        "hits": [],
        "screened_data": {
            "full_name": FULL_NAME,
            "nationality": "US",
            "date_of_birth": DATE_OF_BIRTH,
            "document_number": DOCUMENT_NUMBER,
        },
        "is_ongoing_monitoring_enabled": False,
        "next_ongoing_monitoring_bill_date": None,
    },
    Feature.DATABASE_VALIDATION: {
        "issuing_state": "USA",
        "validation_type": "one_by_one",
        "screened_data": {"full_name": FULL_NAME, "date_of_birth": DATE_OF_BIRTH},
        "validations": [],
        "errors": [],
        "match_type": "full_match",
    },
}


def facts_of(feature: Feature) -> dict[str, JsonValue]:
    """The fictional facts of a feature; empty where the contract names none."""
    if feature is Feature.AGE_ESTIMATION:
        return {**_FACTS[Feature.LIVENESS], "features": [Feature.AGE_ESTIMATION.value]}
    return dict(_FACTS.get(feature, {}))
