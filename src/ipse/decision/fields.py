"""The fields that workflow rules can address, and how a path finds its value.

A path is ``root.name[.name...]`` with an optional ``@node`` either at the end or behind the root:
``kyc.issuing_state``, ``liveness.score@feature_liveness_1``, ``metadata.amount`` (contract 20
section 5). Without a node the last report of that feature on the path walked is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ipse.decision.features import FIELD_ROOTS, NAMES, Feature
from ipse.decision.operators import Operator
from ipse.decision.reports import Report
from ipse.decision.signal_catalogue import SIGNALS, SignalType
from ipse.decision.values import JsonObject, JsonValue


class FieldType(StrEnum):
    """The type of a field's value, which decides the operators that make sense."""

    NUMBER = "number"
    TEXT = "string"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"
    ANY = "any"


CONTEXT_ROOTS: Final = frozenset(
    {"session", "metadata", "expected_details", "contact_details", "reference", "signals", "action"}
)
"""First segments that address the session's context instead of a report."""

_EMPTINESS: Final = (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY)
_EQUALITY: Final = (Operator.EQUALS, Operator.NOT_EQUALS)
_MEMBERSHIP: Final = (Operator.IN, Operator.NOT_IN)
_ORDER: Final = (
    Operator.GREATER_THAN,
    Operator.GREATER_THAN_OR_EQUALS,
    Operator.LESS_THAN,
    Operator.LESS_THAN_OR_EQUALS,
)
_CONTENT: Final = (Operator.CONTAINS, Operator.NOT_CONTAINS)
_TEXTUAL: Final = (Operator.REGEX, Operator.FUZZY_MATCH)

OPERATORS: Final[Mapping[FieldType, tuple[Operator, ...]]] = {
    FieldType.NUMBER: _EQUALITY + _ORDER + _MEMBERSHIP + _EMPTINESS,
    FieldType.TEXT: _EQUALITY + _CONTENT + _MEMBERSHIP + _TEXTUAL + _EMPTINESS,
    FieldType.BOOLEAN: _EQUALITY + _EMPTINESS,
    FieldType.DATE: _EQUALITY + _ORDER + _EMPTINESS,
    FieldType.LIST: _CONTENT + _EMPTINESS,
    FieldType.ANY: tuple(Operator),
}
"""Operators that make sense per type, in the order in which an editor offers them."""


@dataclass(frozen=True)
class FieldPath:
    """A parsed path: where to look and what for."""

    root: str
    names: tuple[str, ...]
    node_id: str | None

    @property
    def feature(self) -> Feature | None:
        """The feature whose report is meant; None for the session's context."""
        return FIELD_ROOTS.get(self.root)


@dataclass(frozen=True)
class FieldDefinition:
    """One line of the field catalogue shown by the workflow editor."""

    path: str
    type: FieldType
    label: str
    feature: Feature | None
    is_prefix: bool = False
    """The path is a beginning: any further name may follow."""

    def to_json(self) -> dict[str, JsonValue]:
        """Return the definition as ``workflow-graph/field-definitions/`` lists it."""
        return {
            "field": self.path,
            "type": self.type.value,
            "label": self.label,
            "feature": self.feature.value if self.feature is not None else None,
            "operators": [operator.value for operator in OPERATORS[self.type]],
            "is_prefix": self.is_prefix,
        }


def parse_path(text: str) -> FieldPath | None:
    """Split a path; None when it has no known root, no name, or an empty segment."""
    root, dot, rest = text.partition(".")
    root, at_root, root_node = root.partition("@")
    rest, at_end, end_node = rest.partition("@")
    if not dot or (at_root and at_end) or (at_root and not root_node) or (at_end and not end_node):
        return None
    names = tuple(rest.split("."))
    if not all(names) or (root not in FIELD_ROOTS and root not in CONTEXT_ROOTS):
        return None
    node_id = root_node or end_node or None
    if node_id is not None and root in CONTEXT_ROOTS:
        return None
    return FieldPath(root, names, node_id)


def lookup(path: FieldPath, reports: Sequence[Report], context: JsonObject) -> JsonValue:
    """Return the value at ``path``, or None where nothing is known.

    ``reports`` are those of the nodes passed so far, in order. ``score``, ``status`` and
    ``warnings`` (a list of risk codes) come from the report itself, other names from its facts.
    """
    if path.feature is None:
        return _descend(context.get(path.root), path.names)
    for report in reversed(reports):
        if report.feature is path.feature and path.node_id in (None, report.node_id):
            return _descend(_report_fields(report), path.names)
    return None


def _report_fields(report: Report) -> JsonObject:
    return {
        **report.facts,
        "score": report.score,
        "status": report.status.value,
        "warnings": [warning.risk for warning in report.warnings],
    }


def _descend(value: JsonValue, names: Sequence[str]) -> JsonValue:
    for name in names:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


_N, _T, _B, _D, _L = (
    FieldType.NUMBER,
    FieldType.TEXT,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.LIST,
)

