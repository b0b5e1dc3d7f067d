"""Rules of accounts that need no database."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from ipse.accounts.codes import code_file, forget_code, send_code
from ipse.accounts.errors import WeakPassword
from ipse.accounts.guesses import lock_after
from ipse.accounts.schemas import Registration
from ipse.accounts.service import _code_from, refuse_weak_password
from ipse.settings import Settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(1, None), (4, None), (5, 15), (6, None), (9, None), (10, 60), (11, None), (20, 1440), (21, 1440), (500, 1440)],
)
def test_the_lockout_grows_with_the_failures(failures: int, minutes: int | None) -> None:
    expected = None if minutes is None else NOW + timedelta(minutes=minutes)
    assert lock_after(failures, NOW) == expected


@pytest.mark.parametrize(
    "address",
    ["nobody", "a@", "a@example.com", "a@EXAMPLE.org", "a@shop.example", "a@host.test", "a@localhost", "a@b.invalid"],
)
def test_reserved_and_malformed_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Registration(email=address, password="x")


def test_addresses_are_compared_in_lower_case() -> None:
    assert Registration(email=" Ada.Lovelace@Bank.DEV ", password="x").email == "ada.lovelace@bank.dev"


def test_a_weak_password_is_told_everything_it_misses() -> None:
    with pytest.raises(WeakPassword) as caught:
        refuse_weak_password("abc")
    assert len(caught.value.body["password"]) == 4
    refuse_weak_password("Tr0ub4dor&3")


def test_codes_have_six_characters_without_look_alikes_and_every_one_is_equally_likely() -> None:
    url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    drawn = [_code_from(character * 24) for character in url_safe]
    assert all(len(code) == 6 for code in drawn)
    assert len(set(drawn)) == 32
    assert all(drawn.count(code) == 2 for code in drawn)
    assert not set("".join(drawn)) & set("IO01")


@pytest.mark.anyio
async def test_without_a_mail_server_the_code_waits_in_a_file_only_the_operator_can_read(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    await send_code(settings, account_id="account", email="ada@bank.dev", code="AAAAAA")
    await send_code(settings, account_id="account", email="ada@bank.dev", code="BBBBBB")
    path = code_file(tmp_path, "account")
    assert path.read_text() == "BBBBBB\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    forget_code(settings, "account")
    forget_code(settings, "account")
    assert not path.exists()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://ipse.localhost", True),
        ("http://192.168.7.2", True),
        ("http://[::1]:8000", True),
        ("https://verify.bank.dev", False),
        ("https://8.8.8.8", False),
    ],
)
def test_only_an_installation_on_a_private_address_counts_as_local(url: str, local: bool) -> None:
    assert Settings(public_url=url).is_local is local
