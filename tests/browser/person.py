"""A simulated person before the browser: looks at the page as a human does, and moves as a human does.

The eyes read nothing but what the page shows (screen, hint, instruction, colour). The body follows a moment later, with
the speed of a neck, sways a little, and its skin takes the light of the screen. The picture goes to the camera file.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from playwright.sync_api import Error

from ipse.samples.optics import GAMMA, Light, Pose
from tests.browser.camera import FRAMES_PER_S, LiveCamera
from tests.browser.subjects import FarAway, InTheDark, Subject

if TYPE_CHECKING:
    from types import TracebackType

    from playwright.sync_api import Frame, Page

REACTION_S: Final = 0.35
"""From reading an instruction to moving: about what people need for a simple choice."""
PATIENCE_S: Final = 150.0
"""How long a test waits before it fails: nothing is to be proved about speed, and two cores may be busy."""
_SWAY_S: Final = 4.0
_SWAY_STEPS: Final = 16
_EAGERNESS: Final = 5.0
"""Natural frequency of the neck, 1/s: most of a turn is done within half a second, and it never jumps."""
_LONGEST_STEP_S: Final = 0.075
"""Longer ones would let the neck overshoot."""
_STILL: Final = 4.0
"""Degrees a second below which the sway is seen."""

TURNS: Final[Mapping[str, Pose]] = {
    "turn-left": Pose(yaw=24),
    "turn-right": Pose(yaw=-24),
    "turn-up": Pose(pitch=16),
    "turn-down": Pose(pitch=-16),
}

# Resolves as soon as the page looks different from `last`, at the latest after a quarter of a second.
_LOOK: Final = """
(last) => new Promise((resolve) => {
  const latest = performance.now() + 250;
  const look = () => {
    const main = document.querySelector("main");
    const of = (name) => document.querySelector(`[${name}]`)?.getAttribute(name) ?? null;
    const seen = JSON.stringify({
      screen: main?.dataset.screen ?? "loading",
      hint: of("data-hint"), phase: of("data-phase"), colour: of("data-colour"), result: of("data-result"),
    });
    if (seen !== last || performance.now() > latest) resolve(seen);
    else requestAnimationFrame(look);
  };
  look();
})
"""


@dataclass(frozen=True)
class View:
    """What the page shows, in the words of its data attributes."""

    screen: str = "loading"
    hint: str | None = None
    phase: str | None = None
    colour: str | None = None
    result: str | None = None


Condition = Callable[[View], bool]


def on(*screens: str) -> Condition:
    """True on one of these screens."""
    return lambda view: view.screen in screens


def hinted(code: str) -> Condition:
    """True while the hint plate shows ``code``."""
    return lambda view: view.hint == code


class Person:
    """Somebody in front of the camera. A context manager: the camera lives while the block runs.

    ``react`` is called with every new view; without it the person does what the page says.
    """

    def __init__(self, camera: LiveCamera, subject: Subject, *, react: Callable[[Person, View], None] | None = None):
        self.subject = subject
        self.seen: list[View] = []
        """Every different view so far, in order."""
        self._camera = camera
        self.react = react or follow
        self._light = Light()
        self._pose = self._target = Pose()
        self._next: tuple[float, Pose] | None = None
        self._speed = [0.0, 0.0]
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._body = threading.Thread(target=self._live, name="person", daemon=True)

    def turn(self, pose: Pose) -> None:
        """Begin to move to ``pose`` after the time people take to react."""
        if pose != (self._next[1] if self._next else self._target):
            self._next = (time.monotonic() + REACTION_S, pose)

    def bathe(self, colour: str | None) -> None:
        """Light of the screen, ``r,g,b`` of 0-255 each; it falls on the skin at once."""
        values = [int(part) for part in colour.split(",")] if colour else [0, 0, 0]
        red, green, blue = ((value / 255) ** GAMMA for value in values)
        self._light = Light(screen=(red, green, blue))

    def watch(self, page: Page | Frame, until: Condition, *, timeout_s: float = PATIENCE_S) -> View:
        """Look at the page and act until it shows what ``until`` wants; return that view."""
        latest = time.monotonic() + timeout_s
        view, raw = View(), ""
        while time.monotonic() < latest:
            if self._failure is not None:
                raise self._failure
            try:
                raw = page.evaluate(_LOOK, raw)
            except Error as error:
                if not _page_was_left(error):
                    raise
                page.wait_for_load_state("domcontentloaded")
                continue
            view = View(**json.loads(raw))
            if not self.seen or self.seen[-1] != view:
                self.seen.append(view)
                self.react(self, view)
            if until(view):
                return view
        raise AssertionError(f"after {timeout_s:.0f} s the page shows {view}; before: {self.seen[-12:]}")

    def _live(self) -> None:
        began = due = moved = time.monotonic()
        number = 0
        try:
            while not self._stopping.wait(max(0.0, due - time.monotonic())):
                now = time.monotonic()
                due = max(due + 1 / FRAMES_PER_S, now - 1 / FRAMES_PER_S)
                self._move(now, now - moved)
                moved = now
                moving = max(map(abs, self._speed)) > _STILL
                pose = self._pose if moving else _swaying(self._pose, now - began)
                self._camera.show(self.subject.frame(pose, self._light, seed=number))
                number += 1
        except BaseException as error:  # handed to the test, which raises it
            self._failure = error

    def _move(self, now: float, elapsed: float) -> None:
        """Move for ``elapsed`` seconds: a machine that draws slowly shows fewer pictures, not a slower person."""
        if self._next is not None and now >= self._next[0]:
            self._target, self._next = self._next[1], None
        steps = max(1, round(elapsed * FRAMES_PER_S))
        for _ in range(steps):
            self._step(min(elapsed / steps, _LONGEST_STEP_S))

    def _step(self, seconds: float) -> None:
        angles = []
        for axis, (at, to) in enumerate(((self._pose.yaw, self._target.yaw), (self._pose.pitch, self._target.pitch))):
            push = _EAGERNESS**2 * (to - at) - 2 * _EAGERNESS * self._speed[axis]
            self._speed[axis] += push * seconds
            angles.append(at + self._speed[axis] * seconds)
        self._pose = replace(self._pose, yaw=angles[0], pitch=angles[1])

    def __enter__(self) -> Person:
        self._body.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._body.join(5)


def follow(person: Person, view: View) -> None:
    """Do what the page says: turn, hold still, be lit."""
    person.bathe(view.colour)
    person.turn(TURNS.get(view.phase or "", Pose()))


def mend(person: Person, view: View) -> None:
    """Like ``follow``, and change what the hint asks for: come closer, switch on the light."""
    if view.hint == "too_far" and isinstance(person.subject, FarAway):
        person.subject = person.subject.subject
    if view.hint == "too_dark" and isinstance(person.subject, InTheDark):
        person.subject = person.subject.subject
    follow(person, view)


def stay(person: Person, view: View) -> None:
    """Do nothing, whatever the page says. The light of the screen cannot be avoided."""
    person.bathe(view.colour)


def _swaying(pose: Pose, seconds: float) -> Pose:
    """Nobody holds perfectly still: some pixels and a third of a degree, in 16 steps of a slow circle."""
    angle = 2 * math.pi * round(seconds / _SWAY_S * _SWAY_STEPS % _SWAY_STEPS) / _SWAY_STEPS
    return replace(
        pose,
        roll=pose.roll + 0.3 * math.sin(angle),
        x=pose.x + 0.004 * math.cos(angle),
        y=pose.y + 0.003 * math.sin(angle),
    )


def _page_was_left(error: Error) -> bool:
    """The page was reloaded or left while it was looked at."""
    text = str(error)
    return any(part in text for part in ("Execution context was destroyed", "navigation", "Cannot find context"))
