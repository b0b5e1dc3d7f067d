"""The commands of an operator on an installation of their own, in real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from ipse.security.keyring import Ring
from ipse.security.keysets import master_key_path


class Installation:
    """Runs ``ipse`` in a folder with nothing configured but the data folder."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "var"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}
        models = {"IPSE_MODELS_DIR": str(folder / "no-models")}
        self.environment = {**inherited, **models, "IPSE_DATA_DIR": str(self.data)}

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            self._command(arguments), env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def facts(self, *arguments: str, code: int = 0) -> Any:
        done = subprocess.run(
            self._command([*arguments, "--json"]), env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "ipse.cli", *arguments]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_commands_that_miss_a_master_key_say_so_and_end(installation: Installation) -> None:
    installation.run("init")
    master_key_path(installation.data, Ring.BIOMETRIC).unlink()
    assert "There is no master key" in installation.run("audit", "list", code=1)


def test_init_shows_keys_once_and_doctor_finds_the_installation(installation: Installation) -> None:
    first = installation.facts("init")
    second = installation.facts("init")
    keys = [one["api_key"] for one in first["applications"]]
    assert [key[:10] for key in keys] == ["ipse_test_", "ipse_live_"]
    assert [one["api_key"] for one in second["applications"]] == [None, None]
    assert (first["created"], second["created"]) == (True, False)
    assert installation.facts("init", "--new-key", "live")["new_key"]["api_key"].startswith("ipse_live_")
    report = installation.facts("doctor", code=1)
    states = {finding["check"]: finding["state"] for finding in report["findings"]}
    assert {states[name] for name in ("database", "key rings", "blob store", "time")} == {"ok"}
    assert states["models"] == "fail"


def test_the_key_that_signs_verdicts_is_replaced_by_one_command(installation: Installation) -> None:
    installation.run("init")
    first, second = (installation.facts("keys", "rotate-signing")["kid"] for _ in range(2))
    assert first != second
    assert installation.facts("keys", "rotate-signing", "--compromised")["compromised"] is True
    assert "stays published" in installation.run("keys", "rotate-signing")


def test_rotation_and_a_new_master_key_leave_everything_readable(installation: Installation) -> None:
    installation.run("init")
    before = {one["ring"]: one for one in installation.facts("keys", "show")}
    rotated = installation.facts("keys", "rotate", "--no-wait")
    changed = installation.facts("keys", "new-master", "biometric")
    after = {one["ring"]: one for one in installation.facts("keys", "show")}
    assert [one["ring"] for one in rotated] == ["ordinary", "biometric"]
    assert changed["in_effect"] is True
    for ring in Ring:
        assert before[ring]["seals_with"] != after[ring]["seals_with"]
        assert before[ring]["seals_with"] in after[ring]["opens_with"]
    key = master_key_path(installation.data, Ring.BIOMETRIC)
    previous = key.with_name("biometric.key.previous")
    assert key.read_text() != previous.read_text()
    assert [path.stat().st_mode & 0o777 for path in (key, previous)] == [0o600, 0o600]
    key.write_text(previous.read_text())
    assert "does not open with this master key" in installation.run("keys", "show", code=1)


def test_a_configured_master_key_is_replaced_through_a_file_and_never_printed(installation: Installation) -> None:
    installation.run("init")
    path = master_key_path(installation.data, Ring.ORDINARY)
    installation.environment["IPSE_ORDINARY_MASTER_KEY"] = path.read_text().strip()
    path.unlink()
    said = installation.run("keys", "new-master", "ordinary")
    new = path.with_name("ordinary.key.next").read_text().strip()
    assert new not in said
    installation.run("keys", "show", code=1)
    installation.environment["IPSE_ORDINARY_MASTER_KEY"] = new
    installation.run("keys", "show")


