"""Keys and tokens: random text that is shown once and stored as its SHA-256.

A plain SHA-256 suffices because every token has at least 72 bits of entropy; slow hashing is for passwords.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Literal

from ipse.identifiers import Identifiers

SESSION_TOKEN_CHARACTERS: Final = 12
"""Length the contract fixes for session tokens: 72 bits, valid for one session only."""

OPAQUE_TOKEN_CHARACTERS: Final = 43
"""256 bits in the URL-safe alphabet: access and refresh tokens, webhook secrets (contract 40, section 1)."""

API_KEY_CHARACTERS: Final = 40
_API_KEY_SHOWN_CHARACTERS: Final = 6
_API_KEY_HEADS: Final = {"sandbox": "ipse_test_", "live": "ipse_live_"}


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the one moment when its text is known; store ``digest`` and, for people to recognise it,
    ``prefix``.
    """

    text: str
    prefix: str
    digest: str

    def __repr__(self) -> str:
        return f"NewToken(prefix={self.prefix!r})"


def new_api_key(identifiers: Identifiers, environment: Literal["sandbox", "live"]) -> NewToken:
    """Return a key whose head names the environment, such as ``ipse_test_``, so that a leaked key is recognised."""
    head = _API_KEY_HEADS[environment]
    text = head + identifiers.token(API_KEY_CHARACTERS)
    return NewToken(text, text[: len(head) + _API_KEY_SHOWN_CHARACTERS], digest(text))


def new_session_token(identifiers: Identifiers) -> NewToken:
    """Return a token of 12 URL-safe characters for the capture page of one session."""
    text = identifiers.token(SESSION_TOKEN_CHARACTERS)
    return NewToken(text, text[:2], digest(text))


def new_opaque_token(identifiers: Identifiers) -> NewToken:
    """Return an access or refresh token of 43 URL-safe characters."""
    text = identifiers.token(OPAQUE_TOKEN_CHARACTERS)
    return NewToken(text, text[:4], digest(text))


def new_webhook_secret(identifiers: Identifiers) -> str:
    """Return the ``secret_shared_key`` of a destination: 43 URL-safe characters."""
    return identifiers.token(OPAQUE_TOKEN_CHARACTERS)


def digest(token: str) -> str:
    """Return the SHA-256 of ``token``: 64 lower-case hexadecimal digits."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def matches(token: str, stored_digest: str) -> bool:
    """Return whether ``token`` has ``stored_digest``, in time that does not depend on where they differ."""
    return hmac.compare_digest(digest(token), stored_digest)
