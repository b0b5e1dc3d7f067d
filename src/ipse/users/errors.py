"""What can be wrong with a user."""

from __future__ import annotations

from ipse.edge.errors import BareList, BusinessRuleError, Detail, FieldErrors


class BlockedUser(BusinessRuleError):
    """A blocked person gets no sessions."""

    def __init__(self) -> None:
        super().__init__("vendor_data", "This user is blocked. Unblock the user before creating a session.")


class UserExists(FieldErrors):
    """``vendor_data`` is unique in an application."""

    def __init__(self) -> None:
        super().__init__({"vendor_data": ["A user with this vendor_data already exists."]})


class NothingSelected(BareList):
    """A deletion that names nobody deletes nobody."""

    def __init__(self) -> None:
        super().__init__("Provide vendor_data_list or set delete_all to true.")


class UnusableImage(BusinessRuleError):
    """The uploaded face cannot be used; the sentence says why."""

    def __init__(self, message: str) -> None:
        super().__init__("image", message)


class TooManyFaces(Detail):
    """Profile faces are bounded."""

    def __init__(self, most: int) -> None:
        super().__init__(400, f"A user has at most {most} uploaded faces.")
