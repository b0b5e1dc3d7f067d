"""Guarantees about a real server process: it talks to nobody, and a flood of uploads does not take its memory."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from ipse.settings import Settings
from tests.crash.processes import Killable, free_port
from tests.crash.test_kill_nine import prepare, settings_for
from tests.services.databases import Databases
from tests.services.receiver import WebhookReceiver
from tests.services.step_up import finish_session_blocking

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MB = 2**20
BUDGET = 96 * MB
UPLOAD = 24 * MB
UPLOADS = 24
ALLOWED_GROWTH = 4 * BUDGET
"""The budget counts bodies; parsing and decoding one makes copies of it."""

_SPY = """
import json, os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        target = arguments[1] if event != "socket.getaddrinfo" else arguments[0]
        with open(os.environ["IPSE_TEST_SPY"], "a") as log:
            log.write(json.dumps([event, repr(target)]) + "\\n")
sys.addaudithook(watch)
sys.modules["uvloop"] = None
"""
"""Python tells an audit hook of every connection and look-up; uvloop makes its own past it, so asyncio's loop runs."""


@dataclass(frozen=True)
class Serving:
    """A running `ipse serve` and the key of an application."""

    url: str
    key: str
    pid: int
    folder: Path


@contextmanager
def serving(databases: Databases, folder: Path, **environment: str) -> Iterator[Serving]:
    with databases.fresh(folder / "data") as database:
        settings: Settings = settings_for(folder / "data", database, free_port())
        application = prepare(settings)
        (folder / "temporary").mkdir()
        server = Killable(
            "serve",
            {
                "IPSE_DATA_DIR": str(settings.data_dir),
                "IPSE_DATABASE_URL": database,
                "IPSE_PORT": str(settings.port),
                "IPSE_PUBLIC_URL": settings.public_url,
                "IPSE_RATE_LIMITS": "false",
                "IPSE_MODELS_DIR": str(folder / "no models"),
                "TMPDIR": str(folder / "temporary"),
                **environment,
            },
            folder / "serve.log",
            ready_url=f"{settings.public_url}/system/healthcheck",
        )
        server.start()
        try:
            assert server.pid is not None
            yield Serving(settings.public_url, application.key, server.pid, folder)
        finally:
            server.stop()


def test_server_talks_to_nobody_but_the_webhook_destination(
    databases: Databases, tmp_path: Path, receiver: WebhookReceiver, portraits: Mapping[str, bytes]
) -> None:
    spy, log = tmp_path / "spy", tmp_path / "spied.jsonl"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(_SPY)
    path = os.pathsep.join(filter(None, [str(spy), os.environ.get("PYTHONPATH", "")]))
    with serving(databases, tmp_path, PYTHONPATH=path, IPSE_TEST_SPY=str(log)) as server:
        headers = {"x-api-key": server.key}
        with httpx2.Client(base_url=server.url, headers=headers, timeout=60) as client:
            made = client.post("/v3/webhook/destinations/", json={"label": "spy", "url": receiver.url})
            assert made.status_code == 201, made.text
            session = client.post(
                "/v3/session/",
                json={
                    "workflow_id": "wf_ato_step_up",
                    "portrait_image": base64.b64encode(portraits["obama_1"]).decode(),
                    "sandbox_scenario": "approve",
                },
            ).json()
            finish_session_blocking(client, session["session_token"], [portraits["obama_2"]])
            client.get(session["url"])
            receiver.wait_for_status(session["session_id"], "Approved")
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(str(urlsplit(receiver.url).port) in target for _, target in seen), "the spy saw the webhook leave"
    elsewhere = [(event, target) for event, target in seen if not _is_here(target)]
    assert elsewhere == []


def test_flood_of_large_uploads_is_refused_cleanly_and_does_not_take_the_memory(
    databases: Databases, tmp_path: Path
) -> None:
    with serving(databases, tmp_path, IPSE_BODY_MEMORY_BYTES=str(BUDGET)) as server:
        process = psutil.Process(server.pid)
        idle, peak, over = process.memory_info().rss, 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not over.wait(0.02):
                peak = max(peak, process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        body = bytes(UPLOAD)
        boundary = b'--b\r\nContent-Disposition: form-data; name="user_image"; filename="f.jpg"\r\n\r\n'

        def upload(_number: int) -> int:
            answer = httpx2.post(
                f"{server.url}/v3/passive-liveness/",
                content=boundary + body + b"\r\n--b--\r\n",
                headers={"x-api-key": server.key, "content-type": "multipart/form-data; boundary=b"},
                timeout=300,
            )
            assert answer.status_code != 503 or answer.headers["retry-after"]
            return answer.status_code

        with ThreadPoolExecutor(UPLOADS) as pool:
            flood = [pool.submit(upload, number) for number in range(UPLOADS)]
            health = [httpx2.get(f"{server.url}/system/healthcheck", timeout=120).status_code for _ in range(5)]
        over.set()
        watcher.join()
        answers = Counter(future.result() for future in flood)
        assert set(answers) <= {400, 413, 503}, answers
        assert answers[503] > 0, "the flood was too small to be refused"
        assert set(health) <= {200, 503}, "health is told all the while (503: this server has no models)"
        assert peak - idle < ALLOWED_GROWTH, f"{(peak - idle) / MB:.0f} MB"
        assert upload(0) == 400, "afterwards one upload is read again, and found to be no picture"
        assert list((tmp_path / "temporary").rglob("*")) == [], "no upload was written to a temporary file"


def _is_here(target: str) -> bool:
    """Whether a connect or look-up stays on this machine: loopback, a Unix socket, or no name at all."""
    named = target.strip("()b'\" ").split(",")[0].strip("'\" ")
    try:
        return ip_address(named).is_loopback
    except ValueError:
        return named in {"", "None", "localhost"} or named.startswith("/")
