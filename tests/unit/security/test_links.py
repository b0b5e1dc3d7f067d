"""What a media link opens, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from ipse.security.keyring import KeyRing, Ring
from ipse.security.links import LIFETIME, LinkExpired, LinkRefused, check_link, media_link

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RING = KeyRing.create(Ring.ORDINARY)
URL = urlsplit(media_link("http://host:8000/", RING, application_id="app", media_id="medium", now=NOW))
QUERY = {name: values[0] for name, values in parse_qs(URL.query).items()}


def opened(
    now: datetime = NOW,
    *,
    ring: KeyRing = RING,
    application_id: str = "app",
    media_id: str = "medium",
    expires: str = QUERY["expires"],
    signature: str = QUERY["signature"],
) -> datetime:
    return check_link(
        ring, application_id=application_id, media_id=media_id, expires=expires, signature=signature, now=now
    )


def test_a_link_names_the_medium_and_lives_sixty_minutes() -> None:
    assert f"{URL.scheme}://{URL.netloc}{URL.path}" == "http://host:8000/media/medium"
    assert opened() == NOW + timedelta(minutes=60)
    assert opened(NOW + LIFETIME - timedelta(seconds=1)) == NOW + LIFETIME


def test_a_link_is_dead_after_sixty_minutes() -> None:
    with pytest.raises(LinkExpired, match="has expired"):
        opened(NOW + LIFETIME)


@pytest.mark.parametrize(
    "change",
    [
        {"media_id": "other"},
        {"application_id": "other"},
        {"expires": "9999999999"},
        {"expires": ""},
        {"expires": "1e9"},
        {"expires": "-1"},
        {"signature": ""},
        {"signature": "AAAA"},
        {"signature": "not base64!"},
        {"signature": "é"},
        {"signature": QUERY["signature"][:-4]},
    ],
)
def test_any_change_refuses_with_the_same_words(change: dict[str, str]) -> None:
    given = {"media_id": "medium", "application_id": "app", **QUERY, **change}
    with pytest.raises(LinkRefused) as caught:
        check_link(RING, now=NOW, **given)
    assert type(caught.value) is LinkRefused
    assert str(caught.value) == str(LinkRefused())


def test_an_expired_forgery_does_not_learn_that_it_expired() -> None:
    with pytest.raises(LinkRefused) as caught:
        opened(NOW + 2 * LIFETIME, media_id="other")
    assert not isinstance(caught.value, LinkExpired)


def test_a_link_survives_a_rotation_and_not_another_ring() -> None:
    ring = KeyRing.create(Ring.ORDINARY)
    link = urlsplit(media_link("http://h", ring, application_id="app", media_id="medium", now=NOW))
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    ring.rotate()
    assert opened(ring=ring, expires=query["expires"], signature=query["signature"]) == NOW + LIFETIME
    with pytest.raises(LinkRefused):
        opened(expires=query["expires"], signature=query["signature"])
