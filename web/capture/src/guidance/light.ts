/** What can be measured in the pixels without a model: light on the face, light behind it, sharpness. */

import type { FaceBox, Pixels } from "../recording/types";

export interface Light {
  /** 0-255: mean luma of the face. */
  face: number;
  /** At least 1: the brighter half of the face over the darker one. */
  sides: number;
  /** Mean luma of what surrounds the face over that of the face. */
  behind: number;
}

/** BT.601 luma, 0-255. */
const luma = (data: Uint8ClampedArray, at: number): number =>
  0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);

// The cheeks, the nose and the mouth: neither hair above nor what shows beside an ear.
const SKIN = { left: 0.2, right: 0.8, top: 0.3, bottom: 0.85 } as const;
// Nothing is darker than this on a real sensor; keeps the ratios finite.
const FLOOR = 4;

/** Measure the light of a face at `box` (fractions of the picture). */
export function measureLight(pixels: Pixels, box: FaceBox): Light {
  const { data, width, height } = pixels;
  const skin = {
    left: (box.x + SKIN.left * box.width) * width,
    right: (box.x + SKIN.right * box.width) * width,
    top: (box.y + SKIN.top * box.height) * height,
    bottom: (box.y + SKIN.bottom * box.height) * height,
  };
  const middle = (skin.left + skin.right) / 2;
  const outer = {
    left: (box.x - 0.25 * box.width) * width,
    right: (box.x + 1.25 * box.width) * width,
    // Shoulders say nothing of the light behind, so only what is above the chin counts.
    bottom: (box.y + box.height) * height,
  };
  const left = new Mean();
  const right = new Mean();
  const behind = new Mean();
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const value = luma(data, 4 * (y * width + x));
      if (y >= skin.top && y < skin.bottom && x >= skin.left && x < skin.right) {
        (x < middle ? left : right).add(value);
      } else if (y < outer.bottom && (x < outer.left || x >= outer.right)) {
        behind.add(value);
      }
    }
  }
  const sides = [Math.max(left.value, FLOOR), Math.max(right.value, FLOOR)] as const;
  const face = (left.value + right.value) / 2;
  return {
    face,
    sides: Math.max(...sides) / Math.min(...sides),
    behind: behind.count === 0 ? 1 : behind.value / Math.max(face, FLOOR),
  };
}

/** Variance of the Laplacian of the luma: grows with the detail. Comparable only for pictures of the same size. */
export function measureSharpness({ data, width, height }: Pixels): number {
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = luma(data, 4 * i);
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const edge = 4 * grey[i]! - grey[i - 1]! - grey[i + 1]! - grey[i - width]! - grey[i + width]!;
      sum += edge;
      squares += edge * edge;
    }
  }
  const count = Math.max(1, (width - 2) * (height - 2));
  return squares / count - (sum / count) ** 2;
}

/** 0-255: how much two pictures of the same size differ in luma, on average; null when their sizes differ. */
export function measureChange(before: Pixels, after: Pixels): number | null {
  if (before.width !== after.width || before.height !== after.height) return null;
  const change = new Mean();
  for (let at = 0; at < after.data.length; at += 16) {
    change.add(Math.abs(luma(after.data, at) - luma(before.data, at)));
  }
  return change.value;
}

class Mean {
  count = 0;
  private sum = 0;

  add(value: number): void {
    this.count += 1;
    this.sum += value;
  }

  get value(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }
}
