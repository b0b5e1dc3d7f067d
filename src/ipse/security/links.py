"""Links to media that need no key, live 60 minutes and open one image of one application (contract 90, I3)."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ipse.security.keyring import KeyRing

LIFETIME: Final = timedelta(seconds=3600)

_PURPOSE: Final = "media-link"
_UNIX_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class LinkRefused(Exception):
    """The link does not open anything. One sentence for every reason, so that it tells a guesser nothing."""

    code = "LINK_INVALID"

    def __init__(self, message: str = "This link is not valid. Ask the API for a new one.") -> None:
        super().__init__(message)


class LinkExpired(LinkRefused):
    """The link was genuine and its time is over."""

    code = "LINK_EXPIRED"

    def __init__(self) -> None:
        super().__init__("This link has expired. Ask the API for a new one.")


def media_link(base_url: str, ring: KeyRing, *, application_id: str, media_id: str, now: datetime) -> str:
    """Return the absolute URL under which ``media_id`` can be fetched until ``now`` + 60 minutes."""
    expires = int((now + LIFETIME).timestamp())
    tag = ring.tag(_message(application_id, media_id, expires), purpose=_PURPOSE)
    signature = base64.urlsafe_b64encode(tag).decode()
    return f"{base_url.rstrip('/')}/media/{media_id}?expires={expires}&signature={signature}"


def check_link(
    ring: KeyRing, *, application_id: str, media_id: str, expires: str, signature: str, now: datetime
) -> datetime:
    """Return when the link ends (UTC).

    Args:
        application_id: the owner of the medium, as stored; it is not part of the link.

    Raises:
        LinkExpired: genuine, but past its time.
        LinkRefused: everything else.
    """
    if not _UNIX_SECONDS.fullmatch(expires):
        raise LinkRefused
    try:
        tag = base64.b64decode(signature, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LinkRefused from error
    if not ring.confirms(tag, _message(application_id, media_id, int(expires)), purpose=_PURPOSE):
        raise LinkRefused
    end = datetime.fromtimestamp(int(expires), UTC)
    if now >= end:
        raise LinkExpired
    return end


def _message(application_id: str, media_id: str, expires: int) -> bytes:
    return f"{application_id}|{media_id}|{expires}".encode()
