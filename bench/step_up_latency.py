"""From the end of a selfie to the verdict: ``python bench/step_up_latency.py [--runs N]``.

A real ``ipse serve`` runs beside this process with an empty SQLite database. Every run is a step-up as the hosted page
does it (docs/capture.md): PASSIVE submits three stills, ACTIVE_3D also the frames of three turns of the head that were
committed while the server revealed them. People of ``ipse.samples`` are drawn, in 640 x 480, as a small camera sees
them. Several people face their cameras at the same time, but one after the other submits: that is what is measured,
from sending the submission to the decision in the answer, and to the arrival of the signed webhook.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import httpx2
import numpy as np
import platformdirs

from http_latency import Arrivals, line, receiving, serving
from ipse.samples.head import Head
from ipse.samples.optics import Pose
from ipse.samples.portraits import portraits
from ipse.samples.scenes import jpeg
from machine import description

_PEOPLE = 4
"""Who faces a camera at the same time."""
_GOAL_MS = 1000
_TURN_S = 1.2
_FRAMES_PER_S = 8
_STILLS = 3
_HOLDING = 5
_SMALL = (480, 360)
"""Frames of a challenge, as the page records them."""
_TARGETS = {"left": Pose(yaw=22), "right": Pose(yaw=-22), "up": Pose(pitch=14), "down": Pose(pitch=-14)}


@dataclass(frozen=True)
class Measured:
    """Milliseconds since the submission was sent, and how the session ended."""

    decided: float
    notified: float
    status: str
    uploaded: int
    """Bytes of all pictures."""


class Recorder:
    """Draws what a camera sees; a movement that was drawn once is kept, compressed."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._clips: dict[tuple[int, str, str], list[bytes]] = {}

    @cached_property
    def stills(self) -> list[bytes]:
        """Full frames of somebody who holds still."""
        return [jpeg(self._head.frame(Pose(yaw=0.4 * at), seed=at)) for at in range(_STILLS)]

    @cached_property
    def holding(self) -> list[bytes]:
        """Frames of the challenge while the person holds still: what a movement is measured against."""
        return [self._small(Pose(yaw=0.3 * at), seed=500 + at) for at in range(_HOLDING)]

    def turn(self, place: int, before: str, to: str) -> list[bytes]:
        """Frames of the ``place``-th movement, from the direction of the one before (``rest`` at first)."""
        key = (place, before, to)
        if key not in self._clips:
            begin, end = _TARGETS.get(before, Pose()), _TARGETS[to]
            count = round(_TURN_S * _FRAMES_PER_S)
            shares = np.clip((np.arange(count) / count - 0.25) / 0.5, 0, 1)
            self._clips[key] = [
                self._small(_between(begin, end, float(share)), seed=place * 1000 + number)
                for number, share in enumerate(3 * shares**2 - 2 * shares**3)
            ]
        return self._clips[key]

    def _small(self, pose: Pose, seed: int) -> bytes:
        frame = cv2.resize(self._head.frame(pose, seed=seed), _SMALL, interpolation=cv2.INTER_AREA)
        return jpeg(np.asarray(frame, dtype=np.uint8), quality=70)


def _between(begin: Pose, end: Pose, share: float) -> Pose:
    return Pose(
        yaw=begin.yaw + (end.yaw - begin.yaw) * share,
        pitch=begin.pitch + (end.pitch - begin.pitch) * share,
        roll=0.3 * share,
    )