def test_an_interrupted_change_of_master_key_is_not_overwritten(installation: Installation) -> None:
    installation.run("init")
    upcoming = master_key_path(installation.data, Ring.BIOMETRIC).with_name("biometric.key.next")
    upcoming.write_text("precious")
    assert "was interrupted" in installation.run("keys", "new-master", "biometric", code=1)
    assert upcoming.read_text() == "precious"


def test_applications_are_set_from_the_command_line(installation: Installation) -> None:
    installation.run("init")
    changed = installation.facts("applications", "set", "sandbox", "sandbox_engine=real", "kyc_validity_days=30")
    assert (changed["sandbox_engine"], changed["kyc_validity_days"]) == ("real", 30)
    assert installation.facts("applications", "set", "live", "mode=sandbox")["api_key"].startswith("ipse_test_")
    assert [one["mode"] for one in installation.facts("applications", "list")] == ["sandbox", "sandbox"]
    assert "write name=value" in installation.run("applications", "set", "sandbox", "colour=blue", code=2)
    assert "sandbox_engine" in installation.run("applications", "set", "sandbox", "sandbox_engine=magic", code=2)


def test_commands_that_need_an_installation_say_so(installation: Installation) -> None:
    assert "ipse init" in installation.run("keys", "show", code=1)
    assert not installation.data.exists()


def test_models_are_listed_and_missing_ones_fail_verification(installation: Installation) -> None:
    listed = installation.facts("models", "list")
    assert {model["state"] for model in listed["models"]} == {"missing"}
    assert all(len(model["sha256"]) == 64 and model["licence"] for model in listed["models"])
    assert "ipse models pull" in installation.run("models", "verify", code=1)


def test_serve_greets_answers_and_stops_gracefully(installation: Installation) -> None:
    process = installation.start("serve", "--port", "0", "--json")
    assert process.stdout is not None
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line if text or line.startswith("{") else ""
        ready = json.loads(text)
        key = ready["applications"][0]["api_key"]
        session = httpx2.post(
            f"{ready['address']}/v3/session/",
            json={"workflow_id": "wf_enrolment", "vendor_data": "user-1"},
            headers={"x-api-key": key},
            timeout=10,
        ).json()
        assert session["url"].startswith(ready["address"])
    finally:
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert time.monotonic() - started < 15
    assert "Traceback" not in errors
    assert key not in errors


def test_several_processes_share_the_port_and_one_that_dies_is_replaced(installation: Installation) -> None:
    installation.run("init")
    process = installation.start("serve", "--port", "0", "--processes", "2", "--json")
    assert process.stdout is not None
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line if text or line.startswith("{") else ""
        address = json.loads(text)["address"]
        first = _servers(process.pid)
        assert len(first) == 2
        assert _answers(address)
        first[0].kill()
        _until(lambda: len(_servers(process.pid)) == 2 and first[0] not in _servers(process.pid))
        assert _answers(address)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "process_replaced" in errors
    assert "Traceback" not in errors


def test_servers_end_when_their_parent_is_killed(installation: Installation) -> None:
    installation.run("init")
    process = installation.start("serve", "--port", "0", "--processes", "2", "--json")
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        servers = _servers(process.pid)
    finally:
        process.kill()
    _until(lambda: not any(server.is_running() for server in servers))
    process.communicate(timeout=10)


def _servers(parent: int) -> list[psutil.Process]:
    running = [one for one in psutil.Process(parent).children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in running if "spawn_main" in " ".join(one.cmdline())]


def _answers(address: str) -> bool:
    return bool(httpx2.get(f"{address}/system/healthcheck", timeout=10).json())


def _until(condition: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < 30
        time.sleep(0.1)


def test_a_port_that_is_taken_is_one_sentence(installation: Installation) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = installation.run("serve", "--port", str(taken.getsockname()[1]), code=1)
    assert said.count("\n") == 1
    assert "--port" in said


def test_the_worker_stops_when_told(installation: Installation) -> None:
    installation.run("init")
    process = installation.start("worker")
    assert process.stderr is not None
    assert "worker.ready" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
