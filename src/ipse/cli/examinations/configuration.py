"""Settings that work and yet are dangerous, and variables nobody reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ipse.cli.examinations.finding import Finding, fail, ok, warn
from ipse.settings import Settings

_FOR_COMMANDS = frozenset({"IPSE_TRACEBACK", "IPSE_WEBHOOK_SECRET", "IPSE_KEY"})


def examine(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Look at the settings."""
    yield _public_url(settings)
    yield from _unknown_variables(environment)
    if not settings.rate_limits:
        yield warn("rate limits", "off", "Set IPSE_RATE_LIMITS=true unless this is a load test on a private machine.")
    if settings.auto_verify_accounts and not settings.is_local:
        yield warn(
            "registration",
            "anyone who reaches the address gets an account",
            "Set IPSE_AUTO_VERIFY_ACCOUNTS=false and configure IPSE_SMTP_URL.",
        )
    if settings.smtp_url is None and not settings.auto_verify_accounts:
        yield ok("registration", f"codes are left in {settings.data_dir / 'verification-codes'}")


def _public_url(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        return fail("public url", settings.public_url, "Set IPSE_PUBLIC_URL to the full address people use.")
    if settings.is_local:
        return ok("public url", f"{settings.public_url}: only this machine and its network can follow links")
    if url.scheme == "http":
        return fail(
            "public url", settings.public_url, "Serve over https: browsers give no camera to pages over plain http."
        )
    return ok("public url", settings.public_url)


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    known = {f"IPSE_{name.upper()}" for name in Settings.model_fields} | _FOR_COMMANDS
    for name in sorted(environment):
        if name.startswith("IPSE_") and name.upper() not in known:
            yield warn("configuration", f"{name} is set and nothing reads it", "Compare with docs/configuration.md.")