class Phone:
    """One person's device: answers challenges in real time, as the page does."""

    def __init__(self, client: httpx2.Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder

    def perform(self, token: str, node_id: str) -> tuple[str, list[bytes]]:
        """Answer a challenge of ACTIVE_3D; return its id and the frames to upload."""
        device = {"Session-Token": token}
        view = post(
            self._client, f"/v1/capture/steps/{node_id}/challenge/", 200, headers=device, json={"method": "ACTIVE_3D"}
        )
        received, before, recorded = time.perf_counter(), "rest", []
        while (phase := view["phase"]) is not None:
            started = (time.perf_counter() - received) * 1000
            if phase["kind"] == "hold":
                frames, seconds = self._recorder.holding, max(0.6, phase["min_ms"] / 1000)
                committed = [*frames, *self._recorder.stills]
            else:
                frames = self._recorder.turn(view["index"], before, phase["direction"])
                before, seconds = phase["direction"], max(_TURN_S, phase["min_ms"] / 1000)
                committed = frames
            recorded += frames
            time.sleep(seconds)  # the person moves
            ended = (time.perf_counter() - received) * 1000
            times = np.linspace(started, ended, len(committed) + 1)[1:]
            done = {
                "index": view["index"],
                "started_ms": started,
                "ended_ms": ended,
                "frames": [
                    {"sha256": sha256(frame).hexdigest(), "at_ms": float(at)}
                    for frame, at in zip(committed, times, strict=True)
                ],
            }
            view = post(
                self._client, f"/v1/capture/challenges/{view['challenge']}/phases/", 200, headers=device, json=done
            )
        return str(view["challenge"]), recorded


class StepUps:
    """Runs step-ups of one method; the submissions wait for each other."""

    def __init__(self, client: httpx2.Client, key: str, arrivals: Arrivals, recorder: Recorder, body: dict[str, Any]):
        self._client, self._key, self._arrivals = client, {"x-api-key": key}, arrivals
        self._recorder, self._body = recorder, body
        self._submitting = threading.Lock()

    def run(self, method: str) -> Measured:
        session = post(self._client, "/v3/session/", 201, headers=self._key, json=self._body)
        token, session_id = str(session["session_token"]), str(session["session_id"])
        step = post(self._client, "/v1/capture/start/", 200, headers={"Session-Token": token})["step"]
        form = {"submission_key": uuid.uuid4().hex, "method": method}
        frames: list[bytes] = []
        if method == "ACTIVE_3D":
            form["challenge"], frames = Phone(self._client, self._recorder).perform(token, step["node_id"])
        pictures = [("frames", still) for still in self._recorder.stills] + [("challenge_frames", f) for f in frames]
        with self._submitting:
            sent = time.perf_counter()
            state = post(
                self._client,
                f"/v1/capture/steps/{step['node_id']}/",
                200,
                headers={"Session-Token": token},
                files=[(name, (f"{number}.jpg", data, "image/jpeg")) for number, (name, data) in enumerate(pictures)],
                data=form,
            )
            decided = time.perf_counter()
            notified = self._arrivals.wait(session_id)
        return Measured(
            decided=(decided - sent) * 1000,
            notified=(notified - sent) * 1000,
            status=str(state["status"]),
            uploaded=sum(len(data) for _, data in pictures),
        )


def post(client: httpx2.Client, path: str, expected: int, **call: Any) -> dict[str, Any]:
    """The answer's JSON; ends the program when the status is another."""
    answer = client.post(path, **call)
    if answer.status_code != expected:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    return body


def measure(portrait: bytes, recorder: Recorder, methods: Sequence[str], runs: int) -> dict[str, list[Measured]]:
    """``runs`` step-ups of each method against one server, after a few that warm it up."""
    arrivals = Arrivals()
    measured: dict[str, list[Measured]] = {}
    with receiving(arrivals) as hook, serving(0) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        key = {"x-api-key": server.key}
        post(client, "/v3/webhook/destinations/", 201, headers=key, json={"label": "bench", "url": hook})
        for method in methods:
            workflow = {
                "features": [{"feature": "LIVENESS"}, {"feature": "FACE_MATCH"}],
                "face_liveness_method": method,
                "face_liveness_max_attempts": 1,
            }
            group = post(client, "/v3/workflows/", 201, headers=key, json=workflow)["workflow_id"]
            body = {"workflow_id": group, "portrait_image": base64.b64encode(portrait).decode()}
            step_ups = StepUps(client, server.key, arrivals, recorder, body)
            for _ in range(3):
                step_ups.run(method)
            with ThreadPoolExecutor(1 if method == "PASSIVE" else _PEOPLE) as people:
                measured[method] = list(people.map(step_ups.run, [method] * runs))
    return measured


def report(method: str, found: Sequence[Measured]) -> None:
    """Print the percentiles of one method, and how its sessions ended."""
    endings = {status: sum(one.status == status for one in found) for status in sorted({one.status for one in found})}
    size = statistics.median(one.uploaded for one in found) / 1024
    print(f"{method}: {len(found)} step-ups, {size:.0f} kB of pictures each, {endings}")
    for name, times in (
        ("selfie to decision in the answer", sorted(one.decided for one in found)),
        ("selfie to webhook received", sorted(one.notified for one in found)),
    ):
        p50, p95, p99 = (times[min(len(times) - 1, int(share * len(times)))] for share in (0.5, 0.95, 0.99))
        print(f"  {name:<42} p50 {p50:>6.0f}   p95 {p95:>6.0f}   p99 {p99:>6.0f} ms   worst {times[-1]:.0f} ms")
    line(f"  {method}: selfie to webhook, p99", f"{p99:.0f} ms", f"<= {_GOAL_MS} ms", p99 <= _GOAL_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="measured step-ups of each method")
    parser.add_argument("--methods", nargs="+", default=["PASSIVE", "ACTIVE_3D"], choices=["PASSIVE", "ACTIVE_3D"])
    options = parser.parse_args()
    pictures = portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples")
    recorder = Recorder(Head.of("obama_1", pictures["obama_1"]))
    print(f"{description()}; load average {os.getloadavg()[0]:.1f} at the start")
    for method, found in measure(pictures["obama_2"], recorder, options.methods, options.runs).items():
        print()
        report(method, found)


if __name__ == "__main__":
    main()
