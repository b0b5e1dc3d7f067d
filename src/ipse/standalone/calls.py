"""What the standalone calls share: running models, keeping a call, and the frame of every answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from ipse.biometrics.images import ImageError, decode
from ipse.checks.screening import FaceHit
from ipse.checks.selfie import Selfie, examine
from ipse.decision.reports import Report
from ipse.decision.warnings import RiskWarning
from ipse.edge.authentication import Caller
from ipse.edge.errors import ProcessingError
from ipse.faces import search
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.runtime.application import Mode
from ipse.runtime.scope import Scope
from ipse.sessions import service as sessions
from ipse.standalone.form import Form, Upload
from ipse.storage.tables import SessionRow
from ipse.users import service as users

DECLINE_THRESHOLD: Final = 30.0
"""Default of the standalone thresholds (contract 50 section 1): FMR 1.4e-3 for a match, an attack for liveness."""


@dataclass(frozen=True)
class Call:
    """The fields that every standalone call has, and who made it."""

    caller: Caller
    vendor_data: str | None
    metadata: Mapping[str, Any] | None
    save: bool
    rotate: bool
    started: float

    @classmethod
    def read(cls, caller: Caller, form: Form) -> Call:
        """Read the shared fields; problems stay in the form."""
        return cls(
            caller=caller,
            vendor_data=form.vendor_data(),
            metadata=form.metadata(),
            save=form.truth("save_api_request", default=True),
            rotate=form.truth("rotate_image", default=False),
            started=time.perf_counter(),
        )

    @property
    def by_scenario(self) -> bool:
        """Whether the answer is the sandbox's fixed one."""
        return self.caller.application.answers_by_scenario

    @property
    def passive_only_may_approve(self) -> bool:
        """Basic replay screening approves in sandbox applications only."""
        return self.caller.application.mode is Mode.SANDBOX

    def frame(self, request_id: str | None = None) -> dict[str, Any]:
        """The fields around the result. Without ``request_id`` nothing was stored and the id is a fresh one."""
        services = self.caller.services
        return {
            "request_id": request_id or services.identifiers.uuid(),
            "vendor_data": self.vendor_data,
            "metadata": self.metadata,
            "environment": self.caller.application.mode.value,
            "created_at": services.clock.now().astimezone(UTC).isoformat(timespec="microseconds"),
        }


async def require_pictures(call: Call, uploads: Sequence[Upload]) -> None:
    """Decode and throw away: the sandbox validates its input like live does. 400 for what is no picture."""
    for upload in uploads:
        try:
            await call.caller.services.inference.run(decode, upload.content)
        except ImageError as error:
            raise ProcessingError(error.message) from error


async def look(call: Call, upload: Upload, *, liveness: bool, age: bool) -> Selfie:
    """Examine one picture on the inference pool; 400 when it cannot be decoded, 503 without models or room."""
    services = call.caller.services
    engine = services.face_engine()
    try:
        return await services.inference.run(
            examine, engine, [upload.content], rotate=call.rotate, liveness=liveness, age=age
        )
    except ImageError as error:
        raise ProcessingError(error.message) from error


async def find_similar(
    call: Call, selfie: Selfie, *, exclude_own: bool, only_approved: bool = False
) -> tuple[FaceHit, ...]:
    """Search the application's faces for the one in the picture."""
    if selfie.template is None:
        return ()
    async with call.caller.unit.peek() as tx:
        return await search.search(
            call.caller.within(tx),
            selfie.template,
            exclude_vendor_data=call.vendor_data if exclude_own else None,
            only_approved=only_approved,
        )


async def keep(
    call: Call, scope: Scope, session_id: str, api_service: str, report: Report, durations_ms: Mapping[str, float]
) -> SessionRow:
    """Keep the call as a decided session of kind API, with its event."""
    engine = scope.services.face_engine()
    total = round((time.perf_counter() - call.started) * 1000, 2)
    return await sessions.save_api_call(
        scope,
        session_id=session_id,
        api_service=api_service,
        vendor_data=call.vendor_data,
        metadata=call.metadata,
        reports=[report],
        evidence={
            "engine": engine.liveness_engine,
            "models": dict(engine.model_set),
            "durations_ms": {**durations_ms, "total": total},
        },
    )


async def keep_picture(scope: Scope, session_id: str, kind: str, selfie: Selfie) -> str:
    """Store a picture of a call; return its media id."""
    row = await media.store(
        scope, kind=kind, content=selfie.image, content_type=selfie.content_type, session_id=session_id
    )
    return row.id


async def enrol(scope: Scope, session: SessionRow, media_id: str, selfie: Selfie) -> None:
    """Make the face findable by later searches. It never becomes the reference of a step-up: nobody captured it."""
    if selfie.template is None:
        return
    user = await users.get_by_id(scope, session.user_id) if session.user_id else None
    await faces.add(
        scope,
        user=user,
        session_id=session.id,
        media_id=media_id,
        template=selfie.template,
        purpose="supplied",
        source="session",
        supplied_by="integrator",
        searchable=True,
    )


def link(asker: Scope | Caller, media_id: str) -> str:
    """A signed address of a picture that dies after 60 minutes."""
    return media.link(asker.services, asker.application.id, media_id)


def warning_items(warnings: Sequence[RiskWarning]) -> list[dict[str, Any]]:
    """Warnings of a standalone answer: as in decisions, without ``node_id``."""
    return [{key: value for key, value in one.to_json().items() if key != "node_id"} for one in warnings]
