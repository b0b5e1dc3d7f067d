"""What can go wrong between a person and their account."""

from __future__ import annotations

from ipse.edge.errors import BusinessRuleError, Detail, FieldErrors, TooManyRequests


class AccountExists(FieldErrors):
    """The address is taken."""

    def __init__(self) -> None:
        super().__init__({"email": ["An account with this address exists. Sign in instead."]})


class WeakPassword(FieldErrors):
    """The password misses a part of the rule."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__({"password": problems})


class WrongCode(FieldErrors):
    """The code is wrong, used up or older than fifteen minutes: one text for all, so that nothing leaks."""

    def __init__(self) -> None:
        super().__init__({"code": ["This code is wrong or has expired. Check the mail or ask for a new code."]})


class WrongCredentials(Detail):
    """Address or password is wrong; which one is not said."""

    def __init__(self) -> None:
        super().__init__(401, "The email address or the password is wrong.")


class NotVerified(Detail):
    """The password is right, the address was never confirmed."""

    def __init__(self) -> None:
        super().__init__(403, "This email address is not verified yet. Enter the code of the mail first.")


class Locked(TooManyRequests):
    """Too many wrong passwords, for an account that may or may not exist."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Too many wrong passwords. Please wait before the next attempt.", retry_after_s)


class CodeJustSent(TooManyRequests):
    """One code a minute."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("A code was sent less than a minute ago. Please wait before asking again.", retry_after_s)


class TooManyApplications(Detail):
    """An organisation has a bounded number of applications."""

    def __init__(self, most: int) -> None:
        super().__init__(400, f"An organisation has at most {most} applications. Delete or reuse one.")


class PrivateWebhooksRefused(BusinessRuleError):
    """A public installation never delivers into private networks."""

    def __init__(self) -> None:
        super().__init__(
            "allow_private_webhooks",
            "This installation is reached over a public address, so it does not deliver to private ones.",
        )


class LastKey(Detail):
    """Revoking the last key would lock the application out."""

    def __init__(self) -> None:
        super().__init__(400, "This is the only key that works. Issue another one first, then revoke this one.")
