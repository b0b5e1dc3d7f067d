/**
 * When the device is described: collected beside everything else once the page is painted, and sent with the start of
 * the session. A slow device is not waited for; its report follows.
 */
import type { DeviceReport } from "./report";

/** So long the start waits for a report that is under way, in milliseconds. */
export const PATIENCE_MS = 1500;

export class Reporter {
  #report: Promise<DeviceReport | null> | null = null;

  /** `collect` loads the collecting part and runs it. */
  constructor(private readonly collect: () => Promise<DeviceReport>) {}

  /** Begin. What fails is a device that is not described. */
  begin(): void {
    this.#report ??= this.collect().catch(() => null);
  }

  /** The report, or null when `waited` is over first or there is none. */
  within(waited: Promise<void>): Promise<DeviceReport | null> {
    this.begin();
    return Promise.race([this.#report ?? null, waited.then(() => null)]);
  }

  /** The report whenever it is there. */
  eventually(): Promise<DeviceReport | null> {
    this.begin();
    return this.#report ?? Promise.resolve(null);
  }
}

/** Run `task` after the first paint, when the browser has nothing better to do. */
export function afterFirstPaint(task: () => void): void {
  requestAnimationFrame(() => setTimeout(task, 0));
}
