"""What ``ipse lockout`` does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.failure import CommandError
from ipse.lockout import service
from ipse.lockout.service import LockView
from ipse.runtime.application import Application, Mode
from ipse.runtime.scope import Actor, Scope
from ipse.settings import Settings
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow

T = TypeVar("T")

_OPERATOR = Actor("SYSTEM", "Operator at the command line")


def show(vendor_data: str, application: str, *, as_json: bool) -> None:
    """Print the locks of a person."""

    async def read(scope: Scope) -> list[LockView]:
        return list(await service.locks_of(scope, vendor_data))

    found = asyncio.run(_in_scope(application, read))
    if as_json:
        output.print_json([{**asdict(lock), "until": lock.until and lock.until.isoformat()} for lock in found])
    elif not found:
        output.say("Nothing has failed for this person.")
    else:
        columns = ("devices", "in a row", "last 24 h", "next try")
        output.print_table(columns, [_line(lock) for lock in found])


def lift(vendor_data: str, application: str, *, as_json: bool) -> None:
    """Lift them."""

    async def write(scope: Scope) -> int:
        return await service.lift(scope, vendor_data)

    forgotten = asyncio.run(_in_scope(application, write))
    if as_json:
        output.print_json({"forgotten": forgotten})
    else:
        output.say("This person may try again." if forgotten else "Nothing was locked.")


def _line(lock: LockView) -> tuple[str, str, str, str]:
    if lock.is_stopped:
        next_try = "not before it is lifted"
    else:
        next_try = "now" if lock.until is None else lock.until.strftime("%Y-%m-%d %H:%M:%S UTC")
    devices = "one of their own" if lock.is_own_device else "all others"
    return devices, str(lock.failures_in_a_row), str(lock.failures_today), next_try


async def _in_scope(application: str, work: Callable[[Scope], Awaitable[T]]) -> T:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    services = await build_services(settings, load_faces=False)
    try:
        async with services.database.writing() as tx:
            return await work(Scope(tx, await _named(tx, application), services, _OPERATOR))
    finally:
        await close_services(services)


async def _named(tx: Transaction, application: str) -> Application:
    try:
        named = ApplicationRow.mode == Mode(application).value
    except ValueError:
        named = ApplicationRow.id == _as_id(application)
    row = await tx.scalar(select(ApplicationRow).where(named).order_by(ApplicationRow.created_at).limit(1))
    if row is None:
        raise _unknown(application)
    return Application.of(row)


def _as_id(application: str) -> str:
    try:
        return str(UUID(application))
    except ValueError:
        raise _unknown(application) from None


def _unknown(application: str) -> CommandError:
    return CommandError(f"There is no application {application}. `ipse applications list` shows yours.")
