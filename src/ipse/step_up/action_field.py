"""An action as a field of a request body: read into its canonical form, refused as ``{"action": [message]}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ipse.capture.purpose import MAX_NAME, MAX_TEXT
from ipse.step_up.actions import (
    MAX_ACCOUNT,
    MAX_DETAILS,
    MAX_LABEL,
    MAX_TYPE,
    ActionProblem,
    CanonicalAction,
    canonical,
)


def read_action(value: object) -> CanonicalAction:
    """Return the canonical form of what a client sent; one that is canonical already passes.

    Raises:
        ValueError: with the sentence for the client.
    """
    if isinstance(value, CanonicalAction):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("Send an object with a type, such as transfer.")
    try:
        return canonical(value)
    except ActionProblem as problem:
        raise ValueError(str(problem)) from problem


def _text(longest: int, description: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "description": description}


_SCHEMA: Final[dict[str, Any]] = {
    "title": "Action",
    "type": "object",
    "description": "What the person authorises. All of it is shown to them and hashed (docs/step-up.md).",
    "properties": {
        "type": _text(MAX_TYPE, "`transfer`, `payout`, … (docs/purpose.md) or words of your own."),
        "amount": {
            "anyOf": [{"type": "string"}, {"type": "number"}],
            "description": "Decimal text such as `1250.00`, above 0, at most 8 decimals.",
        },
        "currency": _text(12, "ISO 4217, or a code of up to 12 letters and digits; with `amount` only."),
        "payee": _text(MAX_NAME, "Who receives it."),
        "account": _text(MAX_ACCOUNT, "Hashed whole; the page shows the last four characters."),
        "reference": _text(MAX_TEXT, "Your reference, shown to the person."),
        "details": {
            "type": "object",
            "maxProperties": MAX_DETAILS,
            "additionalProperties": {"type": "string", "maxLength": MAX_TEXT},
            "description": f"Further lines to show: names of at most {MAX_LABEL} characters, and texts.",
        },
    },
    "required": ["type"],
    "additionalProperties": False,
    "examples": [{"type": "transfer", "amount": "1250.00", "currency": "EUR", "payee": "ACME GmbH"}],
}


class _ReadAction:
    """Tells pydantic how an action is read, and the OpenAPI document what one looks like."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(read_action)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _SCHEMA


ActionField = Annotated[CanonicalAction, _ReadAction()]
"""The type of ``action`` in a body; the validated value is a :class:`CanonicalAction`."""
