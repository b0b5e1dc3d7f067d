"""Verification codes by mail, through a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import SecretStr

from ipse.app import build, build_services, close_services
from ipse.clock import ManualClock
from ipse.settings import Settings

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

ACCOUNT = {"email": "founder@ipse-tests.org", "password": "Correct-horse-7"}


class Mailbox:
    """What the server accepted: envelope recipients and messages."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], bytes]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.received.append((list(envelope.rcpt_tos), bytes(envelope.content)))
        return "250 Message accepted"


@pytest.fixture
async def posted(settings: Settings, clock: ManualClock) -> AsyncIterator[tuple[AsyncClient, Mailbox]]:
    """A client of a service that sends its mail to a real server, and that server's mailbox."""
    from httpx2 import ASGITransport, AsyncClient

    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    mailing = settings.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"), "mail_from": "ipse@host"})
    services = await build_services(mailing, clock=clock, load_faces=False)
    async with AsyncClient(transport=ASGITransport(build(mailing, services)), base_url="http://testserver") as client:
        yield client, mailbox
    await close_services(services)
    server.close()
    await server.wait_closed()


async def test_the_code_arrives_by_mail_and_opens_the_account(posted: tuple[AsyncClient, Mailbox]) -> None:
    client, mailbox = posted
    registered = await client.post("/auth/v2/programmatic/register/", json=ACCOUNT)
    assert registered.status_code == 201, registered.text
    [(recipients, content)] = mailbox.received
    assert recipients == [ACCOUNT["email"]]
    message = message_from_bytes(content, policy=policy.default)
    code = re.search(r"code is (\w{6})\.", message.get_content())
    assert code is not None
    assert code[1] not in registered.text
    verified = await client.post(
        "/auth/v2/programmatic/verify-email/", json={"email": ACCOUNT["email"], "code": code[1]}
    )
    assert verified.status_code == 200, verified.text
    assert verified.json()["application"]["api_key"].startswith("ipse_test_")


async def test_a_mail_server_that_is_away_loses_no_registration(settings: Settings, clock: ManualClock) -> None:
    from httpx2 import ASGITransport, AsyncClient

    mailing = settings.model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:9")})
    services = await build_services(mailing, clock=clock, load_faces=False)
    try:
        transport = ASGITransport(build(mailing, services))
        async with AsyncClient(transport=transport, base_url="http://testserver") as client:
            assert (await client.post("/auth/v2/programmatic/register/", json=ACCOUNT)).status_code == 201
    finally:
        await close_services(services)
