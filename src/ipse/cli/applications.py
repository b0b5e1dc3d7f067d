"""``ipse applications``: see and change applications of this installation without an account."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from ipse.accounts import first_run
from ipse.accounts.applications import IssuedApplication
from ipse.accounts.schemas import ApplicationPatch
from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.failure import EXIT_USAGE, CommandError
from ipse.edge.errors import ApiError
from ipse.settings import Settings
from ipse.storage.tables import ApplicationRow

_SHOWN = (
    "name",
    "mode",
    "sandbox_engine",
    "reference_source",
    "enroll_on_first_use",
    "allow_private_webhooks",
    "kyc_validity_days",
    "retention_days",
)


def show(*, as_json: bool) -> None:
    """List every application of the local organisation with its settings."""
    rows = asyncio.run(_list(_settings()))
    if as_json:
        output.print_json([_facts(row) for row in rows])
        return
    for row in rows:
        output.print_facts([(name.replace("_", " "), str(value)) for name, value in _facts(row).items()])
        output.say()


def change(application: str, assignments: Sequence[str], *, as_json: bool) -> None:
    """Change settings given as ``name=value``."""
    try:
        patch = ApplicationPatch.model_validate(dict(_assignment(text) for text in assignments))
    except ValidationError as error:
        problem = error.errors()[0]
        raise CommandError(f"{problem['loc'][0]}: {problem['msg']}.", EXIT_USAGE) from error
    try:
        changed = asyncio.run(_change(_settings(), application, patch))
    except ApiError as error:
        raise CommandError(_sentence(error)) from error
    facts = {**_facts(changed.row), **({"api_key": changed.secret} if changed.secret else {})}
    if as_json:
        output.print_json(facts)
        return
    output.print_facts([(name.replace("_", " "), str(value)) for name, value in facts.items() if name != "api_key"])
    if changed.secret:
        output.say(f"The keys of the old environment are revoked. New key, shown only here: {changed.secret}")


async def _list(settings: Settings) -> Sequence[ApplicationRow]:
    services = await build_services(settings, load_faces=False)
    try:
        return await first_run.local_applications(services)
    finally:
        await close_services(services)


async def _change(settings: Settings, application: str, patch: ApplicationPatch) -> IssuedApplication:
    services = await build_services(settings, load_faces=False)
    try:
        return await first_run.change_local_application(services, application, patch)
    finally:
        await close_services(services)


def _assignment(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or name not in ApplicationPatch.model_fields:
        known = ", ".join(ApplicationPatch.model_fields)
        raise CommandError(f"{text}: write name=value with one of {known}.", EXIT_USAGE)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _facts(row: ApplicationRow) -> dict[str, Any]:
    return {"uuid": row.id, **{name: getattr(row, name) for name in _SHOWN}}


def _sentence(error: ApiError) -> str:
    if isinstance(error.body, dict):
        name, text = next(iter(error.body.items()))
        return str(text) if name == "detail" else f"{name}: {text[0] if isinstance(text, list) else text}"
    return str(error.body)


def _settings() -> Settings:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    return settings
