"""An injected picture is told by what it repeats or lacks; a camera is not accused."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from ipse.biometrics.camera_claims import VIRTUAL_CAMERAS
from ipse.biometrics.capture_integrity import CameraClaims, Finding, grade_claims, integrity
from ipse.biometrics.images import Pixels, decode
from ipse.samples.scenes import jpeg

SIZE = (240, 320)


def _scene(shift: float = 0.0) -> Pixels:
    """A textured wall with a brighter oval in front of it, moved to the right by ``shift`` pixels."""
    wall = np.random.default_rng(5).normal(120, 25, (*SIZE, 3))
    scene = np.asarray(cv2.GaussianBlur(wall, (0, 0), 3.0)) * 1.2
    face = np.asarray(cv2.GaussianBlur(np.random.default_rng(6).normal(170, 60, (*SIZE, 3)), (0, 0), 3.0))
    mask = np.zeros(SIZE, np.float32)
    cv2.ellipse(mask, ((160.0 + shift, 120.0), (90.0, 130.0), 0.0), 1.0, -1, cv2.LINE_AA)
    moved = cv2.warpAffine(face, np.array([[1.0, 0, shift], [0, 1, 0]]), SIZE[::-1], borderMode=cv2.BORDER_REFLECT)
    return np.clip(scene + (np.asarray(moved) - scene) * mask[:, :, None], 0, 255).astype(np.uint8)


def _camera(count: int = 12, *, noise: float = 1.0, quality: int = 70, sway: float = 1.5) -> list[Pixels]:
    random = np.random.default_rng(1)
    frames = []
    for at in range(count):
        grain = random.normal(0, noise, (*SIZE, 3)) if noise else 0.0
        seen = np.clip(np.rint(_scene(sway * np.sin(at)) + grain), 0, 255).astype(np.uint8)
        frames.append(decode(jpeg(seen, quality)).pixels)
    return frames


def _times(count: int = 12, seed: int = 2) -> list[float]:
    steps = 125 + np.random.default_rng(seed).normal(0, 4, count)
    return [float(at) for at in np.cumsum(steps)]


def _names(findings: Sequence[Finding]) -> set[str]:
    return {finding.name for finding in findings}


def _grade(findings: Sequence[Finding], name: str) -> float:
    return max((finding.grade for finding in findings if finding.name == name), default=0.0)


@pytest.mark.parametrize("quality", [70, 90])
@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("sway", [0.0, 1.5])
def test_a_camera_is_not_accused(noise: float, quality: int, sway: float) -> None:
    assert integrity(_camera(noise=noise, quality=quality, sway=sway), _times(), claimed=(640, 480)).findings == ()


def test_a_still_is_identical_frames() -> None:
    evidence = integrity(_camera(1) * 12, _times())
    assert _grade(evidence.findings, "identical_frames") == 1.0
    assert evidence.parts["identical_frames"] == 1.0


def test_a_loop_is_identical_frames() -> None:
    evidence = integrity(_camera(6) * 2, _times())
    assert _grade(evidence.findings, "identical_frames") >= 0.8


def test_a_still_with_its_noise_encoded_anew_is_found() -> None:
    nearly = [np.asarray(frame) for frame in _camera(1) * 12]
    for at, frame in enumerate(nearly):
        nearly[at] = frame.copy()
        nearly[at][at, at] ^= 1
    assert _grade(integrity(nearly, _times()).findings, "near_identical_frames") == 1.0


def test_a_camera_that_stalls_once_is_only_noted() -> None:
    frames = _camera(12)
    frames[5] = frames[4]
    assert 0 < _grade(integrity(frames, _times()).findings, "identical_frames") < 0.5


def test_a_burst_of_one_picture_is_identical_frames() -> None:
    assert _grade(integrity(_camera(1) * 3, _times(3)).findings, "identical_frames") == 1.0


def test_a_burst_in_which_the_camera_stalled_once_is_only_noted() -> None:
    first, second = _camera(2)
    assert 0 < _grade(integrity([first, first, second], _times(3)).findings, "identical_frames") < 0.5


def test_a_face_moving_before_a_background_without_noise_is_noted() -> None:
    findings = integrity(_camera(noise=0.0), _times()).findings
    assert _names(findings) == {"no_sensor_noise", "frozen_background"}
    assert max(finding.grade for finding in findings) < 0.5, "noise reduction does that as well"


def test_a_frozen_face_before_a_moving_background_is_found() -> None:
    random = np.random.default_rng(3)
    frames = [random.integers(90, 160, (*SIZE, 3)).astype(np.uint8) for _ in range(12)]
    for frame in frames:
        frame[40:200, 90:230] = _scene()[40:200, 90:230]
    assert _names(integrity(frames, _times()).findings) == {"frozen_face"}


def test_frames_of_another_shape_than_the_video_contradict_it() -> None:
    assert _names(integrity(_camera(), _times(), claimed=(1280, 720)).findings) == {"resolution_mismatch"}
    assert integrity(_camera(), _times(), claimed=(480, 640)).findings == (), "a phone may be held upright"


def test_frames_that_change_their_size_are_found() -> None:
    frames = [*_camera(8), *[frame[:-16] for frame in _camera(4)]]
    assert "frame_size_changed" in _names(integrity(frames, _times()).findings)


def test_every_frame_needs_its_time() -> None:
    with pytest.raises(ValueError, match="12 images, but 3 times"):
        integrity(_camera(), [1.0, 2.0, 3.0])


def test_too_few_frames_are_only_counted() -> None:
    evidence = integrity(_camera(2), _times(2))
    assert evidence.findings == ()
    assert evidence.parts == {"frames": 2.0}


@pytest.mark.parametrize(
    ("times", "grade"),
    [
        ([0.0, 120.0, 110.0, 250.0], 1.0),
        ([0.0, 120.0, 120.0, 120.0, 250.0], 0.7),
        ([at * 125.0 for at in range(12)], 0.7),
        ([at * 33.333 for at in range(30)], 0.7),
    ],
    ids=["backwards", "repeated", "computed", "computed at 30 a second"],
)
def test_times_no_camera_gives_are_impossible(times: list[float], grade: float) -> None:
    assert _grade(grade_claims(CameraClaims(), times), "impossible_timing") == grade


@pytest.mark.parametrize("clock_ms", [0.1, 1.0, 16.667, 100.0])
def test_the_coarse_clocks_of_browsers_are_not_accused(clock_ms: float) -> None:
    for seed in range(20):
        rounded = [round(at / clock_ms) * clock_ms for at in _times(24, seed)]
        assert grade_claims(CameraClaims(), rounded) == ()


def test_a_pause_is_only_noted() -> None:
    times = [*_times(8), 4000.0, 4130.0]
    (finding,) = grade_claims(CameraClaims(), times)
    assert (finding.name, finding.grade) == ("frame_gaps", 0.2)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("OBS Virtual Camera", "virtual_camera"),
        ("ManyCam Virtual Webcam", "virtual_camera"),
        ("Snap Camera", "virtual_camera"),
        ("XSplit VCam", "virtual_camera"),
        ("Dummy video device (0x0000)", "virtual_camera"),
        ("fake_device_0", "virtual_camera"),
        ("DroidCam Source 3", "external_capture_device"),
        ("Cam Link 4K (0fd9:0066)", "external_capture_device"),
    ],
)
def test_known_virtual_and_external_cameras_are_named(label: str, kind: str) -> None:
    (finding,) = grade_claims(CameraClaims(label=label))
    assert finding.name == kind
    assert finding.grade >= 0.5
    assert label in finding.detail


@pytest.mark.parametrize(
    "label",
    [
        "",
        "FaceTime HD Camera (Built-in)",
        "Integrated Camera (04f2:b6d9)",
        "HD Pro Webcam C920 (046d:082d)",
        "camera2 1, facing front",
        "Front Camera",
        "Anna's iPhone Camera",
        "Snapdragon(TM) Camera",
        "USB2.0 HD UVC WebCam",
        "Caméra avant",
        "前面カメラ",
    ],
)
def test_ordinary_cameras_are_not_accused(label: str) -> None:
    assert grade_claims(CameraClaims(label=label)) == ()


def test_the_list_of_cameras_has_one_meaning_per_label() -> None:
    parts = [part for part, _, _ in VIRTUAL_CAMERAS]
    assert len(parts) == len(set(parts))
    assert all(part == part.casefold() and len(part) >= 4 for part in parts)
    assert {kind for _, kind, _ in VIRTUAL_CAMERAS} == {"virtual_camera", "external_capture_device"}


def test_a_video_of_another_shape_than_its_track_contradicts_it() -> None:
    turned = CameraClaims(width=1280, height=720, video_width=720, video_height=1280)
    scaled = CameraClaims(width=1280, height=720, video_width=640, video_height=360)
    other = CameraClaims(width=1280, height=720, video_width=640, video_height=480)
    assert grade_claims(turned) == grade_claims(scaled) == ()
    assert _names(grade_claims(other)) == {"resolution_mismatch"}


def test_more_frames_than_the_camera_delivers_contradict_it() -> None:
    times = [at / 4 for at in _times(24)]
    assert _names(grade_claims(CameraClaims(frame_rate=15), times)) == {"frame_rate_mismatch"}
    assert grade_claims(CameraClaims(frame_rate=30), times) == ()
    assert grade_claims(CameraClaims(frame_rate=60), times) == (), "little light makes cameras slower"


def test_automation_is_named() -> None:
    findings = grade_claims(CameraClaims(), webdriver=True, automation=["__playwright"])
    assert _names(findings) == {"webdriver", "automation"}
    assert "__playwright" in findings[1].detail
    assert grade_claims(CameraClaims(), webdriver=False) == ()
