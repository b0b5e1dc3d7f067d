"""Presentation attacks made from a photo: a print held into the camera, and a phone that shows it.

Give them a head-and-shoulders photo, for example ``scenes.selfie``: an attacker fills the sheet with the face, and the
liveness networks judge the face with what surrounds it. These are drawings, not recordings. They have the traits by
which such attacks are told apart (a straight border, a bezel, a brighter or flatter inside, moire, glare, perspective,
a scene around them), and are deterministic by seed.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels, decode

from .scenes import FRAME_HEIGHT, FRAME_WIDTH, jpeg

Picture = NDArray[np.float32]

_SHEET_HEIGHT: Final = 900
_SHEET_WIDTH: Final = 640


def print_attack(photo: bytes, *, seed: int = 0) -> bytes:
    """A 1280 x 720 JPEG of a paper print of ``photo`` (image bytes), with a white margin, held by a hand."""
    random = np.random.default_rng([seed, 1])
    sheet = _fitted(decode(photo).pixels, _SHEET_WIDTH, _SHEET_HEIGHT)
    # Paper reflects less than a face does: blacks turn grey, whites cream, colours fade.
    grey = sheet.mean(axis=2, keepdims=True)
    faded = (sheet * 0.78 + grey * 0.22) * random.uniform(0.68, 0.8) + random.uniform(28, 42)
    dots = random.normal(0, 5, sheet.shape[:2])[:, :, None]
    paper = np.array([236, 232, 222], np.float32) * random.uniform(0.88, 1.0)
    margin = int(random.integers(24, 44))
    framed = np.empty((_SHEET_HEIGHT + 2 * margin, _SHEET_WIDTH + 2 * margin, 3), np.float32)
    framed[:] = paper
    framed[margin:-margin, margin:-margin] = faded + dots
    shade = np.linspace(random.uniform(0.86, 0.95), random.uniform(1.0, 1.06), framed.shape[1], dtype=np.float32)
    return _captured(framed * shade[None, :, None], random, height_share=random.uniform(0.9, 1.02))


def replay_attack(photo: bytes, *, seed: int = 0) -> bytes:
    """A 1280 x 720 JPEG of a phone that shows ``photo`` (image bytes): bezel, glow, moire and a reflection."""
    random = np.random.default_rng([seed, 2])
    screen = _fitted(decode(photo).pixels, _SHEET_WIDTH, _SHEET_HEIGHT)
    tint = np.array([0.93, 0.98, 1.1], np.float32)
    screen = np.clip((screen - 128) * 1.12 + 138, 0, 255) * tint
    screen = _with_moire(screen, random)
    side, ends = int(random.integers(18, 34)), int(random.integers(44, 80))
    phone = np.full((_SHEET_HEIGHT + 2 * ends, _SHEET_WIDTH + 2 * side, 3), 14, np.float32)
    phone[ends:-ends, side:-side] = screen
    return _captured(_with_glare(phone, random), random, height_share=random.uniform(0.92, 1.05))


def _fitted(pixels: Pixels, width: int, height: int) -> Picture:
    """The middle of the photo, cut to the sheet's shape, the upper part of a taller photo."""
    rows, columns = pixels.shape[:2]
    cut_width = min(columns, round(rows * width / height))
    cut_height = min(rows, round(columns * height / width))
    left = (columns - cut_width) // 2
    cut = pixels[:cut_height, left : left + cut_width]
    mode = cv2.INTER_AREA if cut_width > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (width, height), interpolation=mode), dtype=np.float32)


def _with_moire(screen: Picture, random: np.random.Generator) -> Picture:
    """Interference of the display's grid with the camera's: a slow stripe pattern, different in each colour."""
    rows, columns = np.mgrid[0 : screen.shape[0], 0 : screen.shape[1]].astype(np.float32)
    result = screen.copy()
    angle = random.uniform(0.1, 1.4)
    for channel in range(3):
        period = random.uniform(4.5, 7.5)
        phase = (columns * np.cos(angle) + rows * np.sin(angle)) * (2 * np.pi / period) + channel * 2.1
        result[:, :, channel] *= 1 + 0.06 * np.sin(phase)
    return result


