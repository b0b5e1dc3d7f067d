"""Refusals of the capture API; each tells the page what to do."""

from __future__ import annotations

from collections.abc import Sequence

from ipse.edge.errors import ApiError, BusinessRuleError, Detail, FieldErrors


class LinkExpired(Detail):
    """410: the link is no longer valid."""

    def __init__(self) -> None:
        super().__init__(410, "This link has expired. Ask for a new one where you came from.")


class AlreadyDecided(ApiError):
    """409: nothing more can be submitted."""

    def __init__(self, status: str) -> None:
        super().__init__(409, {"detail": "This session is already finished.", "status": status})


class OtherAction(ApiError):
    """409: the action changed, or the page does not say which one it shows. Read the state and show it again."""

    def __init__(self) -> None:
        super().__init__(
            409,
            {
                "detail": "Another action is to be shown. Read the state, show its purpose, and send its action_hash.",
                "error_code": "OTHER_ACTION",
            },
        )


class OtherStep(ApiError):
    """409: another step is next; ``start`` or ``state`` tells which."""

    def __init__(self, node_id: str | None) -> None:
        super().__init__(409, {"detail": "Another step comes next. Read the session's state.", "node_id": node_id})


class ChangedMeanwhile(Detail):
    """409: the session moved on while the frames were examined."""

    def __init__(self) -> None:
        super().__init__(409, "The session changed in the meantime. Read its state.", {"Retry-After": "1"})


class UnusableFrame(FieldErrors):
    """400: a frame that is not a usable image."""

    def __init__(self, message: str) -> None:
        super().__init__({"frames": [message]})


class OtherDevice(Detail):
    """409: the person goes on at the other device."""

    def __init__(self) -> None:
        super().__init__(409, "This session goes on at another device. Take it back there, or end the hand-off here.")


class NotTheFirst(Detail):
    """409: only the device that holds the session's own link hands it over."""

    def __init__(self) -> None:
        super().__init__(409, "This device took the session over; it cannot hand it on.")


class NotTheSecond(Detail):
    """409: the person confirms the number where the link was opened."""

    def __init__(self) -> None:
        super().__init__(409, "Confirm the number on the device that opened the link.")


class HandoffGone(Detail):
    """410: the link for a second device was used, replaced, or ran out."""

    def __init__(self) -> None:
        super().__init__(410, "This link works once and for five minutes. Ask for a new one on the first device.")


class HandoffOver(Detail):
    """409: the hand-off ended before it was confirmed."""

    def __init__(self) -> None:
        super().__init__(409, "The first device went on without this one. Ask for a new link there.")


class HandoffNotAllowed(Detail):
    """403: the workflow keeps the session on one device."""

    def __init__(self) -> None:
        super().__init__(403, "This session must be finished on the device on which it was opened.")


class ChallengeGone(Detail):
    """410: the challenge was used, replaced, took too long, or has expired. No attempt is lost."""

    def __init__(self) -> None:
        super().__init__(410, "This challenge can no longer be answered. Ask for a new one; no attempt was lost.")


class OtherPhase(ApiError):
    """409: another phase of the challenge is to be committed."""

    def __init__(self, index: int) -> None:
        super().__init__(409, {"detail": "Another phase of the challenge comes next.", "index": index})


class ChallengeUnfinished(Detail):
    """409: frames were submitted before every phase was committed."""

    def __init__(self) -> None:
        super().__init__(409, "The challenge is not finished. Commit every phase first.")


class TooManyChallenges(Detail):
    """429: nobody may ask for challenges until one suits."""

    def __init__(self) -> None:
        super().__init__(
            429, "Too many challenges were begun at this attempt. Submit what was recorded, or use another method."
        )


class MethodRefused(BusinessRuleError):
    """400: the step does not accept this method, or the challenge is of another one."""

    def __init__(self, method: str, accepted: Sequence[str]) -> None:
        super().__init__("method", f"{method} is not accepted at this step; use one of: {', '.join(accepted)}.")


class ChallengeMissing(BusinessRuleError):
    """400: a method that needs a challenge was submitted without one."""

    def __init__(self, method: str) -> None:
        super().__init__(
            "challenge",
            f"{method} needs a challenge: POST …/steps/{{node_id}}/challenge/, show and commit its phases, then submit "
            "its id with the frames.",
        )


class UnusableRecording(FieldErrors):
    """400: the frames of a challenge, or the observations, are not what they should be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: [message]})


class NoOtherWay(Detail):
    """409: the workflow offers no way without biometrics at this point."""

    def __init__(self) -> None:
        super().__init__(409, "This session offers no other way. Ask where you came from.")
