"""What keys and tokens look like and how they are kept."""

from __future__ import annotations

import re

from ipse.identifiers import RandomIdentifiers
from ipse.security.tokens import (
    digest,
    matches,
    new_api_key,
    new_opaque_token,
    new_session_token,
    new_webhook_secret,
)

IDENTIFIERS = RandomIdentifiers()


def test_an_api_key_names_its_environment_and_shows_little_of_itself() -> None:
    sandbox, live = new_api_key(IDENTIFIERS, "sandbox"), new_api_key(IDENTIFIERS, "live")
    assert re.fullmatch(r"ipse_test_[\w-]{40}", sandbox.text, re.ASCII)
    assert re.fullmatch(r"ipse_live_[\w-]{40}", live.text, re.ASCII)
    assert live.prefix == live.text[:16]
    assert live.digest == digest(live.text)
    assert len(live.prefix) <= 24


def test_a_session_token_has_twelve_url_safe_characters() -> None:
    assert re.fullmatch(r"[\w-]{12}", new_session_token(IDENTIFIERS).text, re.ASCII)


def test_opaque_tokens_and_webhook_secrets_have_256_bits() -> None:
    for text in (new_opaque_token(IDENTIFIERS).text, new_webhook_secret(IDENTIFIERS)):
        assert re.fullmatch(r"[\w-]{43}", text, re.ASCII)


def test_a_token_matches_its_own_digest_only() -> None:
    token = new_opaque_token(IDENTIFIERS)
    assert matches(token.text, token.digest)
    assert not matches(token.text + "x", token.digest)
    assert not matches("\ud800", token.digest)


def test_a_new_token_does_not_print_its_text() -> None:
    token = new_api_key(IDENTIFIERS, "live")
    assert token.text not in repr(token)
    assert token.digest not in repr(token)
