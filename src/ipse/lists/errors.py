"""What can be wrong with a list or an entry."""

from __future__ import annotations

from ipse.edge.errors import BareList, BusinessRuleError, Detail, FieldErrors


class ListExists(FieldErrors):
    """Names are unique in an application."""

    def __init__(self) -> None:
        super().__init__({"name": ["A list with this name already exists."]})


class SystemList(Detail):
    """System lists are made and kept by the service."""

    def __init__(self) -> None:
        super().__init__(400, "This is a system list: its entries can change, the list itself cannot.")


class RefusedValue(FieldErrors):
    """The value cannot stand on this list; the sentence says why."""

    def __init__(self, message: str, field: str = "value") -> None:
        super().__init__({field: [message]})


class AlreadyListed(FieldErrors):
    """A value stands on a list once. Answering with the old entry would hide that nothing was changed."""

    def __init__(self, entry_id: str) -> None:
        super().__init__(
            {"value": [f"This value is already on the list as entry {entry_id}. Delete that entry to change it."]}
        )


class NothingToList(BusinessRuleError):
    """The session knows no value of the list's type."""

    def __init__(self, entry_type: str) -> None:
        super().__init__("reference_session_id", f"This session has no {entry_type}. Send value instead.")


class NotOfTheSession(BusinessRuleError):
    """Value and session were both given and have nothing to do with each other."""

    def __init__(self, entry_type: str) -> None:
        super().__init__("value", f"The session has another {entry_type}. Leave value or reference_session_id out.")


class NotForFaces(BusinessRuleError):
    """Faces come from sessions and uploads."""

    def __init__(self) -> None:
        super().__init__("entry_type", "Faces cannot be imported: add them by session or by upload.")


class FacesOnly(BusinessRuleError):
    """A picture says something on blocklists and allowlists of faces only."""

    def __init__(self) -> None:
        super().__init__("image", "Pictures can be added to blocklists and allowlists of faces only.")


class UnreadableImport(Detail):
    """The body of an import is neither CSV nor JSON lines."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class NothingSelected(BareList):
    """A call of the older kind that asks for nothing."""

    def __init__(self) -> None:
        super().__init__("Set at least one of face, document, phone and email to true.")
