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


class UnknownTarget(BusinessRuleError):
    """A merge needs a user to merge into."""

    def __init__(self) -> None:
        super().__init__("into", "No user has this vendor_data. Create the user first.")


class SameUser(BusinessRuleError):
    """Nobody is merged into themselves."""

    def __init__(self) -> None:
        super().__init__("into", "A user cannot be merged into itself.")


class MergedElsewhere(BusinessRuleError):
    """The target's own history lies elsewhere."""

    def __init__(self, where: str) -> None:
        super().__init__("into", f"This user was merged into {where}. Merge into that one.")


class MergedAlready(BusinessRuleError):
    """Nothing is left to move."""

    def __init__(self, where: str) -> None:
        super().__init__("vendor_data", f"This user was merged into {where} and has no history of its own since.")
