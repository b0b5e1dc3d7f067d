/** The address that is opened: the session's own, with the camera options the page reads from its query. */
import type { Configuration } from "./types";

/** Raised as a `failed` result: there is nothing to open. */
export class InvalidUrl extends Error {}

/** The address to show. Options come beside what is in the query already. Raises `InvalidUrl`. */
export function addressOf(url: unknown, configuration: Configuration, base: string): URL {
  if (typeof url !== "string" || !url.trim()) throw new InvalidUrl("startVerification needs the url of a session.");
  let address: URL;
  try {
    address = new URL(url, base);
  } catch {
    throw new InvalidUrl(`This is not an address: ${url}`);
  }
  // javascript: and data: would run in the page that embeds us.
  if (!/^https?:$/.test(address.protocol)) throw new InvalidUrl("Only https and http addresses can be opened.");
  const options: [string, string | boolean | undefined][] = [
    ["document_camera", configuration.documentCamera],
    ["liveness_camera", configuration.livenessCamera],
    ["document_camera_switch", configuration.documentCameraSwitch],
    ["liveness_camera_switch", configuration.livenessCameraSwitch],
  ];
  for (const [name, value] of options) if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}
