"""The command as a whole: what it offers, how fast it answers, how it fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from pydantic import ValidationError

from ipse.biometrics.errors import ModelMissing
from ipse.cli.failure import CommandError, explained, sentence_of
from ipse.cli.main import app
from ipse.settings import Settings

COMMANDS = {
    "serve", "worker", "init", "demo", "match", "liveness", "listen", "doctor", "bench", "version",
    "applications", "models", "data", "keys", "faces", "templates", "policy", "evidence", "replay", "migrate",
    "audit", "backup", "erase", "export-subject", "lockout", "receipt", "retention",
}  # fmt: skip
WITHOUT_JSON = {"worker", "erase", "audit export", "export-subject"}
"""They report nothing, or what they print or write is a document already: a receipt, JSON lines, an archive."""


def _commands() -> Iterator[tuple[str, Any]]:
    yield from _leaves("", typer.main.get_command(app))


def _leaves(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(f"{prefix}{name} ", command)
        else:
            yield f"{prefix}{name}", command


def test_every_promised_command_exists() -> None:
    assert {name.split()[0] for name, _ in _commands()} == COMMANDS


def test_every_command_that_reports_can_report_json() -> None:
    mute = {name for name, command in _commands() if "as_json" not in {one.name for one in command.params}}
    assert mute == WITHOUT_JSON


def test_every_command_explains_itself_in_a_line_that_fits() -> None:
    for name, command in _commands():
        assert command.help, name
        assert len(command.help.splitlines()[0]) <= 60, name


def test_help_loads_neither_server_nor_models() -> None:
    code = (
        "import sys; import ipse.cli.main; "
        "print([m for m in ('fastapi', 'sqlalchemy', 'numpy', 'onnxruntime', 'uvicorn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_answers_within_half_a_second_of_processor_time() -> None:
    code = "import time; import ipse.cli.main; print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.5


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (CommandError("Do this."), "Do this."),
        (
            ModelMissing("x.onnx is not there; run `ipse models pull`.\nmore"),
            "x.onnx is not there; run `ipse models pull`.",
        ),
        (FileNotFoundError(2, "No such file or directory", "a.jpg"), "a.jpg: No such file or directory."),
        (KeyError("odd"), "Unexpected KeyError: 'odd' (IPSE_TRACEBACK=1 shows where)"),
    ],
)
def test_an_error_is_one_sentence(error: Exception, sentence: str) -> None:
    assert sentence_of(error) == sentence


def test_bad_settings_are_named_by_their_variable() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(port=70000)
    assert "IPSE_PORT: Input should be less than or equal to 65535" in sentence_of(caught.value)


def test_a_failure_ends_with_its_code_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, explained():
        raise CommandError("Not like this.", exit_code=2)
    assert caught.value.code == 2
    assert capsys.readouterr().err == "ipse: Not like this.\n"


def test_the_traceback_is_shown_to_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPSE_TRACEBACK", "1")
    with pytest.raises(CommandError), explained():
        raise CommandError("Not like this.")
