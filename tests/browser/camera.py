"""A camera for Chromium whose picture can be changed while it runs.

Chromium plays ``--use-file-for-fake-video-capture=FILE.y4m`` by reading every frame from the file again each time it is
due. A file with a single frame that is written over in place is therefore a camera that lives: what is written is
what the page's video shows one frame later (measured: 40 to 80 ms), and getUserMedia, track settings, permissions and
frame times are those of the real browser. The track's label is the path of the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

WIDTH: Final = 640
HEIGHT: Final = 480
FRAMES_PER_S: Final = 20
"""What an inexpensive webcam gives indoors."""


class LiveCamera:
    """The file and what it shows at the moment. Close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Create the file at ``path`` (absolute, ``.y4m``) with a black picture."""
        assert path.is_absolute(), "Chromium wants an absolute path"
        assert path.suffix == ".y4m"
        self.path = path
        header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAMES_PER_S}:1 Ip A1:1 C420\nFRAME\n".encode()
        self._begin = len(header)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(self._file, header)
        self.show(np.zeros((HEIGHT, WIDTH, 3), np.uint8))

    def show(self, pixels: Pixels) -> None:
        """Show (480, 640, 3) uint8 RGB from the next frame on.

        The write is not synchronised with Chromium's read: now and then a frame is half of the old picture and half of
        the new, as the frames of a rolling shutter are.
        """
        assert pixels.shape == (HEIGHT, WIDTH, 3), pixels.shape
        os.pwrite(self._file, cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420).tobytes(), self._begin)

    def close(self) -> None:
        """Let go of the file; a browser that still plays it keeps its last picture."""
        os.close(self._file)

    def __enter__(self) -> LiveCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
