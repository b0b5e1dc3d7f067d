"""Refusals that only sessions know."""

from __future__ import annotations

from ipse.edge.errors import ApiError, BareList, BusinessRuleError, Detail, FieldErrors

PORTRAIT_REQUIRED = "This workflow compares faces: send portrait_image, or vendor_data of a person with a stored face."
NO_STORED_FACE = (
    "No stored face was found for this vendor_data. Send portrait_image, or enrol the person with a liveness session."
)


class UnknownWorkflow(BusinessRuleError):
    def __init__(self) -> None:
        super().__init__("workflow_id", "No published workflow of this application has this id.")


class NoReferenceFace(BusinessRuleError):
    def __init__(self, *, has_subject: bool) -> None:
        super().__init__("portrait_image", NO_STORED_FACE if has_subject else PORTRAIT_REQUIRED)


class SuppliedReferenceRefused(BusinessRuleError):
    def __init__(self) -> None:
        super().__init__(
            "portrait_image",
            "This application accepts only stored references (reference_source = stored_only). Leave the portrait out.",
        )


class PortraitDoesNotMatch(BusinessRuleError):
    def __init__(self) -> None:
        super().__init__("portrait_image", "The portrait does not show the person whose face is stored.")


class TooManyDeclined(BusinessRuleError):
    def __init__(self) -> None:
        super().__init__(
            "vendor_data",
            "This person was declined too often in the workflow's retry window. Raise max_retry_attempts or wait.",
        )


class SandboxScenarioRefused(FieldErrors):
    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: [message]})


class NotReviewable(Detail):
    def __init__(self, status: str) -> None:
        super().__init__(400, f"A session that is {status} cannot be changed by hand.")


class SameStatus(BareList):
    def __init__(self) -> None:
        super().__init__("The new status is the same as the current status.")


class InvalidStatus(FieldErrors):
    def __init__(self, value: str) -> None:
        super().__init__({"new_status": [f'"{value}" is not a valid choice.']})


class NothingToResubmit(BusinessRuleError):
    def __init__(self, message: str = "No step of this session can be resubmitted.") -> None:
        super().__init__("nodes_to_resubmit", message)


class StatusNotAllowed(ApiError):
    """The transition table has no such move."""

    def __init__(self, current: str, target: str) -> None:
        super().__init__(400, {"detail": f"A session that is {current} cannot become {target}."})
