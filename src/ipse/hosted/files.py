"""The built files of `web/`, served as they are, compressed when the browser takes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from ipse.hosted import headers

STATIC: Final = Path(__file__).with_name("static")
"""Where `make web` puts the builds: ``capture``, ``sdk`` and ``shop``."""

_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".bin": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".ts": "text/plain; charset=utf-8",
}
"""Only these leave the folder. They are spelled out because the table of the operating system differs everywhere."""

_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))

_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not built</title></head>
<body><h1>This page has not been built</h1>
<p>The server runs from a checkout without its web pages. Run <code>make web</code> and reload.</p></body></html>
"""


class HostedFiles:
    """The three builds in one folder; what is not built yet is missing, and can appear while the server runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    def shell(self, area: str, shown_with: Mapping[str, str]) -> Response:
        """Return the HTML of ``area``, the same for everybody; 503 with a remedy when it is not built."""
        try:
            text = (self._folder / area / "index.html").read_bytes()
        except OSError:
            return HTMLResponse(_NOT_BUILT, 503, {**headers.notice(), "Retry-After": "60"})
        return HTMLResponse(text, headers=dict(shown_with))

    async def file(self, request: Request, area: str, path: str, sent_with: Mapping[str, str]) -> Response:
        """Return one file of ``area``, or 304 when the browser has it.

        Raises:
            HTTPException: 404 for folders, pages, unknown kinds and whatever lies outside the folder.
        """
        content_type = _TYPES.get(PurePosixPath(path).suffix)
        if content_type is None:
            raise HTTPException(404)
        for encoding, suffix in _ENCODINGS:
            if encoding in _accepted(request.headers):
                try:
                    response = await self._files.get_response(os.path.join(area, path + suffix), request.scope)
                except HTTPException:
                    continue
                response.headers["Content-Encoding"] = encoding
                break
        else:
            response = await self._files.get_response(os.path.join(area, path), request.scope)
        response.headers["Content-Type"] = content_type
        response.headers["Vary"] = "Accept-Encoding"
        response.headers.update(sent_with)
        return response


def _accepted(received: Headers) -> set[str]:
    """Return the encodings a browser names without refusing them (``q=0``)."""
    offers = (offer.strip() for offer in received.get("accept-encoding", "").lower().split(","))
    parts = (offer.partition(";") for offer in offers)
    return {name.strip() for name, _, quality in parts if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00"}}


HOSTED_FILES: Final = HostedFiles(STATIC)


def hosted_files() -> HostedFiles:
    """Dependency: the files of this installation."""
    return HOSTED_FILES
