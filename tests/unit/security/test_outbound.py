"""Which addresses a customer may name; connections themselves are tested in tests/integration/test_outbound.py."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from ipse.security.outbound import (
    ForbiddenAddress,
    OutboundClient,
    OutboundError,
    UnresolvableHost,
    UnusableUrl,
    check_url,
    is_public,
)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",  # carrier-grade NAT
        "100.100.100.200",  # Alibaba's metadata
        "169.254.169.254",  # metadata of most clouds
        "168.63.129.16",  # Azure's platform address
        "192.0.0.192",  # Oracle's metadata
        "198.18.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fc00::1",
        "fd00:ec2::254",  # AWS metadata
        "ff02::1",
        "2001:db8::1",
        "2001:0:102:304::1",  # Teredo
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
    ],
)
def test_an_address_off_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"]
)
def test_an_address_on_the_public_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/hook",
        "ftp://example.org",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:secret@example.org/",
        "https://user@example.org/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://[::1",
        "http://example.org/",
        "https://exa mple.org/",
        "https://example.org/\x00",
        "https://example.org/\u200bhook",
        "https://127.1/",
        "https://2130706433/",
    ],
)
def test_an_unusable_url_is_refused_for_good(url: str) -> None:
    with pytest.raises(UnusableUrl) as caught:
        check_url(url, allow_private=False)
    assert not caught.value.retryable


def test_plain_http_and_private_addresses_need_permission() -> None:
    assert check_url("http://127.0.0.1:9000/hook", allow_private=True).port == 9000
    for url in (
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.1:8443/x",
        "https://1\uff127.0.0.1/",
    ):
        with pytest.raises(ForbiddenAddress):
            check_url(url, allow_private=False)
    assert check_url("https://example.org/my hook?a=b", allow_private=False).raw_path == "/my%20hook"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["0.0.0.0"], ["::ffff:127.0.0.1"], ["::1"], ["8.8.8.8", "10.0.0.1"]],  # noqa: S104
)
async def test_a_name_that_resolves_to_a_private_address_is_refused_before_connecting(answers: list[str]) -> None:
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return answers

    client = OutboundClient(resolve=resolve)
    with pytest.raises(ForbiddenAddress, match=r"rebind\.example\.org is not a public address"):
        await client.post("https://rebind.example.org/hook", body=b"{}", headers={})
    assert asked == [("rebind.example.org", 443)]
    await client.close()


@pytest.mark.anyio
async def test_a_name_without_an_address_is_reported_as_such() -> None:
    async def fails(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    async def empty(host: str, port: int) -> Sequence[str]:
        return []

    for resolve in (fails, empty):
        client = OutboundClient(resolve=resolve)
        with pytest.raises(UnresolvableHost):
            await client.post("https://nowhere.example.org/", body=b"", headers={})
        await client.close()


def test_every_failure_has_a_code_of_its_own() -> None:
    family = OutboundError.__subclasses__()
    assert len({error.code for error in family}) == len(family) == 5
