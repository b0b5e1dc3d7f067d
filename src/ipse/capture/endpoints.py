"""The capture API: a page or a native app that holds a session token submits frames and learns what comes next."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Form, Request, UploadFile

from ipse.biometrics.images import ImageLimits
from ipse.capture import service
from ipse.capture.authentication import DeviceParam
from ipse.capture.errors import UnusableFrame
from ipse.capture.schemas import CaptureState
from ipse.capture.view import FRAMES_MAX
from ipse.checks.ip_analysis import RequestFacts
from ipse.edge.client_address import client_address
from ipse.edge.documented import documented
from ipse.edge.routing import router as make_router
from ipse.edge.unit import services_of

router = make_router(prefix="/v1/capture", tags=["Capture"])

_DEVICE_HEADERS = ("x-didit-fp", "x-didit-pid", "sec-ch-ua")
MAX_FRAME_BYTES = ImageLimits().max_bytes


@router.get("/session/", response_model=CaptureState, responses=documented(403, 410))
async def read_state(device: DeviceParam) -> CaptureState:
    """Where the session stands. Safe to poll and to call after a reload."""
    return await service.state(device)


@router.post("/start/", response_model=CaptureState, responses=documented(403, 409, 410))
async def start(request: Request, device: DeviceParam) -> CaptureState:
    """The person opened the link: the session is In Progress from now on. May be repeated."""
    return await service.start(device, request_facts(request))


@router.post("/steps/{node_id}/", response_model=CaptureState, responses=documented(400, 403, 409, 410, 503))
async def submit(
    request: Request,
    node_id: str,
    device: DeviceParam,
    frames: Annotated[list[UploadFile], File(description="1 to 10 frames, JPEG, PNG, WebP or TIFF, 5 MB each.")],
    submission_key: Annotated[
        str, Form(min_length=1, max_length=64, description="Made by the client; repeating it repeats the answer.")
    ],
) -> CaptureState:
    """Submit the frames of a step: one frame, or a short burst around the best one."""
    if not 1 <= len(frames) <= FRAMES_MAX:
        raise UnusableFrame(f"Send 1 to {FRAMES_MAX} frames.")
    contents = []
    for frame in frames:
        content = await frame.read(MAX_FRAME_BYTES + 1)
        if len(content) > MAX_FRAME_BYTES:
            raise UnusableFrame("A frame is larger than 5 MB.")
        contents.append(content)
    return await service.submit(device, node_id, contents, submission_key, request_facts(request))


def request_facts(request: Request) -> RequestFacts:
    """What the connection says about the person's device and network."""
    settings = services_of(request).settings
    return RequestFacts(
        ip=client_address(request, settings.trusted_proxies),
        user_agent=request.headers.get("user-agent"),
        headers={name: value for name, value in request.headers.items() if name.startswith(_DEVICE_HEADERS)},
        accept_language=request.headers.get("accept-language"),
    )
