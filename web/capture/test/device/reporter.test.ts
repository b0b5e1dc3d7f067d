import { expect, test } from "vitest";

import { Api } from "../../src/api";
import { readAddress } from "../../src/address";
import { Reporter } from "../../src/device/reporter";
import type { DeviceReport } from "../../src/device/report";
import { Messages } from "../../src/messages";
import { Session } from "../../src/session";
import { state } from "../states";

const REPORT: DeviceReport = { source: "page", cores: 8 };
const never = new Promise<void>(() => undefined);

/** A session whose reporter collects with `collect`; `patience` is over when it resolves. */
function sessionWith(collect: () => Promise<DeviceReport>, patience: Promise<void>, answers: Record<string, number[]> = {}) {
  const asked: [string, unknown][] = [];
  const session = new Session({
    address: readAddress({ pathname: "/session/tok", search: "" }),
    search: "",
    messages: new Messages({ parent: null, native: null } as never),
    reporter: new Reporter(collect),
    transport: {
      fetch: async (input, init) => {
        const call = String(input).replace("/v1/capture/", "");
        asked.push([call, init?.body ? JSON.parse(String(init.body)) : null]);
        const status = answers[call]?.shift() ?? (call === "device/" ? 204 : 200);
        return new Response(status === 204 ? null : JSON.stringify(status === 200 ? state() : {}), { status });
      },
      request: () => new XMLHttpRequest(),
      wait: () => patience,
    },
    leaveFor: () => undefined,
    rewriteAddress: () => undefined,
  });
  return { session, asked };
}

async function started(session: Session): Promise<void> {
  await session.open();
  await session.proceed();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

test("a report that is ready goes with the start, and once", async () => {
  const { session, asked } = sessionWith(async () => REPORT, never);
  await started(session);
  expect(asked).toEqual([
    ["session/", null],
    ["start/", { device: REPORT }],
  ]);
});

test("a slow device is not waited for: its report follows the start", async () => {
  let finish: (report: DeviceReport) => void = () => undefined;
  const { session, asked } = sessionWith(() => new Promise((resolve) => (finish = resolve)), Promise.resolve());
  await started(session);
  expect(asked.map(([call]) => call)).toEqual(["session/", "start/"]);
  finish(REPORT);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(asked.at(-1)).toEqual(["device/", REPORT]);
  expect(session.model.screen).toBe("ready");
});

test("a device that cannot be described starts all the same", async () => {
  const { session, asked } = sessionWith(() => Promise.reject(new Error("blocked")), never);
  await started(session);
  expect(asked.map(([call]) => call)).toEqual(["session/", "start/"]);
  expect(session.model.screen).toBe("ready");
});

test.each([400, 413])("a report that the server refuses with %i does not stop the session", async (status) => {
  const { session, asked } = sessionWith(async () => REPORT, never, { "start/": [status] });
  await started(session);
  expect(asked.slice(1)).toEqual([
    ["start/", { device: REPORT }],
    ["start/", null],
  ]);
  expect(session.model.screen).toBe("ready");
});

test("collecting begins once, however often it is asked for", async () => {
  let collected = 0;
  const reporter = new Reporter(async () => ((collected += 1), REPORT));
  reporter.begin();
  reporter.begin();
  expect(await reporter.within(never)).toBe(REPORT);
  expect(await reporter.eventually()).toBe(REPORT);
  expect(collected).toBe(1);
});

test("a late report that the server refuses is dropped", async () => {
  const { session } = sessionWith(async () => REPORT, Promise.resolve(), { "device/": [409] });
  await started(session);
  expect(session.model.screen).toBe("ready");
});

test("an answer without a body is no error", async () => {
  const api = new Api("tok", { fetch: async () => new Response(null, { status: 204 }) } as never);
  await expect(api.reportDevice(REPORT)).resolves.toBeUndefined();
});
