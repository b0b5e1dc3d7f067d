"""The capture API: a page or a native app that holds a session token submits frames and learns what comes next."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Form, Request, UploadFile
from pydantic import ValidationError

from ipse.biometrics.images import ImageLimits
from ipse.capture import service
from ipse.capture.authentication import DeviceParam
from ipse.capture.circumstances import RequestFacts
from ipse.capture.device_schema import BoundedReport, Opening
from ipse.capture.errors import UnusableFrame, UnusableRecording
from ipse.capture.recording import FRAME_LIMITS, MAX_FRAMES
from ipse.capture.schemas import CaptureState, Method, Observations
from ipse.capture.view import FRAMES_MAX
from ipse.decision.config import CaptureMethod
from ipse.edge.client_address import client_address
from ipse.edge.documented import documented
from ipse.edge.request import parse_json
from ipse.edge.routing import router as make_router
from ipse.edge.unit import services_of

router = make_router(prefix="/v1/capture", tags=["Capture"])

_DEVICE_HEADERS = ("user-agent", "accept-language", "sec-ch-ua", "x-didit-fp", "x-didit-pid")
"""Beginnings of the names of headers that tell something about a device; no other header is looked at."""
MAX_FRAME_BYTES = ImageLimits().max_bytes


@router.get("/session/", response_model=CaptureState, responses=documented(403, 410))
async def read_state(device: DeviceParam) -> CaptureState:
    """Where the session stands. Safe to poll and to call after a reload."""
    return await service.state(device)


@router.post("/start/", response_model=CaptureState, responses=documented(400, 403, 409, 410, 413, 429))
async def start(
    request: Request, device: DeviceParam, _bounded: BoundedReport, body: Opening | None = None
) -> CaptureState:
    """The person opened the link: the session is In Progress from now on. May be repeated, and sent without a body."""
    return await service.start(device, request_facts(request), body.device if body is not None else None)


@router.post("/steps/{node_id}/", response_model=CaptureState, responses=documented(400, 403, 404, 409, 410, 429, 503))
async def submit(
    request: Request,
    node_id: str,
    device: DeviceParam,
    frames: Annotated[list[UploadFile], File(description="1 to 10 frames, JPEG, PNG, WebP or TIFF, 5 MB each.")],
    submission_key: Annotated[
        str, Form(min_length=1, max_length=64, description="Made by the client; repeating it repeats the answer.")
    ],
    method: Annotated[Method | None, Form(description="Left out: that of the challenge, or the step's own.")] = None,
    challenge: Annotated[str | None, Form(description="The id of the challenge that was answered.")] = None,
    challenge_frames: Annotated[
        list[UploadFile] | None, File(description="Up to 64 frames that the challenge's phases committed, 200 kB each.")
    ] = None,
    action_hash: Annotated[
        str | None, Form(max_length=64, description="Of the action that was shown, as the state had it.")
    ] = None,
    observations: Annotated[
        str | None, Form(max_length=65_536, description="`Observations` of docs/capture.md as JSON text.")
    ] = None,
) -> CaptureState:
    """Submit a step: one still or a short burst around the best one, and what was recorded during a challenge."""
    if not 1 <= len(frames) <= FRAMES_MAX:
        raise UnusableFrame(f"Send 1 to {FRAMES_MAX} frames.")
    recorded = challenge_frames or []
    if len(recorded) > MAX_FRAMES:
        raise UnusableRecording("challenge_frames", f"Send at most {MAX_FRAMES} frames of a challenge.")
    submission = service.Submission(
        key=submission_key,
        stills=[await _content(file, "frames", MAX_FRAME_BYTES) for file in frames],
        method=CaptureMethod(method) if method else None,
        challenge=challenge or None,
        frames=[await _content(file, "challenge_frames", FRAME_LIMITS.max_bytes) for file in recorded],
        observations=_observed(observations) if observations else None,
        action_hash=action_hash or None,
    )
    return await service.submit(device, node_id, submission, request_facts(request))


async def _content(file: UploadFile, field: str, limit: int) -> bytes:
    content = await file.read(limit + 1)
    if len(content) > limit:
        raise UnusableRecording(field, f"A frame is larger than {limit // 1000} kB.")
    return content


def _observed(text: str) -> Observations:
    try:
        return Observations.model_validate(parse_json(text.encode()))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UnusableRecording("observations", f"{where}: {error.errors()[0]['msg']}") from error


def request_facts(request: Request) -> RequestFacts:
    """What the connection says about the person's device and network."""
    settings = services_of(request).settings
    return RequestFacts(
        ip=client_address(request, settings.trusted_proxies),
        headers={name: value for name, value in request.headers.items() if name.startswith(_DEVICE_HEADERS)},
    )
