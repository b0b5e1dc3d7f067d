"""What a capture page or native app reads and writes. Ours, not the contract's; documented in docs/capture.md."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from ipse.decision.statuses import SessionStatus

Method = Literal["PASSIVE", "ACTIVE_3D", "FLASHING"]


class CaptureStep(BaseModel):
    """What the person does next."""

    node_id: str
    feature: str
    label: str | None
    method: Method | None = Field(description="For steps that show a face: how, unless the person switches.")
    methods: list[Method] = Field(
        default=[],
        description="Every method the step accepts, the workflow's own first. All but PASSIVE need a challenge.",
    )
    suggested_method: Method | None = Field(
        default=None, description="After two failed tries: another method that may work better."
    )
    needs: list[Literal["selfie_frames"]]
    frames_min: int
    frames_max: int
    attempt: int = Field(ge=1)
    attempts_left: int = Field(ge=0, description="Including the coming one.")


class PurposeDetail(BaseModel):
    """A further line of the action."""

    label: str
    value: str


class Purpose(BaseModel):
    """What is being authorised: the session's action, or without one the documented keys of its metadata."""

    code: str | None = Field(description="`transfer`, `payout`, … as docs/purpose.md lists them; null when unknown.")
    text: str | None = Field(description="The integrator's own words, shown as they are instead of `code`.")
    amount: str | None = Field(description="Decimal number, e.g. `1250.00`.")
    currency: str | None = Field(description="ISO 4217, e.g. `EUR`.")
    payee: str | None
    account: str | None = Field(description="The last characters of an account number, e.g. `3421`.")
    reference: str | None = Field(default=None, description="Of an action only.")
    details: list[PurposeDetail] | None = Field(default=None, description="Of an action only, in their order.")


class Alternative(BaseModel):
    """The equal way without biometrics that the workflow offers."""

    url: str = Field(description="The page goes there with `verificationSessionId` and `status=Alternative` added.")


class HandoffView(BaseModel):
    """The hand-off in progress, as either of its two devices sees it."""

    state: Literal["offered", "opened", "active", "ended"]
    device: Literal["first", "second"] = Field(description="Which of the two devices is asking.")
    number: str = Field(description="Two digits; the person checks that both screens show the same.")
    may_capture: bool = Field(description="Whether the asking device is the one that may capture now.")
    expires_at: str


class Brand(BaseModel):
    """How the operator presents itself; `/v3/customization/` sets it."""

    name: str
    logo: str | None = None
    wide_logo: str | None = None
    favicon: str | None = None
    colors: dict[str, str] = Field(default={}, description="Contract keys such as `color_primary`, as `#rrggbb`.")
    font_family: str | None = None
    font_weight: str | None = None
    border_radius_panel: int | None = None
    border_radius_buttons: int | None = None
    privacy_policy_url: str | None = None
    skip_welcome_screen: bool = False
    hide_progress_bar: bool = False
    callback_seconds: int = Field(default=2, ge=0, le=60)
    texts: dict[str, dict[str, str]] = Field(
        default={}, description="Texts of the operator's own: language, then key of web/capture/src/locales."
    )


class CaptureState(BaseModel):
    """Where a session stands, as far as the person in front of the camera may know. Never a score."""

    session_id: str
    status: SessionStatus
    environment: Literal["live", "sandbox"]
    brand: Brand
    purpose: Purpose | None
    action_hash: str | None = Field(
        default=None, description="Of the action that `purpose` shows: send it with each challenge and submission."
    )
    language: str | None
    callback: str | None
    callback_method: Literal["initiator", "completer", "both"]
    expires_at: str
    kept_until: str | None = Field(
        default=None, description="When the pictures are erased; null: when the operator does."
    )
    alternative: Alternative | None = None
    handoff: HandoffView | None = None
    step: CaptureStep | None = Field(description="The next step, or null when there is nothing left to do.")
    outcome: Literal["none", "accepted", "retry", "finished"] = Field(
        description="Of the latest submission: accepted = go on with `step`; retry = the same step again, change "
        "what `hints` say; finished = the session is decided."
    )
    hints: list[str] = Field(description="What the person can change, most helpful first, as stable codes.")
    code: str | None = Field(
        default=None, description="After `otp/start` and an approval: what the person enters where they came from."
    )


