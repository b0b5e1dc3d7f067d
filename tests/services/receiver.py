"""A webhook receiver on loopback. It checks signatures with a few lines of its own, not with the product's code."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ReceivedWebhook:
    """One request as it came over the wire; header names are in lower case."""

    path: str
    headers: dict[str, str]
    raw: bytes
    received_at: float
    answered: int

    @property
    def body(self) -> dict[str, Any]:
        value = json.loads(self.raw)
        assert isinstance(value, dict)
        return value

    def signed_by(self, secret: str) -> bool:
        """True when all three signatures are right and the signed time is the announced one."""
        key, body = secret.encode(), self.body
        canonical = json.dumps(_shortened(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        simple = f"{body['timestamp']}:{body.get('session_id', '')}:{body.get('status', '')}:{body['webhook_type']}"
        expected = {
            "x-signature": self.raw,
            "x-signature-v2": canonical,
            "x-signature-simple": simple.encode(),
        }
        signatures = all(
            hmac.compare_digest(hmac.new(key, text, hashlib.sha256).hexdigest(), self.headers.get(name, ""))
            for name, text in expected.items()
        )
        times = {str(body["timestamp"]), str(body["created_at"]), self.headers.get("x-timestamp")}
        return signatures and len(times) == 1


def _shortened(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    return value


@dataclass
class WebhookReceiver:
    """What arrived so far, and how the next requests are answered."""

    url: str
    requests: list[ReceivedWebhook] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """Statuses for the next requests, in order; afterwards 200."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, timeout_s: float = 60.0) -> list[ReceivedWebhook]:
        """Return what arrived once there are ``count`` requests; fail after ``timeout_s`` seconds."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, timeout_s)
            assert arrived, f"{len(self.requests)} of {count} webhooks arrived in {timeout_s} s"
            return list(self.requests)

    def wait_for_status(self, session_id: str, status: str, timeout_s: float = 60.0) -> ReceivedWebhook:
        """Return the webhook that reports ``status`` of a session."""

        def found() -> ReceivedWebhook | None:
            matching = (r for r in self.requests if (r.body.get("session_id"), r.body.get("status")) == wanted)
            return next(matching, None)

        wanted = (session_id, status)
        with self._changed:
            request = self._changed.wait_for(found, timeout_s)
        assert request is not None, f"no webhook with status {status} arrived in {timeout_s} s"
        return request

    def record(self, path: str, headers: dict[str, str], raw: bytes) -> int:
        with self._changed:
            status = self.answers.pop(0) if self.answers else 200
            self.requests.append(ReceivedWebhook(path, headers, raw, time.time(), status))
            self._changed.notify_all()
        return status


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    receiver: WebhookReceiver


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        status = self.server.receiver.record(self.path, {k.lower(): v for k, v in self.headers.items()}, raw)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test output clean."""


@contextlib.contextmanager
def running_receiver() -> Iterator[WebhookReceiver]:
    """Listen on a free loopback port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = WebhookReceiver(f"http://127.0.0.1:{server.server_address[1]}/webhooks")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
