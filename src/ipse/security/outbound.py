"""HTTP to addresses that customers name, without becoming their way into our network (SSRF).

The host is resolved once, every address it resolves to is checked, and the connection goes to a checked address
literally: there is no second look-up that could answer differently (DNS rebinding). The certificate is still verified
for the name. Redirects are not followed, proxies of the environment are not used, connections are not reused (a pool
keyed by address would share one host's verified connection with another), and one deadline covers everything from the
look-up to the last byte.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import httpx2

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port in, textual addresses out; raises OSError when there is none."""

DEFAULT_TIMEOUT_S: Final = 5.0
RESPONSE_LIMIT_BYTES: Final = 20_000
"""What is read of an answer; the rest is left on the wire (RELIABILITY W5)."""

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


def check_url(url: str, *, allow_private: bool) -> httpx2.URL:
    """Return the parsed URL if it may be called.

    Without ``allow_private`` the scheme must be ``https``, and an address written out in the URL must be public. A
    name is only judged when it is resolved, at connect time.

    Raises:
        UnusableUrl: not an absolute http(s) URL, or it carries a user name or password.
        ForbiddenAddress: a literal private address.
    """
    try:
        parsed = httpx2.URL(url)
        port = parsed.port
    except (httpx2.InvalidURL, ValueError) as error:
        raise UnusableUrl("This is not a URL.") from error
    if parsed.scheme not in ("https", "http") or not parsed.host or not (port is None or 0 < port < 65536):
        raise UnusableUrl("Use an absolute https:// URL.")
    if parsed.scheme == "http" and not allow_private:
        raise UnusableUrl("Use https://. Plain http is allowed only where private addresses are.")
    if parsed.userinfo:
        raise UnusableUrl("The URL must not carry a user name or password.")
    literal = _literal(parsed.host)
    if literal is not None and not allow_private and not is_public(literal):
        raise ForbiddenAddress(parsed.host)
    return parsed


class OutboundClient:
    """Posts to customers' addresses. One object serves a whole process."""

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
        self._transport = httpx2.AsyncHTTPTransport(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            http2=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool = False
    ) -> OutboundResponse:
        """Send one POST request and return the answer, whatever its status; 3xx included.

        Raises:
            OutboundError: one of its children.
        """
        target = check_url(url, allow_private=allow_private)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await self._checked_addresses(target, allow_private)
                return await self._send(target, addresses, body, headers, started)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise OutboundTimeout(f"No complete answer within {self._timeout_s:g} s.") from error

    async def _checked_addresses(self, target: httpx2.URL, allow_private: bool) -> Sequence[str]:
        try:
            addresses = await self._resolve(target.raw_host.decode("ascii"), target.port or _default_port(target))
        except (OSError, UnicodeError) as error:
            raise UnresolvableHost(f"{target.host} has no address.") from error
        if not addresses:
            raise UnresolvableHost(f"{target.host} has no address.")
        # One private address among public ones is enough to refuse: which one is used is not ours to gamble on.
        if not allow_private and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
            raise ForbiddenAddress(target.host)
        return addresses

    async def _send(
        self, target: httpx2.URL, addresses: Sequence[str], body: bytes, headers: Mapping[str, str], started: float
    ) -> OutboundResponse:
        failure: Exception | None = None
        for address in addresses:
            request = httpx2.Request(
                "POST",
                target.copy_with(host=address),
                content=body,
                headers={**headers, "host": target.netloc.decode("ascii"), "connection": "close"},
                extensions={
                    "sni_hostname": target.raw_host.decode("ascii"),
                    "timeout": httpx2.Timeout(self._timeout_s).as_dict(),
                },
            )
            try:
                response = await self._transport.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error  # nothing was sent: the next address may answer
                continue
            except httpx2.TransportError as error:
                raise _failed(error) from error
            try:
                content, truncated = await _read(response)
            except httpx2.TransportError as error:
                raise _failed(error) from error
            finally:
                await response.aclose()
            return OutboundResponse(
                status=response.status_code,
                headers=dict(response.headers),
                body=content,
                truncated=truncated,
                milliseconds=round((time.monotonic() - started) * 1000),
            )
        assert failure is not None
        raise _failed(failure) from failure


async def _read(response: httpx2.Response) -> tuple[bytes, bool]:
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    content = bytearray()
    # The raw stream, undecoded: a small compressed answer must not become a large one here.
    async for chunk in response.stream:
        content += chunk
        if len(content) > RESPONSE_LIMIT_BYTES:
            return bytes(content[:RESPONSE_LIMIT_BYTES]), True
    return bytes(content), False


def _failed(error: Exception) -> OutboundError:
    if isinstance(error, httpx2.TimeoutException):
        return OutboundTimeout("No answer in time.")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return ConnectionFailed(f"TLS failed: {cause.reason or 'the certificate is not accepted'}.")
        cause = cause.__cause__ or cause.__context__
    return ConnectionFailed(f"The connection failed ({type(error).__name__}).")


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


def _default_port(url: httpx2.URL) -> int:
    return 443 if url.scheme == "https" else 80


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
