"""What a page recorded, examined: the stills, the frames of the challenge, and what it observed of the camera.

:func:`examine_recording` looks at stills and challenge frames side by side on the inference pool. Of a challenge it
looks at no more than :data:`SCANNED` frames, of at most :data:`SCANNED_SIDE` pixels: enough for the numerics, and
quick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import cv2
import numpy as np

from ipse.biometrics.capture_integrity import CameraClaims, grade_claims, integrity
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.faces import FaceScan
from ipse.biometrics.frame_timing import Finding
from ipse.biometrics.head_motion import Direction, MotionEvidence, Movement, judge_motion
from ipse.biometrics.images import Image, ImageLimits, Pixels, decode
from ipse.biometrics.pool import InferencePool
from ipse.biometrics.screen_colours import ColourShown
from ipse.biometrics.screen_response import ResponseEvidence, judge_response
from ipse.biometrics.templates import Template
from ipse.biometrics.timed import TimedScan
from ipse.capture.challenges import Answer
from ipse.capture.schemas import CameraFacts, Observations
from ipse.checks.challenge import Place, colour_starts, findings, places
from ipse.checks.performed import ChallengeRun, Performed
from ipse.checks.selfie import Selfie, Stopwatch, look
from ipse.decision.config import CaptureMethod

MAX_FRAMES: Final = 64
"""Frames of a challenge in one submission."""
FRAME_LIMITS: Final = ImageLimits(max_bytes=200_000, max_pixels=1_000_000)
"""A frame of a challenge has some 20 to 60 kB; a million pixels are 1280 x 720 and more than is looked at."""
SCANNED: Final = 27
"""Eight frames for each of three movements, or seven colours of 400 ms at nine frames a second."""
SCANNED_HOLDING: Final = 3
SCANNED_SIDE: Final = 480


@dataclass(frozen=True, slots=True)
class Recording:
    """One submission. ``frames`` and ``answer`` belong to a challenge; without one they are empty and None."""

    stills: tuple[bytes, ...]
    method: CaptureMethod
    frames: tuple[bytes, ...] = ()
    answer: Answer | None = None
    observations: Observations | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    """A committed frame of the challenge: as received, and scanned."""

    place: Place
    image: Image
    scan: FaceScan


async def examine_recording(pool: InferencePool, engine: FaceEngine, recording: Recording) -> tuple[Selfie, Performed]:
    """Look at everything that was submitted.

    Raises ``ImageError`` for a picture that cannot be decoded and ``Overloaded`` when the pool is full.
    """
    answer, observed, watch = recording.answer, recording.observations, Stopwatch()
    signals = _claims(observed)
    if answer is None:
        selfie, scans = await pool.run(look, engine, recording.stills)
        with watch.stage("integrity"):
            signals += await pool.run(_integrity, _dated(scans, observed), observed)
        performed = Performed(recording.method, signals=signals)
    else:
        chosen = _chosen(recording.frames, answer)
        half = len(chosen) // 2
        with watch.stage("challenge_scan"):
            (selfie, scans), first, second = await asyncio.gather(
                pool.run(look, engine, recording.stills),
                pool.run(_scanned, engine, chosen[:half]),
                pool.run(_scanned, engine, chosen[half:]),
            )
        frames = [*first, *second]
        pictures = [(frame.place.recorded_ms, frame.image.pixels) for frame in frames] or _dated(scans, observed)
        with watch.stage("challenge_evidence"):
            (motion, response), same, found = await asyncio.gather(
                pool.run(_evidence, answer, frames),
                pool.run(_same_person, engine, selfie.template, frames),
                pool.run(_integrity, pictures, observed),
            )
        run = _run(recording, answer, frames)
        performed = Performed(recording.method, run, motion, response, same, (*signals, *found))
    return replace(selfie, durations_ms={**selfie.durations_ms, **watch.milliseconds()}), performed


def _chosen(uploaded: Sequence[bytes], answer: Answer) -> list[tuple[Place, bytes]]:
    """The committed frames that are looked at, as they were recorded; others are not evidence of anything."""
    placed = zip(places(answer.marks, digests(uploaded)), uploaded, strict=True)
    known = {place: content for place, content in placed if place is not None}
    return [(place, known[place]) for place in _thinned(sorted(known, key=lambda place: place.recorded_ms))]


def _scanned(engine: FaceEngine, chosen: Sequence[tuple[Place, bytes]]) -> list[_Frame]:
    frames = []
    for place, content in chosen:
        image = decode(content, FRAME_LIMITS)
        frames.append(_Frame(place, image, engine.scan(_shrunk(image))))
    return frames


def _thinned(found: Sequence[Place]) -> list[Place]:
    """At most ``SCANNED`` frames, evenly within each phase; the first one only shows what a movement starts from."""
    phases = sorted({place.phase for place in found if place.phase > 0})
    kept = _evenly([place for place in found if place.phase == 0], SCANNED_HOLDING) if len(phases) > 1 else []
    each = (SCANNED - len(kept)) // max(1, len(phases))
    for phase in phases:
        kept += _evenly([place for place in found if place.phase == phase], each)
    return kept


def _evenly(found: Sequence[Place], most: int) -> list[Place]:
    if len(found) <= most:
        return list(found)
    return [found[round(at)] for at in np.linspace(0, len(found) - 1, most)]


def _shrunk(image: Image) -> Image:
    longest = max(image.width, image.height)
    if longest <= SCANNED_SIDE:
        return image
    size = (round(image.width * SCANNED_SIDE / longest), round(image.height * SCANNED_SIDE / longest))
    pixels = np.asarray(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Image(pixels=pixels, format=image.format, width=size[0], height=size[1])


def _same_person(engine: FaceEngine, still: Template | None, frames: Sequence[_Frame]) -> float | None:
    """The lower similarity (0-100) of the still with two frames of what followed; None when there is no face.

    From the first and the last phase after *hold still*, the frame that looks straightest: recognition fails on faces
    that are turned away, and between the two the face may not jump.
    """
    after = [frame for frame in frames if frame.place.phase > 0 and frame.scan.faces]
    if still is None or not after:
        return None
    first, last = after[0].place.phase, after[-1].place.phase
    middle = len(after) // 2
    if first == last:
        halves = after[:middle] or after, after[middle:]
    else:
        halves = [f for f in after if f.place.phase == first], [f for f in after if f.place.phase == last]
    straightest = (min(half, key=_turned_away) for half in halves)
    return min(engine.score(still, engine.template(frame.scan)) for frame in straightest)


def _turned_away(frame: _Frame) -> float:
    """How far the nose lies from the middle between the eyes, across, in distances between the eyes."""
    right_eye, left_eye, nose = frame.scan.faces[0].landmarks[:3].astype(np.float64)
    across = left_eye - right_eye
    return abs(float(np.dot(nose - (right_eye + left_eye) / 2, across))) / max(float(np.dot(across, across)), 1.0)


def _evidence(answer: Answer, frames: Sequence[_Frame]) -> tuple[MotionEvidence | None, ResponseEvidence | None]:
    match answer.method:
        case CaptureMethod.ACTIVE_3D:
            return _motion(answer, frames), None
        case CaptureMethod.FLASHING:
            return None, _response(answer, frames)
        case CaptureMethod.PASSIVE:
            return None, None


def _motion(answer: Answer, frames: Sequence[_Frame]) -> MotionEvidence:
    movements = [
        Movement(Direction(asked.direction), mark.started_ms, mark.ended_ms)
        for asked, mark in zip(answer.asked, answer.marks, strict=True)
        if asked.direction is not None
    ]
    held = [_timed(frame) for frame in frames if frame.place.phase == 0]
    return judge_motion(held, [_timed(frame) for frame in frames if frame.place.phase > 0], movements)


def _response(answer: Answer, frames: Sequence[_Frame]) -> ResponseEvidence:
    shown = []
    for asked, mark in zip(answer.asked, answer.marks, strict=True):
        starts = colour_starts(asked, mark)
        ends = (*starts[1:], mark.ended_ms)
        shown += [
            ColourShown(rgb, start, end) for (rgb, _), start, end in zip(asked.colours, starts, ends, strict=False)
        ]
    return judge_response([_timed(frame) for frame in frames], shown)


def _timed(frame: _Frame) -> TimedScan:
    return TimedScan(frame.place.recorded_ms, frame.scan)


def _run(recording: Recording, answer: Answer, frames: Sequence[_Frame]) -> ChallengeRun:
    odd = findings(answer.asked, answer.marks, stills=digests(recording.stills), frames=digests(recording.frames))
    return ChallengeRun(
        id=answer.id,
        phases=tuple(asked.to_json() for asked in answer.asked),
        drawn=answer.drawn,
        frames=len(recording.frames),
        with_face=sum(bool(frame.scan.faces) for frame in frames),
        findings=odd,
    )


def _claims(observed: Observations | None) -> tuple[Finding, ...]:
    if observed is None:
        return ()
    camera = observed.camera
    claims = CameraClaims(
        label=camera.label,
        width=camera.width,
        height=camera.height,
        frame_rate=camera.frame_rate,
        video_width=camera.video_width,
        video_height=camera.video_height,
    )
    return grade_claims(claims, observed.frame_times_ms, observed.webdriver, observed.automation)


def _dated(scans: Sequence[FaceScan], observed: Observations | None) -> list[tuple[float, Pixels]]:
    """Stills with when they were taken; none where the page does not say, for then they are no sequence."""
    if observed is None or len(observed.stills_at_ms) != len(scans):
        return []
    stills = zip(observed.stills_at_ms, scans, strict=True)
    return [(at, scan.image.pixels) for at, scan in sorted(stills, key=lambda still: still[0])]


def _integrity(pictures: Sequence[tuple[float, Pixels]], observed: Observations | None) -> tuple[Finding, ...]:
    camera = observed.camera if observed is not None else CameraFacts()
    claimed = (camera.video_width, camera.video_height) if camera.video_width and camera.video_height else None
    return integrity([pixels for _, pixels in pictures], [at for at, _ in pictures], claimed=claimed).findings


def digests(contents: Sequence[bytes]) -> list[str]:
    """SHA-256 of each file, in hexadecimal."""
    return [sha256(content).hexdigest() for content in contents]
