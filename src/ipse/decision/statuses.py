"""Session and feature statuses, and the one table that says how a session may move.

Source: contract 10 section 4 (the ten statuses and their exits) and section 8 (which statuses a
reviewer may overrule).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class SessionStatus(StrEnum):
    """The ten session statuses, spelled as on the wire and never localised."""

    NOT_STARTED = "Not Started"
    IN_PROGRESS = "In Progress"
    AWAITING_USER = "Awaiting User"
    IN_REVIEW = "In Review"
    APPROVED = "Approved"
    DECLINED = "Declined"
    RESUBMITTED = "Resubmitted"
    EXPIRED = "Expired"
    ABANDONED = "Abandoned"
    KYC_EXPIRED = "Kyc Expired"


class FeatureStatus(StrEnum):
    """The status of one check inside a session."""

    NOT_FINISHED = "Not Finished"
    APPROVED = "Approved"
    DECLINED = "Declined"
    IN_REVIEW = "In Review"
    RESUB_REQUESTED = "Resub Requested"
    EXPIRED = "Expired"


class Cause(StrEnum):
    """What moves a session: each transition is open to some causes only."""

    OPENED = "opened"
    """The person opened the link or the first frame arrived."""
    EVALUATED = "evaluated"
    """The workflow was evaluated over finished checks."""
    REVIEWER = "reviewer"
    """A person or an API key overruled the status (update-status)."""
    RESUBMISSION = "resubmission"
    """A reviewer reopened selected steps."""
    REPORTED = "reported"
    """The person in front of the camera said that the action is not theirs."""
    LEFT = "left"
    """The person took the way without biometrics."""
    CLOCK = "clock"
    """A deadline passed: link, capture window or document validity."""


_S = SessionStatus

TRANSITIONS: Final[Mapping[tuple[SessionStatus, SessionStatus], frozenset[Cause]]] = MappingProxyType(
    {
        (_S.NOT_STARTED, _S.IN_PROGRESS): frozenset({Cause.OPENED}),
        (_S.NOT_STARTED, _S.EXPIRED): frozenset({Cause.CLOCK}),
        (_S.IN_PROGRESS, _S.APPROVED): frozenset({Cause.EVALUATED}),
        (_S.IN_PROGRESS, _S.DECLINED): frozenset({Cause.EVALUATED, Cause.REPORTED}),
        (_S.IN_PROGRESS, _S.IN_REVIEW): frozenset({Cause.EVALUATED}),
        (_S.IN_PROGRESS, _S.AWAITING_USER): frozenset({Cause.EVALUATED}),
        (_S.IN_PROGRESS, _S.ABANDONED): frozenset({Cause.CLOCK, Cause.LEFT}),
        (_S.AWAITING_USER, _S.APPROVED): frozenset({Cause.EVALUATED}),
        (_S.AWAITING_USER, _S.DECLINED): frozenset({Cause.EVALUATED, Cause.REPORTED}),
        (_S.AWAITING_USER, _S.IN_REVIEW): frozenset({Cause.EVALUATED}),
        (_S.IN_REVIEW, _S.APPROVED): frozenset({Cause.REVIEWER}),
        (_S.IN_REVIEW, _S.DECLINED): frozenset({Cause.REVIEWER}),
        (_S.IN_REVIEW, _S.RESUBMITTED): frozenset({Cause.RESUBMISSION}),
        (_S.APPROVED, _S.DECLINED): frozenset({Cause.REVIEWER}),
        (_S.APPROVED, _S.RESUBMITTED): frozenset({Cause.RESUBMISSION}),
        (_S.APPROVED, _S.KYC_EXPIRED): frozenset({Cause.CLOCK}),
        (_S.DECLINED, _S.APPROVED): frozenset({Cause.REVIEWER}),
        (_S.DECLINED, _S.RESUBMITTED): frozenset({Cause.RESUBMISSION}),
        (_S.RESUBMITTED, _S.APPROVED): frozenset({Cause.EVALUATED, Cause.REVIEWER}),
        (_S.RESUBMITTED, _S.DECLINED): frozenset({Cause.EVALUATED, Cause.REVIEWER, Cause.REPORTED}),
        (_S.RESUBMITTED, _S.IN_REVIEW): frozenset({Cause.EVALUATED}),
        (_S.ABANDONED, _S.APPROVED): frozenset({Cause.REVIEWER}),
        (_S.ABANDONED, _S.DECLINED): frozenset({Cause.REVIEWER}),
        (_S.ABANDONED, _S.RESUBMITTED): frozenset({Cause.RESUBMISSION}),
        (_S.KYC_EXPIRED, _S.APPROVED): frozenset({Cause.REVIEWER}),
        (_S.KYC_EXPIRED, _S.DECLINED): frozenset({Cause.REVIEWER}),
        (_S.KYC_EXPIRED, _S.RESUBMITTED): frozenset({Cause.RESUBMISSION}),
    }
)
"""Every legal move with the causes that may bring it about."""

UNFINISHED: Final = frozenset({_S.NOT_STARTED, _S.IN_PROGRESS, _S.AWAITING_USER, _S.RESUBMITTED})
"""The link still works; session create hands such a session out again (contract 10 section 1)."""

DECIDED: Final = frozenset({_S.APPROVED, _S.DECLINED, _S.IN_REVIEW})
"""Statuses an evaluation can end in."""

FINAL: Final = frozenset({_S.APPROVED, _S.DECLINED, _S.EXPIRED, _S.ABANDONED, _S.KYC_EXPIRED})
"""Nothing more happens by itself; a reviewer may still overrule all of them but Expired."""

REVIEWABLE: Final = frozenset({_S.APPROVED, _S.DECLINED, _S.IN_REVIEW, _S.KYC_EXPIRED, _S.ABANDONED, _S.RESUBMITTED})
"""Statuses from which update-status is accepted at all (contract 10 section 8, check 1)."""


class IllegalTransition(Exception):
    """The table has no such move, or not for this cause."""

    code = "illegal_transition"

    def __init__(self, current: SessionStatus, target: SessionStatus, cause: Cause) -> None:
        self.current = current
        self.target = target
        self.cause = cause
        super().__init__(f"A session in status '{current}' cannot become '{target}' because of '{cause}'.")


def can_move(current: SessionStatus, target: SessionStatus, cause: Cause) -> bool:
    """Tell whether ``cause`` may take a session from ``current`` to ``target``."""
    return cause in TRANSITIONS.get((current, target), frozenset())


def move(current: SessionStatus, target: SessionStatus, cause: Cause) -> SessionStatus:
    """Return ``target``; raise IllegalTransition when the table does not allow the move."""
    if not can_move(current, target, cause):
        raise IllegalTransition(current, target, cause)
    return target
