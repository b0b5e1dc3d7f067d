"""Addresses that a person's browser opens (contract 80, section 1).

No token is looked up and nothing is read from the database: a link preview changes nothing and learns nothing.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ipse.edge.unit import services_of
from ipse.hosted import headers
from ipse.hosted.files import HostedFiles, hosted_files
from ipse.sessions.languages import LANGUAGES

router = APIRouter(include_in_schema=False)

_READING: Final = ["GET", "HEAD"]
_HASHED: Final = "assets/"
"""Vite puts the content's hash into the names in this folder, and only there."""

Files = Annotated[HostedFiles, Depends(hosted_files)]


@router.api_route("/session/{token}", methods=_READING)
@router.api_route("/h/{token}", methods=_READING)
@router.api_route("/u/{share}", methods=_READING)
async def capture_page(request: Request, files: Files) -> Response:
    """The capture page: of a session, of the second device of a hand-off, of a shared workflow."""
    return files.shell("capture", headers.page(services_of(request).settings.embed_origins))


@router.api_route("/{language}/session/{token}", methods=_READING)
@router.api_route("/{language}/h/{token}", methods=_READING)
@router.api_route("/{language}/u/{share}", methods=_READING)
async def capture_page_in_a_language(request: Request, language: str, files: Files) -> Response:
    """The same page; it reads the language from its own address."""
    if language not in LANGUAGES:
        raise HTTPException(404)
    return await capture_page(request, files)


@router.api_route("/hosted/capture/{path:path}", methods=_READING)
async def capture_file(request: Request, path: str, files: Files) -> Response:
    """A file of the capture page."""
    return await files.file(request, "capture", path, headers.file(hashed=path.startswith(_HASHED)))


@router.api_route("/sdk/{path:path}", methods=_READING)
async def sdk_file(request: Request, path: str, files: Files) -> Response:
    """The browser SDK: ``ipse.js`` (module), ``ipse.iife.js`` (plain script), their ``device.js``, and its types."""
    return await files.file(request, "sdk", path, headers.sdk_file())


@router.api_route("/demo", methods=_READING)
@router.api_route("/demo/", methods=_READING)
async def shop_page(request: Request, files: Files) -> Response:
    """The demo shop, where the installation offers it (``IPSE_DEMO_SHOP``)."""
    if not services_of(request).settings.demo_shop:
        raise HTTPException(404)
    return files.shell("shop", headers.shop())


@router.api_route("/hosted/shop/{path:path}", methods=_READING)
async def shop_file(request: Request, path: str, files: Files) -> Response:
    """A file of the demo shop."""
    if not services_of(request).settings.demo_shop:
        raise HTTPException(404)
    return await files.file(request, "shop", path, headers.file(hashed=path.startswith(_HASHED)))
