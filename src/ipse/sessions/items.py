"""The items of the decision arrays: every key the contract names, null where a check did not produce it.

Source of the keys: contract file 10, section 7. A report's ``facts`` fill them; image keys are filled from
media ids, because links are signed when they are shown and die after an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ipse.decision.features import NAMES, Feature
from ipse.decision.reports import Report

Link = Callable[[str], str]
"""Turns a media id into a signed URL."""

_MEDIA_SUFFIX: Final = "_media_id"

_KEYS: Final[Mapping[str, str]] = {
    "liveness_checks": ("method score reference_image video_url age_estimation matches face_quality face_luminance"),
    "face_matches": "score source_image_session_id source_image target_image",
    "ip_analyses": (
        "device_brand device_model browser_family os_family platform device_fingerprint ip_country ip_country_code "
        "ip_state ip_city latitude longitude ip_address isp organization is_vpn_or_tor is_data_center time_zone "
        "time_zone_offset ip id_document poa_document matches score"
    ),
    "id_verifications": (
        "document_type document_subtype document_number personal_number portrait_image front_image front_video "
        "back_image back_video full_front_image full_back_image front_image_camera_front back_image_camera_front "
        "date_of_birth age expiration_date date_of_issue issuing_state issuing_state_name first_name last_name "
        "full_name gender address formatted_address place_of_birth marital_status nationality extra_fields mrz "
        "parsed_address extra_files front_image_camera_front_face_match_score "
        "back_image_camera_front_face_match_score front_image_quality_score back_image_quality_score matches"
    ),
    "nfc_verifications": "portrait_image signature_image chip_data authenticity certificate_summary",
    "phone_verifications": (
        "phone_number_prefix phone_number full_number country_code country_name carrier is_disposable is_virtual "
        "verification_method verification_attempts verified_at lifecycle matches"
    ),
    "email_verifications": (
        "email is_breached breaches is_disposable is_undeliverable verification_attempts verified_at lifecycle matches"
    ),
    "poa_verifications": (
        "document_file issuing_state document_type document_subtype document_language document_metadata issuer "
        "issue_date expiration_date poa_address poa_formatted_address poa_parsed_address name_on_document "
        "name_match_score_expected_details name_match_score_id_verification expected_details_address "
        "expected_details_formatted_address expected_details_parsed_address extra_fields extra_files"
    ),
    "aml_screenings": (
        "total_hits entity_type hits score screened_data is_ongoing_monitoring_enabled "
        "next_ongoing_monitoring_bill_date"
    ),
    "database_validations": "issuing_state validation_type screened_data validations errors match_type",
    "questionnaire_responses": (
        "questionnaire_id title description languages default_language is_active is_simple_questionnaire "
        "questionnaire_group_id version published_at sections"
    ),
    "document_ai_documents": "items",
}

_LISTS: Final = frozenset(
    {
        "matches",
        "extra_files",
        "lifecycle",
        "breaches",
        "hits",
        "validations",
        "errors",
        "sections",
        "items",
        "languages",
    }
)
_OBJECTS: Final = frozenset({"extra_fields", "screened_data", "document_metadata"})


def item_of(report: Report, link: Link) -> dict[str, Any]:
    """Return the contract's item for one report."""
    item: dict[str, Any] = {"node_id": report.node_id, "status": report.status.value}
    for key in _KEYS.get(NAMES[report.feature].array, "").split():
        item[key] = [] if key in _LISTS else {} if key in _OBJECTS else None
    for key, value in report.facts.items():
        if key.endswith(_MEDIA_SUFFIX):
            if isinstance(value, str):
                item[key.removesuffix(_MEDIA_SUFFIX) + "_image"] = link(value)
        else:
            item[key] = value
    if "matches" in item:
        item["matches"] = [_match(match, link) for match in item["matches"]]
    item["score"] = report.score
    item["warnings"] = [warning.to_json() for warning in report.warnings]
    return item


def _match(match: Any, link: Link) -> Any:
    """A 1:N match with its picture linked instead of named."""
    if not isinstance(match, Mapping) or "media_id" not in match:
        return match
    shown = {key: value for key, value in match.items() if key != "media_id"}
    media_id = match["media_id"]
    return shown | {"match_image_url": link(media_id) if isinstance(media_id, str) else None}


def singular_extras(reports: list[Report], items: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The root-level objects of the integration pages: ``liveness``, ``face``, ``face_match``, ``ip_analysis``.

    The first report of each feature counts. ``similarity_score`` is ``score / 100`` (contract 90, D1, D3, D4).
    """
    first: dict[Feature, Report] = {}
    for report in reports:
        first.setdefault(report.feature, report)
    extras: dict[str, Any] = {}
    if Feature.LIVENESS in first:
        item = items["liveness_checks"][0]
        extras["liveness"] = {key: item[key] for key in ("status", "method", "score", "warnings")}
    if Feature.FACE_MATCH in first:
        item = items["face_matches"][0]
        score = item["score"]
        similarity = None if score is None else round(score / 100, 4)
        extras["face"] = {"status": item["status"], "similarity_score": similarity}
        extras["face_match"] = {key: value for key, value in item.items() if key != "node_id"} | {
            "similarity_score": similarity
        }
    if Feature.IP_ANALYSIS in first:
        item = items["ip_analyses"][0]
        extras["ip_analysis"] = {"status": item["status"], "score": item["score"], "warnings": item["warnings"]}
    return extras
