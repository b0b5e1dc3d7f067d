"""Who gets which event."""

from __future__ import annotations

import pytest

from ipse.webhooks.events import EMITTED, Interest, interest, unknown_events


@pytest.mark.parametrize(
    ("subscribed", "webhook_type", "status", "wanted"),
    [
        (["status.updated"], "status.updated", "In Progress", Interest(None)),
        (["status.updated"], "data.updated", "Approved", None),
        (["session.verified"], "status.updated", "Approved", Interest("session.verified")),
        (["session.verified"], "status.updated", "Declined", None),
        (["session.verified"], "data.updated", "Approved", None),
        (["session.review_started"], "status.updated", "In Review", Interest("session.review_started")),
        (["session.declined"], "status.updated", "Declined", Interest("session.declined")),
        (["session.declined", "status.updated"], "status.updated", "Declined", Interest(None)),
        (["user.created"], "user.status.updated", None, None),
        ([], "status.updated", "Approved", None),
    ],
)
def test_a_destination_gets_what_it_subscribed_to_by_name_or_alias(
    subscribed: list[str], webhook_type: str, status: str | None, wanted: Interest | None
) -> None:
    assert interest(subscribed, webhook_type, status) == wanted


def test_names_of_the_contract_its_aliases_and_newer_clients_are_known() -> None:
    names = ["session.verified", "user.created", *sorted(EMITTED), "session.approved", "STATUS.UPDATED", ""]
    assert unknown_events(names) == ("session.approved", "STATUS.UPDATED", "")
