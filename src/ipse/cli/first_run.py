"""``ipse init``, and what ``ipse serve`` says on a fresh installation."""

from __future__ import annotations

import asyncio

from ipse.accounts.first_run import FirstRun, LocalApplication, create_local_organization, issue_local_key
from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.runtime.application import Mode
from ipse.settings import Settings


def init(new_key: str | None, *, as_json: bool) -> None:
    """Create what is missing; say what exists; never show a secret twice."""
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    run, issued = asyncio.run(_init(settings, Mode(new_key) if new_key else None))
    if as_json:
        output.print_json(as_facts(run, issued))
        return
    describe(run)
    if issued is not None:
        output.say(f"New {issued.mode} key: {issued.api_key}")
        output.say("It is shown only here. Keep it where your application reads its secrets.")
    elif not run.created:
        output.say("Keys are stored hashed. Lost one? `ipse init --new-key sandbox` issues another.")


async def _init(settings: Settings, new_key: Mode | None) -> tuple[FirstRun, LocalApplication | None]:
    services = await build_services(settings, load_faces=False)
    try:
        run = await create_local_organization(services)
        issued = await issue_local_key(services, new_key) if new_key is not None else None
    finally:
        await close_services(services)
    return run, issued


def describe(run: FirstRun) -> None:
    """Show the organisation and its applications; keys only when this run made them."""
    output.say(f"{run.organization_name} ({'created' if run.created else 'exists'})")
    for one in run.applications:
        output.say(f"  {one.mode.value:<8} application {one.id}")
        shown = one.api_key or ", ".join(f"{prefix}…" for prefix in one.key_prefixes) or "none"
        output.say(f"           {'key' if run.created else 'keys begin with'} {shown}")
    if run.created:
        output.say("The keys are shown only here. Keep them where your application reads its secrets.")


def as_facts(run: FirstRun, issued: LocalApplication | None = None) -> dict[str, object]:
    """The same for programs."""
    facts: dict[str, object] = {
        "created": run.created,
        "organization": {"uuid": run.organization_id, "name": run.organization_name},
        "applications": [_application(one) for one in run.applications],
    }
    if issued is not None:
        facts["new_key"] = _application(issued)
    return facts


def _application(one: LocalApplication) -> dict[str, object]:
    return {
        "uuid": one.id,
        "name": one.name,
        "mode": one.mode.value,
        "api_key": one.api_key,
        "key_prefixes": list(one.key_prefixes),
    }
