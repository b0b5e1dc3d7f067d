"""The body of a customisation: JSON, or a multipart form that brings logos along."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from ipse.branding import images
from ipse.branding.errors import UnusableImage
from ipse.branding.images import KINDS
from ipse.branding.schemas import BrandingCustomizationUpdate
from ipse.branding.service import CheckedImage
from ipse.edge.errors import ApiError, Detail
from ipse.edge.handlers import field_errors
from ipse.edge.request import parse_json

_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


async def read(request: Request) -> tuple[BrandingCustomizationUpdate, Mapping[str, CheckedImage]]:
    """Return the wanted values and the uploaded images, by name of their kind.

    Raises:
        FieldErrors: a value is malformed, or a logo cannot be shown.
        Detail: 400 for a body that is neither a JSON object nor a form; the contract knows no 415 here.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared in _FORMS:
        return await _from_form(request)
    if declared and declared != "application/json" and not declared.endswith("+json"):
        raise Detail(400, "Send JSON, or a multipart form when there are logos.")
    return _validated(await request.json()), {}


async def _from_form(request: Request) -> tuple[BrandingCustomizationUpdate, Mapping[str, CheckedImage]]:
    uploads: dict[str, CheckedImage] = {}
    values: dict[str, Any] = {}
    form = await request.form(max_files=8, max_fields=64)
    for name, value in form.items():
        if isinstance(value, str):
            values[name] = parse_json(value.encode()) if name == "texts" else value
    for kind in KINDS:
        part = form.get(kind.upload)
        if isinstance(part, UploadFile):
            content = await part.read(kind.max_bytes + 1)
            # Decoding takes up to tenths of a second: not on the loop that answers everybody.
            content_type = await asyncio.to_thread(images.check, kind, content)
            uploads[kind.name] = CheckedImage(kind, content, content_type)
        elif part is not None:
            raise UnusableImage(kind.upload, "The submitted data was not a file. Check the encoding type on the form.")
    return _validated(values), uploads


def _validated(values: Any) -> BrandingCustomizationUpdate:
    if not isinstance(values, dict):
        raise Detail(400, "The request body must be a JSON object.")
    try:
        return BrandingCustomizationUpdate.model_validate(values)
    except ValidationError as error:
        raise ApiError(400, field_errors(error.errors())) from error


def documentation() -> dict[str, Any]:
    """``openapi_extra`` of the endpoint that reads its body here."""
    schema = BrandingCustomizationUpdate.model_json_schema()
    picture = {"type": "string", "format": "binary"}
    files = {kind.upload: picture for kind in KINDS}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema},
                "multipart/form-data": {"schema": {"type": "object", "properties": files}},
            },
        }
    }
