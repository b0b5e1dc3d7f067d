"""The signals of velocity: each from counts, and none where there is nobody to count for."""

from __future__ import annotations

from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.signals.velocity import PastActions, of_velocity

LISTED = {code for code, signal in SIGNALS.items() if signal.group == "velocity"}
BUSY = PastActions(
    user_10m=2,
    user_1h=3,
    user_24h=6,
    user_same_type_24h=4,
    user_payees_24h=2,
    user_denied_24h=1,
    user_unfinished_24h=2,
    device_1h=3,
    device_users_24h=1,
    ip_10m=30,
    ip_1h=40,
    ip_users_1h=32,
)
QUIET = PastActions(0, 0, 0, 0, 0, 0, 0)


def test_every_listed_signal_is_computed_and_of_its_type() -> None:
    values = of_velocity(BUSY)
    assert set(values) == LISTED
    assert problems_of(values) == ()


def test_an_hour_is_compared_with_an_even_day() -> None:
    assert of_velocity(BUSY)["velocity.user_burst"] == 12.0
    assert of_velocity(QUIET)["velocity.user_burst"] == 0.0


def test_one_address_that_tries_many_people_once_each_is_near_one() -> None:
    assert of_velocity(BUSY)["velocity.ip_actions_per_user_1h"] == 1.25


def test_without_device_and_address_nothing_is_said_about_them() -> None:
    assert {code for code in of_velocity(QUIET) if ".user_" not in code} == set()
