"""``ipse keys``: see and change the encryption keys. A key itself is never shown, a new master key only when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.progress import MofNCompleteColumn

from ipse.app import build_services, close_services
from ipse.audit.service import record_installation
from ipse.cli import logs, output
from ipse.cli.bars import Bars
from ipse.cli.failure import EXIT_USAGE, CommandError
from ipse.clock import SystemClock
from ipse.jobs import key_rotation
from ipse.jobs.key_rotation import Rotation
from ipse.security import keysets
from ipse.security.keyring import KeyRing, Ring
from ipse.security.master_key_change import MasterKeyChange, change_master_key, move_master_key
from ipse.settings import Settings
from ipse.step_up import signing_keys
from ipse.storage.database import Database


def show(*, as_json: bool) -> None:
    """Show both rings."""
    settings = _settings()
    facts = [
        {
            "ring": ring.ring.value,
            "version": ring.version,
            "seals_with": _hex(ring.primary_key_id),
            "opens_with": [_hex(key_id) for key_id in ring.key_ids],
            "master_key": _origin(settings, ring.ring),
        }
        for ring in asyncio.run(_rings(settings))
    ]
    if as_json:
        output.print_json(facts)
        return
    for fact in facts:
        output.print_facts([(name.replace("_", " "), _text(value)) for name, value in fact.items()])
        output.say()


def rotate(ring: str, *, wait: bool, as_json: bool) -> None:
    """Add a key to one or both rings and seal again what the old ones sealed."""
    settings = _settings()
    chosen = list(Ring) if ring == "all" else [Ring(ring)]
    if wait:
        output.note(f"Each new key first waits {keysets.SETTLE_SECONDS} s, until every process has loaded it.")
    done = asyncio.run(_rotate(settings, chosen, wait=wait, visible=not as_json))
    if as_json:
        output.print_json(
            [
                {"ring": one.ring.value, "version": one.version, "key_id": _hex(one.key_id), "moved": dict(one.moved)}
                for one in done
            ]
        )
        return
    for one in done:
        moved = ", ".join(f"{count} {name}" for name, count in one.moved.items())
        output.say(f"{one.ring} ring: key {_hex(one.key_id)} seals now; sealed again: {moved}.")


def rotate_signing(*, compromised: bool, as_json: bool) -> None:
    """Replace the key that signs verdicts."""
    kid = asyncio.run(_rotate_signing(_settings(), compromised=compromised))
    if as_json:
        output.print_json({"kid": kid, "compromised": compromised})
        return
    output.say(f"Verdicts are signed with key {kid} now.")
    output.say(
        "The old keys are gone; verifiers that keep the published set may believe them for 5 minutes more."
        if compromised
        else "The old key stays published until the last verdict it signed has expired."
    )


def new_master(ring: str, *, to_uri: str | None, as_json: bool) -> None:
    """Wrap a ring with a new master key, or with a key of a key-management service."""
    if ring == "all":
        raise CommandError("Name one ring: ordinary or biometric. Their master keys are to stay apart.", EXIT_USAGE)
    settings = _settings()
    change = asyncio.run(_change_master(settings, Ring(ring), to_uri))
    if as_json:
        file = None if change.path is None else str(change.path)
        output.print_json({"ring": ring, "file": file, "uri": change.uri, "in_effect": change.in_effect})
    elif change.uri is not None:
        output.say(f"The {ring} ring is wrapped by {change.uri}.")
        if not change.in_effect:
            output.say(f"Set IPSE_{ring.upper()}_MASTER_KEY_URI to it and restart every process; none starts without.")
    elif change.in_effect:
        output.say(f"The {ring} ring is wrapped by a new master key, {change.path}.")
        output.say("The old one lies beside it with the suffix .previous: delete it when no backup needs it any more.")
    else:
        output.say(f"The {ring} ring is wrapped by a new master key; it lies in {change.path}.")
        output.say(
            f"Move it into your secret store as IPSE_{ring.upper()}_MASTER_KEY, restart every process, delete the file."
        )


async def _rings(settings: Settings) -> tuple[KeyRing, KeyRing]:
    database = Database(settings.resolved_database_url)
    try:
        return await keysets.load_rings(database, keysets.load_master_keys(settings), SystemClock())
    finally:
        await database.close()


async def _rotate(settings: Settings, rings: Sequence[Ring], *, wait: bool, visible: bool) -> list[Rotation]:
    services = await build_services(settings, load_faces=False)
    settle = asyncio.sleep if wait else _at_once
    try:
        with Bars(MofNCompleteColumn(), visible=visible) as bars:
            return [await key_rotation.rotate(services, ring, progress=bars.report, settle=settle) for ring in rings]
    finally:
        await close_services(services)


async def _rotate_signing(settings: Settings, *, compromised: bool) -> str:
    services = await build_services(settings, load_faces=False)
    try:
        async with services.database.writing() as tx:
            return (await signing_keys.rotate(tx, services, compromised=compromised)).kid
    finally:
        await close_services(services)


async def _at_once(_seconds: float) -> None:
    """No other process shares the database."""


async def _change_master(settings: Settings, ring: Ring, to_uri: str | None) -> MasterKeyChange:
    services = await build_services(settings, load_faces=False)  # holds the rings open across the change
    try:
        if to_uri is not None:
            change = await move_master_key(settings, services.database, ring, to_uri)
        else:
            change = await change_master_key(settings, services.database, ring)
        async with services.database.writing() as tx:
            await record_installation(
                services,
                tx,
                "master_key.changed",
                object_type="key_ring",
                object_id=ring.value,
                details={"managed": change.uri is not None, "versions": change.versions},
            )
        return change
    finally:
        await close_services(services)


def _origin(settings: Settings, ring: Ring) -> str:
    if ring in keysets.rings_on_files(settings):
        return str(keysets.master_key_path(settings.data_dir, ring))
    return keysets.managed_uri(settings, ring) or "configured"


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _hex(key_id: int) -> str:
    return f"{key_id:08x}"


def _settings() -> Settings:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    if not settings.database_url and not (settings.data_dir / "ipse.sqlite3").exists():
        raise CommandError(f"There is no installation in {settings.data_dir}. Run `ipse init` first.")
    return settings
