"""The request bodies in the OpenAPI document. The forms are read by hand, so they are described by hand."""

from __future__ import annotations

from typing import Any, Final

_IMAGE: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_PERCENT: Final[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": 100}
_SHARED: Final[dict[str, Any]] = {
    "rotate_image": {
        "type": "boolean",
        "default": False,
        "description": "Try the picture in all four directions and use the one with an upright face.",
    },
    "save_api_request": {
        "type": "boolean",
        "default": True,
        "description": "Keep the call as a session whose id is request_id, with pictures and a webhook. "
        "false: nothing is stored.",
    },
    "vendor_data": {"type": "string", "maxLength": 256, "description": "Your own id of the person."},
    "metadata": {
        "type": "string",
        "contentMediaType": "application/json",
        "description": "A JSON object written as text.",
        "example": '{"trigger": "login"}',
    },
}
PICTURE: Final = "JPEG, PNG, WebP or TIFF, at most 5 MB. Several faces: the largest is used."


def form(required: tuple[str, ...], **fields: dict[str, Any]) -> dict[str, Any]:
    """Return ``openapi_extra`` for a multipart form with the shared fields and these."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "required": list(required), "properties": {**fields, **_SHARED}}
                }
            },
        }
    }


def image(description: str) -> dict[str, Any]:
    """A file part."""
    return {**_IMAGE, "description": f"{description} {PICTURE}"}


def percent(description: str, default: float | None = None) -> dict[str, Any]:
    """A number from 0 to 100."""
    return {**_PERCENT, "description": description, **({} if default is None else {"default": default})}
