"""What a page or an app reports of its device. Ours, not the contract's; each field is explained in docs/devices.md.

Bounds are wide: a report is judged by what it says, and only what could not be a report at all is refused.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from ipse.edge.errors import Detail

Count = Annotated[int, Field(ge=-1, le=1_000_000)]
Size = Annotated[float, Field(ge=0, le=1_000_000)]
Short = Annotated[str, Field(max_length=64)]
Text = Annotated[str, Field(max_length=256)]
Named = Annotated[str, Field(max_length=128)]


class ClientHints(BaseModel):
    """What ``navigator.userAgentData`` says when it is asked for everything."""

    architecture: Short | None = None
    bitness: Short | None = None
    platform: Short | None = None
    platform_version: Short | None = None
    model: Named | None = None
    full_version: Short | None = None


class DeviceReport(BaseModel):
    """A device as it describes itself: claims, compared with each other and never believed as evidence.

    Every field may be missing; unknown ones are ignored.
    """

    source: Literal["page", "ios", "android"] = "page"
    persistent_id: str | None = Field(
        default=None,
        pattern="^[A-Za-z0-9_-]{16,64}$",
        description="Random id in the device's own keeping. Only a digest of it is stored.",
    )
    persistent_healed: bool | None = Field(default=None, description="One of its stores had lost it.")
    persistent_stores: Count | None = Field(default=None, description="How many stores kept it before this visit.")
    user_agent: str | None = Field(default=None, max_length=1024)
    navigator_platform: Short | None = None
    vendor: Short | None = None
    languages: list[Annotated[str, Field(max_length=35)]] = Field(default=[], max_length=16)
    locale: str | None = Field(default=None, max_length=35, description="Of dates and numbers.")
    time_zone: Short | None = Field(default=None, description="IANA name.")
    utc_offset_minutes: int | None = Field(default=None, ge=-1440, le=1440, description="East of UTC is positive.")
    screen_width: Count | None = None
    screen_height: Count | None = None
    available_width: Count | None = None
    available_height: Count | None = None
    window_width: Count | None = None
    window_height: Count | None = None
    outer_width: Count | None = None
    outer_height: Count | None = None
    pixel_ratio: Size | None = None
    colour_depth: Count | None = None
    colour_gamut: Short | None = None
    colour_scheme: Short | None = None
    contrast: Short | None = None
    reduced_motion: bool | None = None
    reduced_transparency: bool | None = None
    forced_colours: bool | None = None
    inverted_colours: bool | None = None
    monochrome_bits: Count | None = None
    hdr: bool | None = None
    cores: Count | None = None
    memory_gb: Size | None = None
    touch_points: Count | None = None
    webgl_vendor: Named | None = None
    webgl_renderer: Text | None = None
    audio_latency: Size | None = None
    digests: dict[Short, Named] = Field(default={}, max_length=32, description="Component -> short digest.")
    plugins_count: Count | None = None
    pdf_viewer: bool | None = None
    apple_pay: bool | None = None
    cookies: bool | None = None
    local_storage: bool | None = None
    session_storage: bool | None = None
    indexed_db: bool | None = None
    cameras: Count | None = None
    microphones: Count | None = None
    speakers: Count | None = None
    permissions: dict[Short, Short] = Field(default={}, max_length=16, description="Name -> granted, denied, prompt.")
    do_not_track: bool | None = None
    global_privacy_control: bool | None = None
    webdriver: bool | None = None
    bot_kind: Short | None = None
    automation: list[Short] = Field(default=[], max_length=16, description="Names of traces of automation.")
    hints: ClientHints = ClientHints()
    webview: bool | None = None
    framed: bool | None = None
    secure_context: bool | None = None
    collected_ms: Size | None = Field(default=None, description="How long collecting took.")
    brand: Short | None = Field(default=None, description="This and what follows: apps only.")
    model: Named | None = None
    app_version: Short | None = None
    is_emulator: bool | None = None
    is_rooted: bool | None = None
    is_hooked: bool | None = None
    is_debugged: bool | None = None
    is_app_tampered: bool | None = None
    attestation: str | None = Field(
        default=None, max_length=16_384, description="Of the platform. That there is one counts; it is not verified."
    )


class Opening(BaseModel):
    """What may come with the start of a session."""

    device: DeviceReport | None = None


MAX_REPORT_BYTES: Final = 32_768


async def bounded_report(request: Request) -> None:
    """Dependency: 413 for a body that is larger than a report can be."""
    if len(await request.body()) > MAX_REPORT_BYTES:
        raise Detail(413, f"A device report is not larger than {MAX_REPORT_BYTES // 1024} kB.")


BoundedReport = Annotated[None, Depends(bounded_report)]
