"""``ipse listen``: see webhooks arrive, verified as a careful receiver verifies them."""

from __future__ import annotations

import asyncio
import json
import socket

import uvicorn

from ipse.cli import output
from ipse.cli.failure import EXIT_USAGE, CommandError
from ipse.security.signatures import SignatureMismatch
from ipse.webhooks.receiver import Receipt, Receiver, Verdict

_LOOPBACK = "127.0.0.1"


def listen(secret: str, port: int, forward: str | None, *, as_json: bool) -> None:
    """Receive until told to stop."""
    if not secret.strip():
        raise CommandError("Give the destination's secret_shared_key with --secret or IPSE_WEBHOOK_SECRET.", EXIT_USAGE)
    if forward is not None and not forward.startswith(("http://", "https://")):
        raise CommandError("--forward needs a full address such as http://localhost:3000/webhook.", EXIT_USAGE)
    receiver = Receiver([secret.strip()], on_receipt=_show_json if as_json else _show_lines, forward_to=forward)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise CommandError(f"Port {port} cannot be used: {error.strerror or error}. Choose another.") from error
    output.note(f"Listening on http://{_LOOPBACK}:{listener.getsockname()[1]}/ (any path; stop with Ctrl+C)")
    config = uvicorn.Config(receiver, log_config=None, access_log=False, lifespan="off")
    with listener:
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def facts_of(receipt: Receipt) -> dict[str, object]:
    """One delivery for programs."""
    facts: dict[str, object] = {"verdict": receipt.verdict.value, "explanation": receipt.explanation}
    if receipt.event is not None:
        facts |= {
            "event_id": receipt.event.event_id,
            "webhook_type": receipt.event.webhook_type,
            "session_id": receipt.event.session_id,
            "status": receipt.event.status,
            "raw": receipt.event.raw,
            "canonical": receipt.event.canonical,
            "forwarded": receipt.forwarded,
            "payload": dict(receipt.event.payload),
        }
    if receipt.error is not None:
        facts["error_code"] = receipt.error.code
    return facts


def _show_json(receipt: Receipt) -> None:
    output.say(json.dumps(facts_of(receipt), ensure_ascii=False, default=str))


def _show_lines(receipt: Receipt) -> None:
    event = receipt.event
    if event is not None:
        subject = f" session {event.session_id}" if event.session_id else ""
        output.say(f"{_mark(receipt.verdict)} {event.webhook_type}{subject} {event.status}")
        for name, held in (("raw bytes", event.raw), ("canonical JSON", event.canonical)):
            output.say(f"     signature over {name}: {'holds' if held else 'not sent or does not hold'}")
        if event.difference is not None:
            output.say(f"     the bytes that arrived are not canonical at {event.difference}")
        if receipt.forwarded is not None:
            output.say(f"     forwarded; the answer was {receipt.forwarded}")
    else:
        output.say(f"{_mark(receipt.verdict)} {receipt.explanation}")
        if isinstance(receipt.error, SignatureMismatch):
            output.say(f"     {receipt.error.header}: computed {receipt.error.expected}, received {receipt.error.got}")
    if receipt.verdict in (Verdict.DUPLICATE, Verdict.NOT_FORWARDED):
        output.say(f"     {receipt.explanation}")


def _mark(verdict: Verdict) -> str:
    return {
        Verdict.ACCEPTED: "ok  ",
        Verdict.DUPLICATE: "dup ",
        Verdict.REFUSED: "FAIL",
        Verdict.NOT_FORWARDED: "warn",
    }[verdict]