_FACTS: Final[Mapping[Feature, Mapping[str, FieldType]]] = {
    Feature.OCR: {
        "document_type": _T,
        "document_number": _T,
        "personal_number": _T,
        "issuing_state": _T,
        "nationality": _T,
        "first_name": _T,
        "last_name": _T,
        "full_name": _T,
        "gender": _T,
        "age": _N,
        "date_of_birth": _D,
        "date_of_issue": _D,
        "expiration_date": _D,
        "address": _T,
    },
    Feature.LIVENESS: {
        "method": _T,
        "face_quality": _N,
        "face_luminance": _N,
        "age_estimation": _N,
        "engine": _T,
    },
    Feature.AGE_ESTIMATION: {"age_estimation": _N, "method": _T},
    Feature.FACE_MATCH: {"source_image_session_id": _T},
    Feature.IP_ANALYSIS: {
        "ip_address": _T,
        "ip_country": _T,
        "ip_country_code": _T,
        "ip_state": _T,
        "ip_city": _T,
        "is_vpn_or_tor": _B,
        "is_data_center": _B,
        "isp": _T,
        "organization": _T,
        "time_zone": _T,
        "platform": _T,
        "device_brand": _T,
        "browser_family": _T,
        "os_family": _T,
        "device_fingerprint": _T,
        "is_known_device": _B,
        "is_trusted_device": _B,
        "is_known_network": _B,
        "is_known_country": _B,
        "is_device_reported": _B,
        "connection_type": _T,
        "is_vpn": _B,
        "is_proxy": _B,
        "is_tor": _B,
        "is_relay": _B,
        "asn": _N,
    },
    Feature.PHONE_VERIFICATION: {
        "country_code": _T,
        "full_number": _T,
        "is_disposable": _B,
        "is_virtual": _B,
    },
    Feature.EMAIL_VERIFICATION: {
        "email": _T,
        "is_breached": _B,
        "is_disposable": _B,
        "is_undeliverable": _B,
    },
    Feature.AML: {"total_hits": _N, "entity_type": _T},
    Feature.PROOF_OF_ADDRESS: {
        "document_type": _T,
        "issuing_state": _T,
        "issuer": _T,
        "issue_date": _D,
        "name_on_document": _T,
    },
    Feature.DATABASE_VALIDATION: {"match_type": _T, "issuing_state": _T},
}
_PREFIXES: Final = (
    FieldDefinition("kyc.extra_fields", FieldType.ANY, "ID document: extra fields", Feature.OCR, True),
    FieldDefinition("questionnaire.answers", FieldType.ANY, "Questionnaire: answers", Feature.QUESTIONNAIRE, True),
    FieldDefinition("metadata", FieldType.ANY, "Metadata of the session", None, True),
    FieldDefinition("action", FieldType.ANY, "Action that is authorised", None, True),
)
_CONTEXT: Final = (
    FieldDefinition("session.vendor_data", _T, "User (vendor_data)", None),
    FieldDefinition("session.language", _T, "Language of the session", None),
    FieldDefinition("session.environment", _T, "Environment (live, sandbox)", None),
    FieldDefinition("contact_details.email", _T, "Contact: mail address", None),
    FieldDefinition("contact_details.phone", _T, "Contact: phone number", None),
    FieldDefinition("reference.available", _B, "Reference face: available", None),
    FieldDefinition("reference.supplied_by", _T, "Reference face: supplied by", None),
    FieldDefinition("reference.age_days", _N, "Reference face: age in days", None),
    *(
        FieldDefinition(f"expected_details.{name}", kind, f"Expected: {name}", None)
        for name, kind in {
            "first_name": _T,
            "last_name": _T,
            "date_of_birth": _D,
            "gender": _T,
            "nationality": _T,
            "country": _T,
            "id_country": _T,
            "poa_country": _T,
            "address": _T,
            "identification_number": _T,
            "ip_address": _T,
            "expected_document_types": _L,
        }.items()
    ),
)


_OF_SIGNAL: Final = {SignalType.BOOLEAN: _B, SignalType.NUMBER: _N, SignalType.TEXT: _T, SignalType.LIST: _L}


def _feature_fields(feature: Feature) -> tuple[FieldDefinition, ...]:
    names: dict[str, FieldType] = {"status": _T, "score": _N, "warnings": _L}
    names.update(_FACTS.get(feature, {}))
    root = NAMES[feature].field_root
    return tuple(FieldDefinition(f"{root}.{name}", kind, f"{root}: {name}", feature) for name, kind in names.items())


DEFINITIONS: Final[tuple[FieldDefinition, ...]] = (
    *(definition for feature in dict.fromkeys(FIELD_ROOTS.values()) for definition in _feature_fields(feature)),
    *_PREFIXES,
    *_CONTEXT,
    *(
        FieldDefinition(f"signals.{signal.code}", _OF_SIGNAL[signal.type], f"Signal: {signal.code}", None)
        for signal in SIGNALS.values()
    ),
)
"""Every field an editor offers, in a stable order."""

_BY_PATH: Final = {definition.path: definition for definition in DEFINITIONS}


def definition_of(path: FieldPath) -> FieldDefinition | None:
    """Return the catalogue line of ``path`` (without its node), or None for an unlisted field."""
    root = NAMES[path.feature].field_root if path.feature is not None else path.root
    full = ".".join((root, *path.names))
    if full in _BY_PATH:
        return _BY_PATH[full]
    return next((line for line in _PREFIXES if full.startswith(line.path + ".")), None)
