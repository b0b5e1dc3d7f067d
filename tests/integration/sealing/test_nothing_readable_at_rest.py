"""After a full run nothing that the machine keeps can be read: database, journal, blobs, temporary folder and log.

Faces, embeddings and keys of a run on real models: ``capture/test_nothing_leaks.py``.
"""

from __future__ import annotations

import base64
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import inspect, text

from ipse.runtime.services import Services
from ipse.storage.database import Database
from tests.conftest import MakeClient
from tests.services.actions import STILL, minted, show_face
from tests.services.applications import RegisteredApplication

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

ADDRESS = "203.0.113.77"


@dataclass
class Marks:
    """Values that occur nowhere else, by what they stand for."""

    found: dict[str, str] = field(default_factory=dict)

    def new(self, what: str, pattern: str = "{}") -> str:
        """A fresh value; the same name gives the same one."""
        return self.found.setdefault(what, pattern.format("q" + uuid.uuid4().hex[:15]))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything in this process puts its temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def test_nothing_readable_lies_at_rest_after_a_full_run(
    temporary: Path,
    services: Services,
    application: RegisteredApplication,
    make_client: MakeClient,
    capfd: pytest.CaptureFixture[str],
) -> None:
    marks = Marks()
    client = make_client(application)
    await an_account_is_registered(make_client(None), services, marks)
    await a_person_is_described(client, marks)
    await somebody_is_listed(client, marks)
    await a_step_up_is_gone_through(client, marks)

    needles = {what: value.encode() for what, value in marks.found.items()}
    needles["pixels"] = STILL[len(STILL) // 2 :][:48]
    needles["key"] = application.key.encode()
    everything = {**files(services.settings.data_dir), **files(temporary), **await rows(services.database)}
    everything["log"] = "".join(capfd.readouterr()).encode()
    assert any("blobs" in place for place in everything)
    assert everything["log"]
    assert any(b"Test application" in content for content in everything.values()), "what is not personal is seen"
    readable = [
        (what, place)
        for what, needle in needles.items()
        for place, content in everything.items()
        if any(form in content for form in forms(needle))
    ]
    assert readable == []


async def an_account_is_registered(client: AsyncClient, services: Services, marks: Marks) -> None:
    base, email = "/auth/v2/programmatic", marks.new("account", "{}@bank.dev")
    body = {"email": email, "password": marks.new("password", "{}-Aa1!")}
    assert (await client.post(f"{base}/register/", json=body)).status_code == 201
    (letter,) = (services.settings.data_dir / "verification-codes").iterdir()
    answer = await client.post(f"{base}/verify-email/", json={"email": email, "code": letter.read_text().strip()})
    assert answer.status_code == 200, answer.text


async def a_person_is_described(client: AsyncClient, marks: Marks) -> None:
    body = {
        "vendor_data": marks.new("vendor_data"),
        "full_name": marks.new("name", "Ada {}"),
        "display_name": marks.new("shown name", "Miss {}"),
        "date_of_birth": "1815-12-10",
        "metadata": {"note": marks.new("metadata of a user")},
        "approved_emails": [marks.new("e-mail", "{}@person.dev")],
    }
    answer = await client.post("/v3/users/create/", json=body)
    assert answer.status_code == 201, answer.text
    hook = {"label": "x", "url": "http://127.0.0.1:9/hook"}
    created = await client.post("/v3/webhook/destinations/", json=hook)
    marks.found["webhook secret"] = created.json()["secret_shared_key"]


async def somebody_is_listed(client: AsyncClient, marks: Marks) -> None:
    made = await client.post("/v3/lists/", json={"name": "x", "list_type": "custom", "entry_type": "email"})
    entry = {
        "value": marks.new("listed e-mail", "{}@listed.dev"),
        "display_label": marks.new("label"),
        "comment": marks.new("comment of an entry"),
        "metadata": {"note": marks.new("metadata of an entry")},
    }
    answer = await client.post(f"/v3/lists/{made.json()['uuid']}/entries/", json=entry)
    assert answer.status_code == 201, answer.text


async def a_step_up_is_gone_through(client: AsyncClient, marks: Marks) -> None:
    action = {
        "type": "transfer",
        "amount": "1250.00",
        "currency": "EUR",
        "payee": marks.new("payee", "Payee {}"),
        "account": "DE89370400440532013000",
    }
    marks.found["account of the payee"] = "DE89370400440532013000"
    subject = {"vendor_data": marks.found["vendor_data"], "action": action}
    asked = {**subject, "ip_address": ADDRESS, "device": {"persistent_id": marks.new("device")}}
    marks.found["address"] = ADDRESS
    assert (await client.post("/v3/step-up/evaluate/", json=asked)).status_code == 200
    session = {
        **subject,
        "workflow_id": "wf_enrolment",
        "callback": marks.new("callback", "https://app.dev/{}"),
        "metadata": {"note": marks.new("metadata of a session")},
        "contact_details": {"email": marks.new("contact", "{}@contact.dev")},
        "expected_details": {"first_name": marks.new("expected name")},
    }
    created = await client.post("/v3/session/", json=session, headers={"Idempotency-Key": "once"})
    assert created.status_code == 201, created.text
    started: Mapping[str, Any] = created.json()
    marks.found["session token"] = started["session_token"]
    assert (await show_face(client, started["session_token"])).json()["status"] == "Approved"
    marks.found["verdict"] = (await minted(client, started["session_id"]))["token"]
    correction = {"new_status": "Declined", "comment": marks.new("comment of a reviewer")}
    changed = await client.patch(f"/v3/session/{started['session_id']}/update-status/", json=correction)
    assert changed.status_code == 200, changed.text
    code = await client.post("/v3/step-up/otp/start/", json={**subject, "workflow": "wf_enrolment"})
    assert code.status_code == 201, code.text
    shown = await show_face(client, code.json()["url"].rsplit("/", 1)[1])
    marks.found["one-time code"] = shown.json()["code"]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder: on SQLite the database, its journal and its index of the journal are among them."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def rows(database: Database) -> dict[str, bytes]:
    """Every row of every table as text, and on PostgreSQL the files of the cluster, its journal among them."""
    async with database.reading() as tx:
        connection = await tx.connection()
        names = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
        found = {
            name: repr((await tx.execute(text(f'SELECT * FROM "{name}"'))).all()).encode()  # noqa: S608 - own names
            for name in names
        }
    if database.is_sqlite:
        return found
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("CHECKPOINT")
        cluster = Path(str(await connection.scalar(text("SHOW data_directory"))))
    return {**found, **files(cluster)}


def forms(needle: bytes) -> Iterator[bytes]:
    """A value as it is, in hexadecimal, and in Base64 wherever it begins within a longer value."""
    yield needle
    yield needle.hex().encode()
    for skipped in range(3):
        part = needle[skipped:]
        part = part[: len(part) // 3 * 3]
        if len(part) >= 6:
            yield base64.b64encode(part)
            yield base64.urlsafe_b64encode(part)
