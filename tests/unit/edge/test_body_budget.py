"""The memory that request bodies may take together."""

from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException

from ipse.edge.body_budget import BodyBudget


def test_bodies_beyond_the_budget_are_refused_until_others_are_done() -> None:
    budget = BodyBudget(100)
    budget.take(60)
    with pytest.raises(HTTPException) as refused:
        budget.take(41)
    assert refused.value.status_code == 503
    assert refused.value.headers == {"Retry-After": "2"}
    assert budget.held == 60
    budget.give_back(60)
    budget.take(41)
    assert budget.held == 41


def test_single_body_is_never_refused_for_a_budget_that_is_too_small_for_it() -> None:
    budget = BodyBudget(10)
    budget.take(50)
    with pytest.raises(HTTPException):
        budget.take(1)
