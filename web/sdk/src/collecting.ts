/** The person's browser, described by a part that lies next to the SDK and is loaded when it is asked for. */
import type { Device } from "./types";

/** What `device.js` exports. */
export interface Collector {
  device(): Promise<Device>;
}

/** So long a page waits for a description, loading included, in milliseconds. */
export const PATIENCE_MS = 3000;

/** Where the SDK was loaded from. A plain script is told only while it runs. */
const OWN: string | undefined = import.meta.url ?? (document.currentScript as HTMLScriptElement | null)?.src;

/** Load the collecting part. Rejects when nothing is there: the SDK was made part of another script, or is inline. */
export async function loadCollector(own: string | undefined = OWN): Promise<Collector> {
  const address = new URL("device.js", own).href;
  return (await import(/* @vite-ignore */ address)) as Collector;
}

/** Collects, one at a time: two first collections side by side would each make an id, and only one of them is kept. */
export class OneAtATime {
  #underWay: Promise<Device | null> | undefined;

  constructor(private readonly load: () => Promise<Collector>) {}

  /** The device, or null when it failed or is late; a late one is what the next call gets. Never rejects. */
  collected(): Promise<Device | null> {
    this.#underWay ??= this.load()
      .then((collector) => collector.device())
      .catch(() => null)
      .finally(() => (this.#underWay = undefined));
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), PATIENCE_MS);
    });
    return Promise.race([this.#underWay, late]).finally(() => clearTimeout(timer));
  }
}