class HoldStill(BaseModel):
    """Phase: look straight ahead while the stills are taken."""

    kind: Literal["hold"] = "hold"
    min_ms: int
    max_ms: int


class Turn(BaseModel):
    """Phase: move the head, as the person sees it (their own left), and stay there for a moment."""

    kind: Literal["turn"] = "turn"
    direction: Literal["left", "right", "up", "down"]
    min_ms: int
    max_ms: int


class Colour(BaseModel):
    """One colour of the screen."""

    rgb: tuple[int, int, int]
    ms: int


class ShowColours(BaseModel):
    """Phase: fill the screen around the preview with these colours, one after the other."""

    kind: Literal["colours"] = "colours"
    colours: list[Colour]


Phase = HoldStill | Turn | ShowColours


class CommittedFrame(BaseModel):
    """A frame that was recorded in a phase: its digest now, its bytes with the submission."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    at_ms: float = Field(ge=0, description="Milliseconds since the page received the first phase of the challenge.")


class PhaseDone(BaseModel):
    """The frames of a phase are recorded: commit to them and learn the next phase."""

    index: int = Field(ge=0)
    started_ms: float = Field(ge=0, description="When the page began to show the phase, on the clock of `at_ms`.")
    ended_ms: float = Field(ge=0)
    colour_starts_ms: list[float] = Field(default=[], max_length=64, description="When each colour was on the screen.")
    frames: list[CommittedFrame] = Field(min_length=1, max_length=64)


class ChallengeRequest(BaseModel):
    """Ask for a challenge."""

    method: Literal["ACTIVE_3D", "FLASHING"]
    action_hash: str | None = Field(default=None, max_length=64, description="As the state had it that is shown.")


class ChallengeView(BaseModel):
    """A challenge, one phase at a time."""

    challenge: str
    method: Literal["ACTIVE_3D", "FLASHING"]
    phases: int
    index: int
    phase: Phase | None = Field(description="What to show now; null when every phase is done: submit.")
    expires_at: str


class HandoffOffer(BaseModel):
    """A link for the second device. The token in it works once, for five minutes."""

    url: str
    number: str
    expires_at: str


class HandoffOpened(BaseModel):
    """The second device opened the link: from now on it calls with this token in `Session-Token`."""

    session_token: str
    number: str


class OpenHandoff(BaseModel):
    """The second device follows the link."""

    token: str = Field(max_length=64, description="The last part of the link's address.")


LeaveReason = Literal["cancelled", "not_me", "alternative"]


class Leave(BaseModel):
    """The person leaves without finishing."""

    reason: LeaveReason = Field(
        description="`cancelled`: for now, the link goes on working. `not_me`: the action is not theirs, the session "
        "is Declined at once. `alternative`: they take the way that `alternative` offers, the session is Abandoned."
    )


class SharedSession(BaseModel):
    """The session that a share link made."""

    session_token: str
    url: str


class CameraFacts(BaseModel):
    """What the browser says of the camera. Claims, graded as signals and never believed as evidence."""

    label: str = Field(default="", max_length=256)
    facing: str | None = Field(default=None, max_length=32)
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    """As the track's settings state them."""
    video_width: int | None = None
    video_height: int | None = None
    """As the frames turned out."""
    cameras: int | None = Field(default=None, description="How many cameras the device lists.")


class Observations(BaseModel):
    """What the page observed while it recorded."""

    camera: CameraFacts = CameraFacts()
    frame_times_ms: list[float] = Field(default=[], max_length=600, description="When the camera delivered frames.")
    stills_at_ms: list[float] = Field(default=[], max_length=10)
    webdriver: bool | None = None
    automation: list[str] = Field(default=[], max_length=16, description="Names of traces of automation found.")
    webview: bool | None = None
    languages: list[str] = Field(default=[], max_length=16)
    time_zone: str | None = Field(default=None, max_length=64)
    screen: str | None = Field(default=None, max_length=64, description="`width x height x pixel ratio`")
    automatic: bool | None = Field(default=None, description="Whether the page took the picture by itself.")
