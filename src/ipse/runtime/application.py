"""The application on whose behalf a request or job runs: plain facts, detached from the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipse.storage.tables import ApplicationRow


class Mode(StrEnum):
    """Environment of an application; the contract's ``environment``."""

    SANDBOX = "sandbox"
    LIVE = "live"


class SandboxEngine(StrEnum):
    """How a sandbox application answers."""

    SCENARIOS = "scenarios"
    REAL = "real"


class ReferenceSource(StrEnum):
    """Which reference face an application accepts in a step-up (requirement X16)."""

    STORED_ONLY = "stored_only"
    STORED_OR_SUPPLIED = "stored_or_supplied"
    SUPPLIED_MUST_MATCH_STORED = "supplied_must_match_stored"


@dataclass(frozen=True, slots=True)
class Application:
    """Facts of one application."""

    id: str
    organization_id: str
    name: str
    mode: Mode
    sandbox_engine: SandboxEngine
    reference_source: ReferenceSource
    enroll_on_first_use: bool
    allow_private_webhooks: bool
    kyc_validity_days: int | None
    retention_days: int | None = None
    """Days after which a session is erased; None: never."""

    @property
    def answers_by_scenario(self) -> bool:
        """True when results come from sandbox scenarios and not from pixels."""
        return self.mode is Mode.SANDBOX and self.sandbox_engine is SandboxEngine.SCENARIOS

    @classmethod
    def of(cls, row: ApplicationRow) -> Application:
        """Read the facts from a row."""
        return cls(
            id=row.id,
            organization_id=row.organization_id,
            name=row.name,
            mode=Mode(row.mode),
            sandbox_engine=SandboxEngine(row.sandbox_engine),
            reference_source=ReferenceSource(row.reference_source),
            enroll_on_first_use=row.enroll_on_first_use,
            allow_private_webhooks=row.allow_private_webhooks,
            kyc_validity_days=row.kyc_validity_days,
            retention_days=row.retention_days,
        )
