"""The headers of everything a browser loads from here (contract 80, section 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_COMMON: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

_ONE_YEAR: Final = "public, max-age=31536000, immutable"
_ONE_HOUR: Final = "public, max-age=3600"


def page(embed_origins: Sequence[str]) -> Mapping[str, str]:
    """Headers of the capture page: it talks to its own server only and may be framed by ``embed_origins``.

    ``frame-ancestors`` alone says who may embed; ``X-Frame-Options`` could only forbid what the contract's browser SDK
    needs. WebAssembly is compiled by the face guidance. The camera is this page's own: an embedding page hands it on
    with ``allow="camera"``.
    """
    return {
        **_COMMON,
        "Content-Security-Policy": _policy(
            script_src="'self' 'wasm-unsafe-eval'", media_src="'self' blob:", frame_ancestors=" ".join(embed_origins)
        ),
        "Permissions-Policy": "camera=(self)",
        "Cache-Control": "no-cache",
        "X-Robots-Tag": "noindex",
    }


def shop() -> Mapping[str, str]:
    """Headers of the demo shop: it frames the capture page of the same origin and is framed by nobody."""
    return {
        **_COMMON,
        "Content-Security-Policy": _policy(script_src="'self'", frame_src="'self'", frame_ancestors="'none'"),
        "Permissions-Policy": "camera=(self)",
        "Cache-Control": "no-cache",
        "X-Robots-Tag": "noindex",
    }


def notice() -> Mapping[str, str]:
    """Headers of a page that only says something."""
    return {**_COMMON, "Content-Security-Policy": "default-src 'none'; frame-ancestors *", "Cache-Control": "no-store"}


def file(*, hashed: bool) -> Mapping[str, str]:
    """Headers of a file of a page; ``hashed`` names change with the content, so they may be kept for ever.

    The policy is for the worker of the face guidance: a worker obeys the headers of its own script, not its page's.
    """
    return {
        **_COMMON,
        "Content-Security-Policy": _policy(script_src="'self' 'wasm-unsafe-eval'"),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": _ONE_YEAR if hashed else _ONE_HOUR,
    }


def sdk_file() -> Mapping[str, str]:
    """Headers of the browser SDK, which pages of any origin load as a script or as a module."""
    return {
        **_COMMON,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": _ONE_HOUR,
    }


def brand_image() -> Mapping[str, str]:
    """Headers of an uploaded logo: its address holds its digest, and it is never more than a picture."""
    return {
        **_COMMON,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": _ONE_YEAR,
    }


def _policy(**more: str) -> str:
    directives = {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
