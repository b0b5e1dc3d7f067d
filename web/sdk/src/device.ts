/** The collecting part of the SDK, `device.js`: the collector of the hosted page, on the integrator's own origin. */
import { collectReport } from "../../capture/src/device/collect";
import type { Device } from "./types";

/** Describe this browser. Nothing is sent anywhere. Rejects when the browser cannot be described. */
export async function device(): Promise<Device> {
  const report = await collectReport();
  return { persistent_id: report.persistent_id ?? null, report: { ...report } };
}
