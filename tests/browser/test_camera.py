"""The instrument of these tests: what is written to the camera's file is what the page sees, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.browser.camera import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext

    from tests.browser.camera import LiveCamera

_OPEN = """
async () => {
  const video = document.createElement("video");
  video.id = "camera";
  video.muted = true;
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  document.body.append(video);
  await video.play();
  return [video.videoWidth, video.videoHeight];
}
"""
_SHOWS = """
(wanted) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d");
  context.drawImage(document.getElementById("camera"), 0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data.slice(0, 3).every((value, at) => Math.abs(value - wanted[at]) < 12);
}
"""


def test_a_running_camera_shows_what_is_put_in_front_of_it(
    camera: LiveCamera, browser_device: Callable[[], BrowserContext]
) -> None:
    page = browser_device().new_page()
    page.route("http://localhost/", lambda route: route.fulfill(body="<title>Camera</title>", content_type="text/html"))
    page.goto("http://localhost/")
    assert page.evaluate(_OPEN) == [WIDTH, HEIGHT]
    for colour in ((200, 40, 40), (40, 200, 40), (40, 40, 200), (120, 120, 120)):
        camera.show(np.full((HEIGHT, WIDTH, 3), colour, np.uint8))
        page.wait_for_function(_SHOWS, arg=list(colour), timeout=15_000)
