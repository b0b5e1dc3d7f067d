"""How long it takes to erase a person with a hundred sessions: ``python bench/erasure.py [--database URL]``.

Each session has a report, a capture, signals, a verdict, a sighting, an image of 640 x 480 with its face, three events
on their way to a destination and three audit entries. Timed is what a request for erasure waits for: finding all of it,
deleting it and the commit, receipt included; and then how long the blobs take, which nobody waits for. Other persons,
as many as asked for, are there before, so that nothing is fast because a table is empty.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from ipse.accounts.first_run import create_local_organization
from ipse.app import build_services, close_services
from ipse.audit import service as audit
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.privacy import erasure
from ipse.runtime.application import Application, Mode
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.sessions.repository import next_number
from ipse.settings import Settings
from ipse.storage.tables import (
    ApplicationRow,
    CaptureRow,
    ReportRow,
    SessionRow,
    SessionSignalsRow,
    SightingRow,
    VerdictRow,
)
from ipse.users.service import ensure_user
from ipse.webhooks import destinations
from ipse.webhooks import service as webhooks
from ipse.webhooks.schemas import NewDestination
from machine import description

GOAL_S: Final = 2.0
SESSIONS: Final = 100
STEP: Final = {"node_id": "feature_liveness"}
REPORT: Final = {"feature": "LIVENESS", "status": "Approved", "facts": {"score": 96.0, "method": "PASSIVE"}}


def _picture() -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(1).integers(110, 140, (480, 640, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


PICTURE: Final = _picture()
"""Faint noise: nobody looks for a face in it."""


async def live(services: Services, application: Application, vendor_data: str, sessions: int) -> None:
    """Give a person approved sessions, each with all that a step-up leaves; in one transaction, or it takes minutes."""
    clock, new_id = services.clock, services.identifiers.uuid
    async with services.database.writing() as tx:
        scope = Scope(tx, application, services)
        user = await ensure_user(scope, vendor_data)
        for _ in range(sessions):
            now, session_id = clock.now(), new_id()
            row = SessionRow(
                id=session_id,
                application_id=application.id,
                session_number=await next_number(scope),
                environment="sandbox",
                status="Approved",
                user_id=user.id,
                vendor_data=vendor_data,
                session_metadata={"note": vendor_data},
                created_at=now,
                expires_at=now,
            )
            tx.add(row)
            await tx.flush()
            of_session = {"session_id": session_id}
            tx.add(ReportRow(**of_session, **STEP, feature="LIVENESS", status="Approved", report=REPORT, **times(now)))
            tx.add(CaptureRow(id=new_id(), **of_session, **STEP, attempt=1, submission_key=new_id(), created_at=now))
            tx.add(SessionSignalsRow(**of_session, signals={"LIVENESS_SCORE": 96.0}, updated_at=now))
            tx.add(
                VerdictRow(
                    id=new_id(),
                    application_id=application.id,
                    **of_session,
                    session_version=1,
                    issued_at=now,
                    expires_at=now,
                )
            )
            tx.add(
                SightingRow(
                    id=new_id(), application_id=application.id, seen_at=now, vendor_data=vendor_data, **of_session
                )
            )
            picture = await media.store(
                scope, kind="selfie", content=PICTURE, content_type="image/jpeg", session_id=session_id
            )
            await faces.add(
                scope,
                user=user,
                session_id=session_id,
                media_id=picture.id,
                template=None,
                purpose="probe",
                source="session",
                supplied_by="person",
                searchable=False,
            )
            for version, status in enumerate(("Not Started", "In Progress", "Approved")):
                await webhooks.record_event(
                    scope,
                    session_id=session_id,
                    session_version=version,
                    webhook_type="status.updated",
                    status=status,
                    payload={"vendor_data": vendor_data, "report": REPORT},
                )
                await audit.record(
                    scope,
                    "session.decided",
                    object_type="session",
                    object_id=session_id,
                    vendor_data=vendor_data,
                    details={"status": status},
                )


def times(now: datetime) -> dict[str, datetime]:
    return {"created_at": now, "updated_at": now}


async def erased(services: Services, application: Application, vendor_data: str) -> tuple[float, float, int, float]:
    """Seconds until the commit, seconds until the blobs were gone, rows destroyed, processor seconds used."""
    began, used = time.perf_counter(), time.process_time()
    async with services.database.writing() as tx:
        receipt = await erasure.erase_user(Scope(tx, application, services), vendor_data)
    committed = time.perf_counter()
    await media.erasures_finished()
    assert receipt is not None
    return (
        committed - began,
        time.perf_counter() - committed,
        sum(receipt.destroyed.values()),
        time.process_time() - used,
    )


async def measure(settings: Settings, others: int, people: int) -> None:
    services = await build_services(settings, load_faces=False)
    made = (await create_local_organization(services)).of_mode(Mode.SANDBOX)
    assert made is not None
    async with services.database.reading() as tx:
        application = Application.of(await tx.get_one(ApplicationRow, made.id))
    async with services.database.writing() as tx:
        scope = Scope(tx, application, services)
        await destinations.create(scope, NewDestination(url="https://shop.example.org/hooks"))
    for number in range(others):
        await live(services, application, f"other-{number}", SESSIONS)
    for number in range(people):
        await live(services, application, f"person-{number}", SESSIONS)
    found = [await erased(services, application, f"person-{number}") for number in range(people)]
    commits = [one[0] for one in found]
    print(f"{'sessions':>9} {'rows':>7} {'median s':>9} {'worst s':>8} {'blobs s':>8} {'cpu s':>6}   goal {GOAL_S:g} s")
    blobs = statistics.median(one[1] for one in found)
    cpu = statistics.median(one[3] for one in found)
    print(
        f"{SESSIONS:>9} {found[0][2]:>7} {statistics.median(commits):>9.2f} {max(commits):>8.2f} "
        f"{blobs:>8.2f} {cpu:>6.2f}"
    )
    await close_services(services)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="URL of an empty database; default: SQLite in a temporary folder")
    parser.add_argument("--others", type=int, default=50, help="other persons, with as many sessions")
    parser.add_argument("--people", type=int, default=3, help="persons to erase, one after the other")
    asked = parser.parse_args()
    print(description())
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder:
        settings = Settings(
            data_dir=Path(folder) / "data",
            public_url="http://127.0.0.1",
            rate_limits=False,
            run_worker=False,
            log_level="WARNING",
            **({"database_url": asked.database} if asked.database else {}),
        )
        asyncio.run(measure(settings, asked.others, asked.people))


if __name__ == "__main__":
    main()
