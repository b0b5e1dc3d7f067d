"""Unit tests talk to nobody: opening or accepting an Internet connection fails the test."""

from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, _refusing(getattr(socket.socket, name)), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", _refuse)


def _refuse(*_arguments: Any, **_named: Any) -> Any:
    raise AssertionError("a unit test must not use the network; move it to tests/integration")


def _refusing(original: Any) -> Any:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse()
        return original(self, *arguments)

    return guarded
