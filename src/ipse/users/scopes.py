"""The transactions of ``/v3/users/*``: an application by its key, 401 when none is sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from ipse.edge.authentication import UsersCaller
from ipse.runtime.scope import Scope


async def _write_scope(caller: UsersCaller) -> Scope:
    return await caller.begin()


async def _read_scope(caller: UsersCaller) -> Scope:
    return await caller.read()


UsersWriteScope = Annotated[Scope, Depends(_write_scope)]
UsersReadScope = Annotated[Scope, Depends(_read_scope)]
