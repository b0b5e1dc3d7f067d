/** Pictures out of the video: as the camera sees it, never mirrored, never cropped. */

import type { Pixels } from "./types";

/** Longer side of what the model looks at; at 480 px the head's angles differed by at most 1.4 degrees. */
const SMALL_PX = 320;
/** Longer side of a still. */
const STILL_PX = 1280;
/** UX.md 1.7: "recompressed progressively until <= 350 KB". */
const STILL_BYTES = 350_000;
const QUALITIES = [0.92, 0.86, 0.8, 0.72, 0.64, 0.5] as const;
/** Side of the square in which the sharpness of a face is measured. */
const FACE_PX = 128;

/** Of a picture whose longer side, or width, is at most `limit`; a video is never enlarged. */
export function fitted(width: number, height: number, limit: number, by: "longer side" | "width"): [number, number] {
  const scale = Math.min(1, limit / (by === "width" ? width : Math.max(width, height)));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** Draws the video's present frame at a size; one canvas, used again and again. */
export class Canvas {
  readonly element = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;

  constructor(options: { readBack: boolean }) {
    // Without `willReadFrequently` every getImageData waits for the graphics card (UX.md 1.7).
    const context = this.element.getContext("2d", { alpha: false, willReadFrequently: options.readBack });
    if (context === null) throw new Error("This browser cannot draw.");
    this.context = context;
  }

  draw(video: HTMLVideoElement, limit: number, by: "longer side" | "width"): void {
    this.resize(...fitted(video.videoWidth, video.videoHeight, limit, by));
    this.context.drawImage(video, 0, 0, this.element.width, this.element.height);
  }

  /** Draw the part of `source` at x, y, width, height (its pixels) into a square of `side` pixels. */
  drawPart(source: HTMLCanvasElement, part: [number, number, number, number], side: number): void {
    this.resize(side, side);
    this.context.drawImage(source, ...part, 0, 0, side, side);
  }

  pixels(): ImageData {
    return this.context.getImageData(0, 0, this.element.width, this.element.height);
  }

  /** Phones count the memory of canvases that nobody uses any more; an empty one costs nothing. */
  free(): void {
    this.resize(0, 0);
  }

  private resize(width: number, height: number): void {
    if (this.element.width !== width) this.element.width = width;
    if (this.element.height !== height) this.element.height = height;
  }
}

/** The present frame for the model and the light meter. */
export class SmallPicture {
  private readonly canvas = new Canvas({ readBack: true });

  take(video: HTMLVideoElement): Pixels {
    this.canvas.draw(video, SMALL_PX, "longer side");
    return this.canvas.pixels();
  }

  free(): void {
    this.canvas.free();
  }
}

/** The face of a still, always at the same size, so that its sharpness compares with that of other frames. */
export class FaceMagnifier {
  private readonly canvas = new Canvas({ readBack: true });

  look(still: HTMLCanvasElement, box: { x: number; y: number; width: number; height: number }): Pixels {
    const part: [number, number, number, number] = [
      box.x * still.width,
      box.y * still.height,
      Math.max(1, box.width * still.width),
      Math.max(1, box.height * still.height),
    ];
    this.canvas.drawPart(still, part, FACE_PX);
    return this.canvas.pixels();
  }

  free(): void {
    this.canvas.free();
  }
}

/** Draw the present frame as large as a still may be. */
export function drawStill(canvas: Canvas, video: HTMLVideoElement): void {
  canvas.draw(video, STILL_PX, "longer side");
}

/** The still as JPEG, of the best quality that fits into 350 kB. */
export async function encodeStill(canvas: Canvas): Promise<Blob> {
  let smallest: Blob | null = null;
  for (const quality of QUALITIES) {
    smallest = await encode(canvas, quality);
    if (smallest.size <= STILL_BYTES) break;
  }
  return smallest!;
}

/** JPEG of what the canvas shows at the call; it may be drawn on again at once. Rejects when memory is short. */
export function encode(canvas: Canvas, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.element.toBlob(
      (blob) => (blob === null ? reject(new Error("The picture could not be made.")) : resolve(blob)),
      "image/jpeg",
      quality,
    );
  });
}

/** Lower-case hex SHA-256 of a picture's bytes. */
export async function digest(picture: Blob): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await picture.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
