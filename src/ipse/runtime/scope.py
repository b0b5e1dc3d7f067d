"""The first argument of every repository function: a transaction *and* the application it is confined to.

Forgetting the application does not type-check, so a query cannot reach another tenant's rows by omission.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipse.runtime.application import Application
from ipse.runtime.services import Services
from ipse.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for the audit trail. ``kind`` is the contract's ``actor_type``."""

    kind: str
    display: str
    email: str | None = None


API_CLIENT = Actor("API_KEY", "API Client")
SYSTEM = Actor("SYSTEM", "System")


@dataclass(frozen=True, slots=True)
class Scope:
    """An open transaction confined to one application."""

    tx: Transaction
    application: Application
    services: Services
    actor: Actor = API_CLIENT

    @property
    def application_id(self) -> str:
        return self.application.id
