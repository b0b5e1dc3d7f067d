"""HTTP to addresses that customers name, without becoming their way into our network (SSRF).

The host is resolved once for each connection, every address it resolves to is checked, and the connection goes to a
checked address literally: there is no second look-up that could answer differently (DNS rebinding). What is connected
to is checked once more where the socket is made. The certificate is verified for the name. Connections are kept for a
few seconds and reused for the same name only, never between applications that may call private addresses and those that
may not. Redirects are not followed, proxies of the environment are not used, and one deadline covers everything from
the look-up to the last byte.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port in, textual addresses out; raises OSError when there is none."""

DEFAULT_TIMEOUT_S: Final = 5.0
RESPONSE_LIMIT_BYTES: Final = 20_000
"""What is read of an answer; the rest is left on the wire (RELIABILITY W5)."""

_KEPT_S: Final = 15.0
"""How long a connection without use is kept."""

_ALSO_FORBIDDEN: Final = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's platform address: global by registry, private by use
    ipaddress.ip_network("192.0.0.0/24"),  # IETF protocol assignments, also Oracle's metadata; RFC 6890
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, deprecated by RFC 7526
)
_CARRIERS_OF_IPV4: Final = (
    # Prefix, and how many bits follow the embedded IPv4 address.
    (ipaddress.ip_network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (ipaddress.ip_network("2002::/16"), 80),  # 6to4, RFC 3056
    (ipaddress.ip_network("::/96"), 0),  # IPv4-compatible, RFC 4291, deprecated
    (ipaddress.ip_network("::ffff:0:0:0/96"), 0),  # IPv4-translated, RFC 2765
)


class OutboundError(Exception):
    """A request to a customer's address that did not get an answer. ``retryable`` says whether time may help."""

    code = "OUTBOUND_ERROR"
    retryable = True


class ForbiddenAddress(OutboundError):
    """The host is, or resolves to, an address that is not on the public Internet."""

    code = "ADDRESS_FORBIDDEN"
    retryable = False

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not a public address; private addresses are not allowed for this application.")


class UnusableUrl(OutboundError):
    """The URL cannot be called: scheme, host, port or embedded credentials."""

    code = "URL_UNUSABLE"
    retryable = False


class UnresolvableHost(OutboundError):
    """The name has no address."""

    code = "HOST_UNRESOLVABLE"


class ConnectionFailed(OutboundError):
    """No connection, a broken one, or a certificate that does not hold."""

    code = "CONNECTION_FAILED"


class OutboundTimeout(OutboundError):
    """The deadline passed before the answer was complete."""

    code = "TIMEOUT"


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """An answer of any status. ``body`` holds at most 20 kB; ``milliseconds`` runs from the look-up to the last
    byte.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    milliseconds: int


def is_public(address: IPAddress) -> bool:
    """Return whether ``address`` is globally reachable unicast, seen through every wrapping of IPv4 in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        embedded = _embedded_ipv4(address)
        if embedded is not None:
            return is_public(embedded)
    if any(address.version == network.version and address in network for network in _ALSO_FORBIDDEN):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def check_url(url: str, *, allow_private: bool) -> URL:
    """Return the parsed URL if it may be called.

    Without ``allow_private`` the scheme must be ``https``, and an address written out in the URL must be public. A
    name is only judged when it is resolved, at connect time.

    Raises:
        UnusableUrl: not an absolute http(s) URL, it carries a user name or password, or an address is written in a form
            other than the usual one (``127.1``).
        ForbiddenAddress: a literal private address.
    """
    if not url.isprintable():
        raise UnusableUrl("The URL contains a character that cannot be seen.")
    try:
        parsed = URL(url)
        port = parsed.explicit_port
    except (ValueError, TypeError) as error:
        raise UnusableUrl("This is not a URL.") from error
    usable = parsed.scheme in ("https", "http") and (port is None or 0 < port < 65536)
    if not usable or not parsed.host or " " in parsed.host:
        raise UnusableUrl("Use an absolute https:// URL.")
    if parsed.scheme == "http" and not allow_private:
        raise UnusableUrl("Use https://. Plain http is allowed only where private addresses are.")
    if parsed.user is not None or parsed.password is not None:
        raise UnusableUrl("The URL must not carry a user name or password.")
    literal = _literal(parsed.host)
    if literal is None and (":" in parsed.host or parsed.host.replace(".", "").isdigit()):
        raise UnusableUrl("Write the address in its usual form, such as 192.0.2.1.")
    if literal is not None and not allow_private and not is_public(literal):
        raise ForbiddenAddress(parsed.host)
    return parsed


class OutboundClient:
    """Posts to customers' addresses. One object serves a whole process, in one event loop."""

    def __init__(
        self,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        resolve: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``timeout_s`` covers one whole call; ``tls`` replaces the default trust store (private authorities,
        tests).
        """
        self._timeout_s = timeout_s
        self._resolve = resolve or _resolve
        self._tls = tls or ssl.create_default_context()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close what is open."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool = False
    ) -> OutboundResponse:
        """Send one POST request and return the answer, whatever its status; 3xx included.

        Over a kept connection that turns out to be closed it is sent once more: the receiver may then get it twice.

        Raises:
            OutboundError: one of its children.
        """
        target = check_url(url, allow_private=allow_private)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    call = SimpleNamespace(reused=False)
                    try:
                        return await self._send(target, body, headers, started, allow_private, call)
                    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                        if not call.reused:
                            raise
        except TimeoutError as error:
            raise OutboundTimeout(f"No complete answer within {self._timeout_s:g} s.") from error
        except aiohttp.ClientConnectorDNSError as error:
            raise UnresolvableHost(f"{target.host} has no address.") from error
        except aiohttp.ClientError as error:
            raise _failed(error) from error

    async def _send(
        self,
        target: URL,
        body: bytes,
        headers: Mapping[str, str],
        started: float,
        allow_private: bool,
        call: SimpleNamespace,
    ) -> OutboundResponse:
        session = self._session(allow_private)
        async with session.post(
            target, data=body, headers=headers, allow_redirects=False, trace_request_ctx=call
        ) as response:
            content, truncated = await _read(response)
        return OutboundResponse(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=content,
            truncated=truncated,
            milliseconds=round((time.monotonic() - started) * 1000),
        )

    def _session(self, allow_private: bool) -> aiohttp.ClientSession:
        """Return the connections of those who may call private addresses, or of those who may not."""
        session = self._sessions.get(allow_private)
        if session is None:
            traces = aiohttp.TraceConfig()
            traces.on_connection_reuseconn.append(_note_reuse)
            session = self._sessions[allow_private] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_CheckedResolver(self._resolve, allow_private),
                    socket_factory=_any_socket if allow_private else _public_socket,
                    ssl=self._tls,
                    use_dns_cache=False,
                    limit=0,  # the queue says how many there are at once
                    keepalive_timeout=_KEPT_S,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Undecoded: a small compressed answer must not become a large one here.
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding",),
                timeout=aiohttp.ClientTimeout(),
                trace_configs=[traces],
            )
        return session


class _CheckedResolver(AbstractResolver):
    """Answers with the addresses of a name, or refuses if one of them is not allowed."""

    def __init__(self, resolve: Resolver, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            addresses = await self._resolve(host, port)
        except UnicodeError as error:
            raise OSError("not a name") from error
        if not addresses:
            raise OSError("no address")
        # One private address among public ones is enough to refuse: which one is used is not ours to gamble on.
        if not self._allow_private and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
            raise ForbiddenAddress(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _any_socket(target: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = target
    return socket.socket(family=family, type=kind, proto=protocol)


def _public_socket(target: aiohttp.AddrInfoType) -> socket.socket:
    host = str(target[4][0])
    literal = _literal(host)
    if literal is None or not is_public(literal):
        raise ForbiddenAddress(host)
    return _any_socket(target)


async def _note_reuse(_session: aiohttp.ClientSession, context: SimpleNamespace, _: object) -> None:
    context.trace_request_ctx.reused = True


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > RESPONSE_LIMIT_BYTES:
            response.close()
            return bytes(content[:RESPONSE_LIMIT_BYTES]), True
    return bytes(content), False


def _failed(error: aiohttp.ClientError) -> OutboundError:
    if isinstance(error, aiohttp.ClientSSLError):
        cause = error.__cause__
        reason = cause.reason if isinstance(cause, ssl.SSLError) else None
        return ConnectionFailed(f"TLS failed: {reason or 'the certificate is not accepted'}.")
    number = error.errno if isinstance(error, aiohttp.ClientOSError) else None
    return ConnectionFailed(f"The connection failed ({os.strerror(number) if number else type(error).__name__}).")


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _embedded_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    for network, trailing_bits in _CARRIERS_OF_IPV4:
        if address in network:
            return ipaddress.IPv4Address((int(address) >> trailing_bits) & 0xFFFFFFFF)
    return None
