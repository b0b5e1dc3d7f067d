"""The outbound client against real sockets: private addresses, redirects, deadlines, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ipse.security.outbound import (
    RESPONSE_LIMIT_BYTES,
    ConnectionFailed,
    ForbiddenAddress,
    OutboundClient,
    OutboundTimeout,
    UnusableUrl,
)

pytestmark = pytest.mark.anyio

Answer = Callable[[asyncio.StreamWriter, asyncio.StreamReader], Awaitable[None]]


class Server:
    """A socket that answers every request in one way and remembers what it received."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []
        self.connections = 0


@contextlib.asynccontextmanager
async def serving(
    answer: Answer, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
            server.requests.append(head + await reader.readexactly(length))
            await answer(writer, reader)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    listener = await asyncio.start_server(handle, host, 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


def saying(text: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter, _: asyncio.StreamReader) -> None:
        writer.write(text)
        await writer.drain()

    return answer


OK = saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_the_host_header_keeps_the_name_and_the_body_arrives_unchanged() -> None:
    client = OutboundClient(resolve=resolving("127.0.0.1"))
    async with serving(OK) as server:
        response = await client.post(
            f"http://hooks.example.org:{server.port}/in?x=1",
            body=b'{"a":1}',
            headers={"x-signature": "s"},
            allow_private=True,
        )
    await client.close()
    assert (response.status, response.body, response.truncated) == (200, b"ok", False)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in?x=1 HTTP/1.1\r\n")
    assert f"host: hooks.example.org:{server.port}".encode() in head.lower()
    assert b"x-signature: s" in head.lower()
    assert body == b'{"a":1}'


async def test_the_real_resolver_and_localhost_are_refused_at_connect_and_reach_nothing() -> None:
    client = OutboundClient()
    async with serving(OK) as server:
        for host in ("localhost", "0x7f000001", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"):  # noqa: S104
            with pytest.raises(ForbiddenAddress):
                await client.post(f"https://{host}:{server.port}/", body=b"", headers={})
        for host in ("127.1", "2130706433", "0"):
            for allow_private in (False, True):
                with pytest.raises(UnusableUrl):
                    await client.post(
                        f"https://{host}:{server.port}/", body=b"", headers={}, allow_private=allow_private
                    )
        assert server.connections == 0
        assert (
            await client.post(f"http://localhost:{server.port}/", body=b"", headers={}, allow_private=True)
        ).status == 200
    await client.close()


async def test_a_name_that_changes_its_address_after_the_check_changes_nothing() -> None:
    """DNS rebinding: one look-up per call, and the connection goes to its answer."""
    answers = iter([["127.0.0.1"], ["203.0.113.1"]])
    looked_up = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal looked_up
        looked_up += 1
        return next(answers)

    client = OutboundClient(resolve=resolve)
    async with serving(OK) as server:
        await client.post(f"http://rebind.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()
    assert looked_up == 1
    assert server.connections == 1


async def test_redirects_are_not_followed() -> None:
    client = OutboundClient()
    async with serving(OK) as inside:
        moved = f"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{inside.port}/\r\ncontent-length: 0\r\n\r\n".encode()
        async with serving(saying(moved)) as server:
            response = await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()
    assert response.status == 307
    assert inside.connections == 0


async def test_one_deadline_covers_a_server_that_never_answers_and_one_that_trickles() -> None:
    async def silence(writer: asyncio.StreamWriter, _: asyncio.StreamReader) -> None:
        await asyncio.sleep(30)

    async def trickle(writer: asyncio.StreamWriter, _: asyncio.StreamReader) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    client = OutboundClient(timeout_s=0.4)
    for answer in (silence, trickle):
        started = asyncio.get_running_loop().time()
        with pytest.raises(OutboundTimeout):
            async with serving(answer) as server:
                await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
        assert asyncio.get_running_loop().time() - started < 2
    await client.close()


async def test_a_name_server_that_hangs_is_covered_too() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(30)
        return []

    client = OutboundClient(timeout_s=0.1, resolve=resolve)
    with pytest.raises(OutboundTimeout):
        await client.post("https://slow.example.org/", body=b"", headers={})
    await client.close()


async def test_an_endless_answer_is_read_no_further_than_its_limit() -> None:
    async def flood(writer: asyncio.StreamWriter, _: asyncio.StreamReader) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 4096)
            await writer.drain()

    client = OutboundClient()
    async with serving(flood) as server:
        response = await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()
    assert response.truncated
    assert len(response.body) == RESPONSE_LIMIT_BYTES


async def test_a_closed_port_and_a_broken_answer_are_connection_failures() -> None:
    client = OutboundClient()
    async with serving(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nxx")) as server:
        with pytest.raises(ConnectionFailed):
            await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
    with pytest.raises(ConnectionFailed, match="Connection refused"):
        await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()


async def test_an_answer_that_is_no_http_is_a_connection_failure() -> None:
    client = OutboundClient()
    for answer in (b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b""):
        async with serving(saying(answer)) as server:
            with pytest.raises(ConnectionFailed):
                await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()


async def test_the_next_address_is_tried_when_the_first_refuses_the_connection() -> None:
    client = OutboundClient(resolve=resolving("127.0.0.2", "127.0.0.1"))
    async with serving(OK) as server:
        response = await client.post(f"http://two.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()
    assert response.status == 200


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A self-signed certificate for ``name``: the server's context and that of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return server, ssl.create_default_context(cafile=str(folder / "c.pem"))


async def test_the_certificate_is_verified_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path, "hooks.example.org")
    names: list[str | None] = []
    server_tls.sni_callback = lambda _socket, name, _context: names.append(name)
    client = OutboundClient(resolve=resolving("127.0.0.1"), tls=client_tls)
    strict = OutboundClient(resolve=resolving("127.0.0.1"))
    async with serving(OK, tls=server_tls) as server:
        good = await client.post(f"https://hooks.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
        with pytest.raises(ConnectionFailed, match="TLS failed"):
            await client.post(f"https://other.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
        with pytest.raises(ConnectionFailed, match="TLS failed"):
            await strict.post(f"https://hooks.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
    await client.close()
    await strict.close()
    assert good.status == 200
    assert names[0] == "hooks.example.org"


async def keeping(writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
    """Answer every request of a connection."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")


async def test_a_connection_is_reused_for_the_same_name_and_permission_only(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path, "one.example.org")
    client = OutboundClient(resolve=resolving("127.0.0.1"), tls=client_tls)
    async with serving(keeping, tls=server_tls) as server:
        for _ in range(3):
            await client.post(f"https://one.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
        assert server.connections == 1
        # Another name gets no connection that was verified for the first, and who may not call private addresses none
        # that leads to one.
        with pytest.raises(ConnectionFailed, match="TLS failed"):
            await client.post(f"https://two.example.org:{server.port}/", body=b"", headers={}, allow_private=True)
        with pytest.raises(ForbiddenAddress):
            await client.post(f"https://one.example.org:{server.port}/", body=b"", headers={})
        await client.close()


async def test_a_kept_connection_that_the_receiver_closed_costs_nothing() -> None:
    client = OutboundClient()
    async with serving(OK) as server:  # says nothing of closing, and closes after each answer
        for _ in range(5):
            response = await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
            assert response.status == 200
    await client.close()


async def test_a_receiver_that_drops_a_kept_connection_unanswered_gets_the_request_on_a_new_one() -> None:
    async def once(writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")  # the next request, never answered

    client = OutboundClient()
    async with serving(once) as server:
        for _ in range(2):
            response = await client.post(f"http://127.0.0.1:{server.port}/", body=b"", headers={}, allow_private=True)
            assert response.status == 200
    await client.close()
    assert server.connections == 2
