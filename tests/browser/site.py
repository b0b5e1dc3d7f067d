"""The service as the browser tests need it: with the face engine and the built page, its workflows and sessions."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from httpx2 import Client, Limits, Response

from tests.services.pictures import flat_jpeg
from tests.services.receiver import WebhookReceiver
from tests.services.server import RunningServer

TRANSFER: Final = {
    "trigger": "transfer",
    "amount": "1250.00",
    "currency": "EUR",
    "payee": "ACME GmbH",
    "account": "DE89 3704 0044 0532 3421",
}
"""Metadata of a session that authorises a transfer."""

TRUSTING: Final = {"virtual_camera_action": "NO_ACTION", "frame_injection_action": "NO_ACTION"}
"""Signals of injection are told in the report and not held against the person."""
WARY: Final[Mapping[str, Any]] = {"frame_injection_action": "DECLINE"}
"""Pictures that no lens delivers, such as the same one again and again, are."""

_PAGE: Final = Path(__file__).parents[2] / "src" / "ipse" / "hosted" / "static" / "capture" / "index.html"


class PageNotBuilt(AssertionError):
    """The front end has not been built."""


@dataclass(frozen=True)
class Opened:
    """A session that was created over the API."""

    session_id: str
    token: str
    url: str


@dataclass
class Site:
    """A running server, and the integrator that uses it."""

    server: RunningServer
    client: Client
    """With the key of a sandbox application that runs the face engine."""
    receiver: WebhookReceiver
    secret: str
    """Of the webhook destination at ``receiver``."""
    _workflows: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url

    def workflow(self, *features: str, **settings: Any) -> str:
        """The id of a workflow of these features."""
        body = {"features": [{"feature": name} for name in features], **settings}
        name = repr(body)
        if name not in self._workflows:
            created = _checked(self.client.post("/v3/workflows/", json={"workflow_label": "Browser test", **body}))
            self._workflows[name] = str(created["workflow_id"])
        return self._workflows[name]

    def enrolment(self, person: str, **settings: Any) -> Opened:
        """A session that enrols ``person`` when it is approved."""
        return self.session(self.workflow("LIVENESS", **TRUSTING, **settings), vendor_data=person)

    def step_up(
        self,
        portrait: bytes | None = None,
        *,
        person: str | None = None,
        method: str = "PASSIVE",
        callback: str | None = None,
        trusting: bool = True,
        **settings: Any,
    ) -> Opened:
        """A session that compares a live face with ``portrait``, or with what ``person`` enrolled.

        ``trusting``: with ``TRUSTING``; else with the defaults of the service. ``settings`` are the workflow's.
        """
        settings = {"face_liveness_method": method, **(TRUSTING if trusting else {}), **settings}
        body: dict[str, Any] = {"metadata": TRANSFER}
        if callback is not None:
            body["callback"] = callback
        if portrait is not None:
            body["portrait_image"] = base64.b64encode(portrait).decode()
        if person is not None:
            body["vendor_data"] = person
        return self.session(self.workflow("LIVENESS", "FACE_MATCH", **settings), **body)

    def scenario(self, method: str = "PASSIVE", **body: Any) -> Opened:
        """A step-up of the application that answers by scenario (``sandbox_scenario`` in ``body``), not by pixels."""
        key = {"x-api-key": self.server.application.key}
        workflow = {
            "workflow_label": "Browser test",
            "features": [{"feature": "LIVENESS"}, {"feature": "FACE_MATCH"}],
            "face_liveness_method": method,
        }
        if f"scenario {method}" not in self._workflows:
            created = _checked(self.client.post("/v3/workflows/", json=workflow, headers=key))
            self._workflows[f"scenario {method}"] = str(created["workflow_id"])
        portrait = base64.b64encode(flat_jpeg()).decode()
        request = {
            "workflow_id": self._workflows[f"scenario {method}"],
            "metadata": TRANSFER,
            "portrait_image": portrait,
            **body,
        }
        return _opened(_checked(self.client.post("/v3/session/", json=request, headers=key)))

    def session(self, workflow_id: str, **body: Any) -> Opened:
        return _opened(_checked(self.client.post("/v3/session/", json={"workflow_id": workflow_id, **body})))

    def decision(self, session: Opened) -> dict[str, Any]:
        """The decision, as the integrator reads it."""
        return _checked(self.client.get(f"/v3/session/{session.session_id}/decision/"))

    def state(self, session: Opened) -> dict[str, Any]:
        """The capture state, as a page would read it."""
        return _checked(self.client.get("/v1/capture/session/", headers={"Session-Token": session.token}))


def opened_site(server: RunningServer, receiver: WebhookReceiver) -> Site:
    """The site with a webhook destination. Raises ``PageNotBuilt`` when there is no page to test."""
    if not _PAGE.is_file():
        raise PageNotBuilt(f"{_PAGE} is missing. Run make web.")
    # Between two calls minutes may pass, in which the server closes what is kept open.
    fresh = Limits(max_keepalive_connections=0)
    client = Client(base_url=server.url, headers={"x-api-key": server.real.key}, timeout=120, limits=fresh)
    destination = client.post("/v3/webhook/destinations/", json={"label": "browser", "url": receiver.url})
    return Site(server, client, receiver, str(_checked(destination)["secret_shared_key"]))


def risks(decision: Mapping[str, Any]) -> set[str]:
    """The codes of all warnings of a decision."""
    items = [*decision["liveness_checks"], *decision["face_matches"]]
    return {warning["risk"] for item in items for warning in item["warnings"]}


def told(decision: Mapping[str, Any]) -> str:
    """The liveness checks of a decision, for people who look for the reason of a failed test."""
    return json.dumps(decision["liveness_checks"], indent=1, default=str)


def _opened(created: Mapping[str, Any]) -> Opened:
    return Opened(str(created["session_id"]), str(created["session_token"]), str(created["url"]))


def _checked(answer: Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
    body: dict[str, Any] = answer.json()
    return body