def _with_glare(device: Picture, random: np.random.Generator) -> Picture:
    """A lamp reflected in the glass: one soft slanted bar."""
    rows, columns = np.mgrid[0 : device.shape[0], 0 : device.shape[1]].astype(np.float32)
    centre = random.uniform(0.1, 0.35) * device.shape[1]
    distance = np.abs(columns + 0.35 * rows - centre - 0.2 * device.shape[0])
    glow = np.exp(-((distance / (0.07 * device.shape[1])) ** 2)) * random.uniform(25, 60)
    shining: Picture = device + glow[:, :, None].astype(np.float32)
    return shining


def _captured(sheet: Picture, random: np.random.Generator, *, height_share: float) -> bytes:
    """Hold the sheet into a room in slight perspective, add hand, shadow, blur and noise, and compress."""
    height = FRAME_HEIGHT * height_share
    width = height * sheet.shape[1] / sheet.shape[0]
    left = FRAME_WIDTH * random.uniform(0.46, 0.54) - width / 2
    top = (FRAME_HEIGHT - height) * 0.5 + random.uniform(-8, 8)
    corners = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    corners += random.uniform(-0.025, 0.025, (4, 2)) * width
    turn = np.radians(random.uniform(-5, 5))
    centre = corners.mean(axis=0)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = ((corners - centre) @ rotation.T + centre).astype(np.float32)
    rows, columns = sheet.shape[:2]
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(source, corners))
    size = (FRAME_WIDTH, FRAME_HEIGHT)
    shrink = width / columns
    smooth = cv2.GaussianBlur(sheet, (0, 0), max(0.3, 0.35 / shrink))
    held = np.asarray(cv2.warpPerspective(smooth, matrix, size), dtype=np.float32)
    mask = np.asarray(cv2.warpPerspective(np.ones((rows, columns), np.float32), matrix, size), dtype=np.float32)
    room = _room(random)
    shadow = np.asarray(cv2.GaussianBlur(np.roll(mask, (14, 18), axis=(0, 1)), (0, 0), 16))
    frame = room * (1 - 0.35 * shadow[:, :, None])
    frame = frame * (1 - mask[:, :, None]) + held * mask[:, :, None]
    frame = _with_hand(frame, corners, random)
    frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.7)) + random.normal(0, 2.2, frame.shape)
    return jpeg(np.clip(frame, 0, 255).astype(np.uint8))


def _room(random: np.random.Generator) -> Picture:
    """An out-of-focus wall, a desk edge and some furniture."""
    tone = random.uniform(60, 150)
    wall = np.array([tone * 1.05, tone, tone * 0.92], np.float32)
    light = np.linspace(1.15, 0.8, FRAME_WIDTH, dtype=np.float32)[None, :, None]
    room = np.ones((FRAME_HEIGHT, FRAME_WIDTH, 1), np.float32) * wall * light
    desk = int(FRAME_HEIGHT * random.uniform(0.7, 0.85))
    room[desk:] = np.array([120, 88, 60], np.float32) * random.uniform(0.6, 1.1)
    for _ in range(6):
        x, y = int(random.integers(0, FRAME_WIDTH)), int(random.integers(0, desk))
        far = (x + int(random.integers(80, 300)), y + int(random.integers(60, 260)))
        colour = [float(value) for value in random.uniform(40, 170) + random.uniform(-25, 25, 3)]
        cv2.rectangle(room, (x, y), far, colour, -1)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), 14), dtype=np.float32)


def _with_hand(frame: Picture, corners: NDArray[np.float32], random: np.random.Generator) -> Picture:
    """Four fingers over one long edge, low enough to leave the face free."""
    skin = np.array([198, 150, 122], np.float32) * random.uniform(0.6, 1.05)
    layer = frame.copy()
    right = bool(random.integers(0, 2))
    top, bottom = (corners[1], corners[2]) if right else (corners[0], corners[3])
    outward = 1 if right else -1
    for finger in range(4):
        at = top + (bottom - top) * (0.62 + 0.085 * finger)
        centre = (int(at[0] + outward * 26), int(at[1]))
        shade = [float(value) for value in skin * random.uniform(0.92, 1.06)]
        cv2.ellipse(layer, centre, (58, 21), 0, 0, 360, shade, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), 1.2), dtype=np.float32)
