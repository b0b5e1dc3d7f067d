/** Whether the head followed a prompt, as far as the page can tell. Pure; the server judges for itself. */

import type { Pose, Turn } from "./types";

/**
 * Degrees from the pose of the hold phase, as the mesh sees them. On rendered heads (ipse.samples.head) it saw
 * 0.69-1.1 of a turn of 12-18 degrees to a side and 0.54-1.1 of a nod of 8-16, least of a nod upwards: these ask for
 * about 15 and 10 real degrees.
 */
export const TURNED_YAW = 13;
export const TURNED_PITCH = 7;
/** So long must the head stay there. */
export const STAY_MS = 250;
/** Without guidance every turn lasts so long (or what its own limits say). */
export const BLIND_TURN_MS = 2_500;

export class TurnWatch {
  private reachedAt: number | null = null;

  constructor(
    private readonly turn: Turn,
    private readonly hold: Pose,
  ) {}

  /** Degrees that the head moved in the prompted direction. */
  moved(pose: Pose): number {
    switch (this.turn.direction) {
      case "left":
        return pose.yaw - this.hold.yaw;
      case "right":
        return this.hold.yaw - pose.yaw;
      case "up":
        return pose.pitch - this.hold.pitch;
      case "down":
        return this.hold.pitch - pose.pitch;
    }
  }

  /** Whether the prompt is followed by what was seen at `now`; a lost face does not count against the person. */
  next(pose: Pose | null, now: number): boolean {
    if (pose === null) return false;
    const wanted = this.turn.direction === "left" || this.turn.direction === "right" ? TURNED_YAW : TURNED_PITCH;
    if (this.moved(pose) < wanted) {
      this.reachedAt = null;
      return false;
    }
    this.reachedAt ??= now;
    return now - this.reachedAt >= STAY_MS;
  }
}

/** The pose of several looks: the median of each angle, so that one bad look changes nothing. Null without looks. */
export function medianPose(poses: readonly Pose[]): Pose | null {
  if (poses.length === 0) return null;
  const middle = (of: (pose: Pose) => number): number => {
    const sorted = poses.map(of).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  return { yaw: middle((p) => p.yaw), pitch: middle((p) => p.pitch), roll: middle((p) => p.roll) };
}

/** How long to wait for a turn that nobody watches. */
export function blindTurnMs({ min_ms, max_ms }: Turn): number {
  return Math.min(max_ms, Math.max(min_ms, BLIND_TURN_MS));
}
