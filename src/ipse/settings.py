"""Every option of the service: one typed object, filled from ``IPSE_*`` environment variables.

``docs/configuration.md`` is generated from the descriptions below, so a description says what the
option does *and* what can go wrong with it.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

EmbedOrigin = Annotated[str, StringConstraints(pattern=r"^(\*|'self'|https?://[A-Za-z0-9*.:\[\]-]+)$")]
"""One source of the frame-ancestors directive; a semicolon in it could add directives of its own."""


class Settings(BaseSettings):
    """Configuration of one process. Unknown ``IPSE_*`` variables are ignored; bad values stop the start.

    Secrets may also be files named after their variable in ``$CREDENTIALS_DIRECTORY``, as systemd hands them over and
    as secrets are mounted into containers; a variable that is set wins.
    """

    model_config = SettingsConfigDict(
        env_prefix="IPSE_", frozen=True, extra="ignore", secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY") or None
    )

    data_dir: Path = Field(
        Path("var"),
        description="Folder of the embedded database, local blobs and development master keys. Whoever can read it "
        "and the master keys can read every face.",
    )
    database_url: str = Field(
        "",
        description="SQLAlchemy URL. Empty means SQLite in the data folder. PostgreSQL: postgresql+psycopg://user@host/db",
    )
    blob_url: str = Field(
        "",
        description="Where encrypted media live: empty = data folder, memory://, or s3://bucket/prefix?endpoint=…",
    )
    models_dir: Path = Field(
        Path(platformdirs.user_cache_dir("ipse")) / "models",
        description="Folder of the model files. Each is checked against the ledger by SHA-256 before it is loaded.",
    )
    intelligence_dir: Path = Field(
        Path(platformdirs.user_cache_dir("ipse")) / "intelligence",
        description="Folder of the address data (`ipse data pull`); files of your own go into `own/` in it and win. "
        "Without them addresses have no country and no operator, and rules that need those do not pass.",
    )
    face_index: str = Field(
        "memory",
        pattern="^(memory|pgvector)$",
        description="Where 1:N search looks. `memory`: exact, in every process, 1 kB a face. `pgvector`: an index in "
        "PostgreSQL, for millions; `ipse faces index build` makes it. Set it for every process of an installation.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="Address under which people and integrators reach this service; hosted and media links use it.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 exposes the service to the network.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    ordinary_master_key: SecretStr | None = Field(
        None, description="Base64 of 32 bytes that wrap the ordinary key ring. Unset: a 0600 file in the data folder."
    )
    biometric_master_key: SecretStr | None = Field(
        None,
        description="Base64 of 32 bytes that wrap the biometric key ring; keep it apart from the ordinary one. "
        "Unset: a 0600 file in the data folder. Losing it loses every face.",
    )
    ordinary_master_key_uri: str | None = Field(
        None,
        description="Key of a key-management service that wraps the ordinary key ring, instead of a key of your own: "
        "aws-kms://…, gcp-kms://… or hcvault://…. Who may use that key may read everything the ring seals.",
    )
    biometric_master_key_uri: str | None = Field(
        None,
        description="The same for the biometric key ring; name another key, with other permissions. "
        "Scheduling that key for deletion in the service loses every face.",
    )
    run_worker: bool = Field(
        True, description="Run the delivery worker and the schedules inside `ipse serve`. Off when `ipse worker` runs."
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port on which `ipse worker` serves its metrics, at the address it would listen on; 0 = none. "
        "They say nothing about anybody, but are nobody's business outside.",
    )
    inference_workers: int = Field(
        0, ge=0, le=64, description="Threads that run models; 0 = one for each core this process may use."
    )
    inference_queue: int = Field(
        64, ge=1, description="Requests that may wait for a model thread. Beyond it callers get 503 with Retry-After."
    )
    max_body_bytes: int = Field(
        60 * 2**20, ge=2**20, description="Largest request body. Uploads are held in memory, never in temporary files."
    )
    body_memory_bytes: int = Field(
        512 * 2**20,
        ge=2**20,
        description="Bytes of request bodies that one process holds at once; beyond it callers get 503. Pictures are "
        "decoded on top of it: allow twice as much memory.",
    )
    body_timeout_s: float = Field(
        120.0,
        gt=0,
        description="Seconds in which a request body must arrive, so that nobody holds memory by sending slowly.",
    )
    working_requests: int = Field(
        24,
        ge=1,
        description="Requests that one process works on at once, counted from when their body has arrived; beyond it "
        "callers get 503 with Retry-After. Higher: longer waits under overload.",
    )
    rate_limits: bool = Field(
        True, description="Enforce the contract's request limits. Off only for load tests on a private machine."
    )
    register_limit_per_hour: int = Field(5, ge=1, description="Registrations per address and hour.")
    lockout_failures_in_a_row: int = Field(
        10,
        ge=1,
        le=100,
        description="Faces refused in a row for one person, after which the next try waits 30 s, then twice as long, "
        "up to 15 min. NIST SP 800-63B allows 10 with presentation attack detection, 5 without.",
    )
    lockout_stop_after: int = Field(
        50,
        ge=1,
        le=100,
        description="Faces refused in a row after which none is tried until the lock is lifted. NIST SP 800-63B allows "
        "100 only where an independent test measured the attack detection.",
    )
    lockout_failures_per_5_minutes: int = Field(
        5, ge=1, le=1000, description="Refused faces for one person in 5 minutes. More let an attacker guess faster."
    )
    lockout_failures_per_hour: int = Field(20, ge=1, le=1000, description="Refused faces for one person in an hour.")
    lockout_failures_per_day: int = Field(50, ge=1, le=1000, description="Refused faces for one person in a day.")
    lockout_address_failures_per_5_minutes: int = Field(
        10,
        ge=1,
        le=100_000,
        description="Refused faces from one address (IPv6: one /64) in 5 minutes, whoever is tried. Raise it where "
        "many people share an address; every raise lets one attacker try more people. Successes never count.",
    )
    lockout_of_scenarios: bool = Field(
        False,
        description="Count sandbox scenarios as well, to see what a locked person sees. Test suites that decline one "
        "person again and again then run into the lock.",
    )
    auto_verify_accounts: bool = Field(
        False,
        description="Registration answers with the API key at once instead of e-mailing a code. "
        "Only for closed installations: anyone who reaches the address gets an account.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server for verification codes: smtp://user:password@host:587 (STARTTLS) or smtps://…. "
        "Unset: codes are left in 0600 files under the data folder and the log says where.",
    )
    mail_from: str = Field("ipse@localhost", description="Sender of those mails.")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is believed. Anyone else's is ignored."
    )
    embed_origins: tuple[EmbedOrigin, ...] = Field(
        ("*",),
        description="Pages that may show the hosted page in a frame: origins such as https://shop.example, `'self'`, "
        "or `*` for any, which the browser SDK needs unless your sites are named here.",
    )
    demo_shop: bool = Field(
        False,
        description="Serve the demo shop under /demo. For trying things out: whoever reaches the address can use it.",
    )
    webhook_timeout_s: float = Field(5.0, gt=0, le=30, description="Time one delivery attempt may take.")
    webhook_concurrency: int = Field(
        32, ge=1, le=256, description="Deliveries in flight in one worker, those that wait for slow receivers aside."
    )
    verdict_lifetime_s: int = Field(
        300, ge=30, le=3600, description="How long a signed verdict holds. Short: whoever copies one has this long."
    )
    verdict_window_s: int = Field(
        900, ge=30, le=86400, description="How long after the decision a session still yields a verdict."
    )
    evaluation_retention_days: int = Field(
        400,
        ge=1,
        description="Days that step-up evaluations are kept: velocity, known payees and back-tests read them.",
    )
    log_format: str = Field(
        "json", pattern="^(json|console)$", description="`json` for machines, `console` for people."
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level that is written.")

    @property
    def is_local(self) -> bool:
        """True when people reach this installation only from its own machine or a private network."""
        host = urlsplit(self.public_url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or address.is_private

    @property
    def resolved_database_url(self) -> str:
        """The database URL, with the embedded default filled in."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'ipse.sqlite3').resolve()}"

    @property
    def resolved_blob_url(self) -> str:
        """The blob store URL, with the local default filled in."""
        return self.blob_url or (self.data_dir / "blobs").resolve().as_uri()
