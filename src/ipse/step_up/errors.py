"""Why a verdict is not given or not accepted. ``error_code`` is stable; programs read it."""

from __future__ import annotations

from ipse.edge.errors import ApiError


class _Coded(ApiError):
    def __init__(self, http_status: int, code: str, message: str, /, **more: str) -> None:
        super().__init__(http_status, {"detail": message, "error_code": code, **more})


class InvalidToken(_Coded):
    """One answer for every kind of forgery."""

    def __init__(self) -> None:
        super().__init__(400, "TOKEN_INVALID", "This is not a verdict for this application.")


class ExpiredToken(_Coded):
    def __init__(self) -> None:
        super().__init__(400, "TOKEN_EXPIRED", "This verdict has expired. Ask for another one, or for another face.")


class ActionMismatch(_Coded):
    """The action that is about to be executed is not the one that was shown."""

    def __init__(self) -> None:
        super().__init__(
            400, "ACTION_MISMATCH", "The person approved another action. Do not execute this one; begin a new session."
        )


class AlreadyRedeemed(_Coded):
    def __init__(self) -> None:
        super().__init__(409, "ALREADY_REDEEMED", "This approval was used before. One approval allows one action.")


class VerdictRevoked(_Coded):
    def __init__(self) -> None:
        super().__init__(
            409, "VERDICT_REVOKED", "This verdict holds no more: a newer one was issued, or the session changed."
        )


class NotApproved(_Coded):
    def __init__(self, status: str) -> None:
        super().__init__(409, "NOT_APPROVED", f"A session that is {status} has no verdict.", status=status)


class WindowOver(_Coded):
    def __init__(self) -> None:
        super().__init__(409, "VERDICT_WINDOW_OVER", "The decision is too old for a verdict. Begin a new session.")


class EndsWithCode(_Coded):
    def __init__(self) -> None:
        super().__init__(
            409, "ENDS_WITH_CODE", "This session was begun by otp/start: check the code that the person reads."
        )


class NoVerdictHere(_Coded):
    def __init__(self) -> None:
        super().__init__(409, "NOT_A_SESSION", "A saved standalone call has no verdict: nobody saw what they approved.")
