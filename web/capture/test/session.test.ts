import { beforeEach, expect, test } from "vitest";

import { readAddress } from "../src/address";
import { Messages } from "../src/messages";
import { Session } from "../src/session";
import { decided, handoff, RECORDING, state, step } from "./states";

type Answer = { status: number; body?: unknown; retryAfter?: string } | "lost";

/** A server of the capture API: answers in the order given, and remembers what it was asked. */
class Server {
  asked: string[] = [];
  keys: unknown[] = [];
  /** Hashes of the actions that submissions and challenges named. */
  actions: unknown[] = [];
  answers: Record<string, Answer[]> = {};

  next(call: string): Answer {
    this.asked.push(call);
    const waiting = this.answers[call];
    const answer = waiting && waiting.length > 1 ? waiting.shift() : waiting?.[0];
    if (answer === undefined) throw new Error(`nobody expected ${call}`);
    return answer;
  }

  fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (String(input).endsWith("/challenge/")) this.actions.push(JSON.parse(String(init?.body)).action_hash ?? null);
    const answer = this.next(`${init?.method} ${String(input).replace("/v1/capture/", "")}`);
    if (answer === "lost") throw new TypeError("Failed to fetch");
    const headers = answer.retryAfter ? { "Retry-After": answer.retryAfter } : {};
    return new Response(JSON.stringify(answer.body ?? {}), { status: answer.status, headers });
  };

  request = (): XMLHttpRequest => {
    const server = this;
    let path = "";
    const request = {
      upload: {} as Record<string, (event?: unknown) => void>,
      status: 0,
      responseText: "",
      open: (_: string, url: string) => void (path = url.replace("/v1/capture/", "")),
      setRequestHeader: () => undefined,
      getResponseHeader: () => request.retryAfter,
      retryAfter: null as string | null,
      send(form: FormData) {
        server.keys.push(form.get("submission_key"));
        server.actions.push(form.get("action_hash"));
        const answer = server.next(`UPLOAD ${path}`);
        if (answer === "lost") return this.onerror();
        request.upload.onload!();
        request.status = answer.status;
        request.responseText = JSON.stringify(answer.body ?? {});
        request.retryAfter = answer.retryAfter ?? null;
        this.onload();
      },
      onerror: () => undefined,
      onload: () => undefined,
    };
    return request as unknown as XMLHttpRequest;
  };
}

let server: Server;
let waited: number[];
let left: string[];
let path: string;
let heard: string[];

beforeEach(() => {
  server = new Server();
  [waited, left, path, heard] = [[], [], "", []];
});

function session(pathname = "/session/tok"): Session {
  return new Session({
    address: readAddress({ pathname, search: "" }),
    search: "?a=b",
    messages: new Messages({ parent: { postMessage: (message) => heard.push((message as { type: string }).type) }, native: null }),
    transport: {
      fetch: server.fetch,
      request: server.request,
      wait: (ms) => {
        waited.push(ms);
        return Promise.resolve();
      },
    },
    leaveFor: (url) => left.push(url),
    rewriteAddress: (to) => void (path = to),
  });
}

const ok = (body: unknown): Answer => ({ status: 200, body });

async function uploaded(...answers: Answer[]): Promise<Session> {
  server.answers["GET session/"] ??= [ok(state())];
  server.answers["POST start/"] = [ok(state())];
  server.answers["UPLOAD steps/feature_liveness/"] = answers;
  const opened = session();
  await opened.open();
  await opened.proceed();
  await opened.openCamera();
  await opened.recorded(RECORDING);
  return opened;
}

test("opening the link reads the session; it is started when the person goes on, and once", async () => {
  server.answers = { "GET session/": [ok(state({ status: "Not Started" }))], "POST start/": [ok(state())] };
  const opened = session();
  await opened.open();
  expect([opened.model.screen, server.asked]).toEqual(["purpose", ["GET session/"]]);
  await opened.proceed();
  await opened.openCamera();
  expect([opened.model.screen, server.asked]).toEqual(["framing", ["GET session/", "POST start/"]]);
  expect(heard.filter((type) => type === "didit:started")).toHaveLength(1);
});

test("without a connection the page waits and opens by itself when it is back", async () => {
  server.answers["GET session/"] = ["lost", "lost", "lost", "lost", "lost", ok(state())];
  const opened = session();
  await opened.open();
  expect(opened.model.screen).toBe("purpose");
  expect(waited).toEqual([400, 1000, 2500, 3000, 400]);
});

test.each([
  ["/session/tok", 403, "unknown_link"],
  ["/session/tok", 410, "expired"],
  ["/u/AAAAAAAAAAAAAAAAAAAAAA", 404, "unknown_link"],
  ["/h/tok", 410, "used_link"],
  ["/h/tok", 403, "used_link"],
  ["/elsewhere", 0, "unknown_link"],
])("%s answered with %d says what is wrong with the link", async (pathname, status, kind) => {
  const answer: Answer[] = [{ status, body: { detail: "no" } }];
  server.answers = { "GET session/": answer, "POST share/AAAAAAAAAAAAAAAAAAAAAA/": answer, "POST handoffs/open/": answer };
  const opened = session(pathname);
  await opened.open();
  expect(opened.model).toMatchObject({ screen: "error", failure: { kind } });
  expect(heard).toContain("didit:error");
});

test("a link that works once is replaced in the address by the session it made, so that a reload works", async () => {
  server.answers["POST handoffs/open/"] = [ok({ session_token: "device", number: "42" })];
  server.answers["GET session/"] = [ok(state({ handoff: handoff({ device: "second", state: "opened" }) }))];
  const opened = session("/fr/h/once");
  await opened.open();
  expect(path).toBe("/fr/session/device?a=b");
  expect(opened.model.screen).toBe("handoff-number");
});

test("an answer that was lost is asked for again under the same key", async () => {
  const opened = await uploaded("lost", "lost", ok(decided()));
  expect(opened.model.screen).toBe("result");
  expect(server.keys).toHaveLength(3);
  expect(new Set(server.keys).size).toBe(1);
});

test("a busy server is asked again when it says", async () => {
  const opened = await uploaded({ status: 503, retryAfter: "7" }, { status: 429, retryAfter: "3" }, ok(decided()));
  expect(opened.model.screen).toBe("result");
  expect(waited.slice(-2)).toEqual([7000, 3000]);
});

test("a person who is locked out is told how long, and nothing is sent again", async () => {
  const locked = { detail: "Too many attempts failed.", locked: { until: "2026-11-22T12:05:00Z", alternative: null } };
  const waits = await uploaded({ status: 429, retryAfter: "300", body: locked });
  expect(waits.model).toMatchObject({ screen: "error", failure: { kind: "locked", seconds: 300 } });
  const stopped = await uploaded({ status: 429, body: { ...locked, locked: { until: null, alternative: null } } });
  expect(stopped.model).toMatchObject({ screen: "error", failure: { kind: "stopped" } });
});

test("a challenge that ran out costs no try", async () => {
  const opened = await uploaded({ status: 410 });
  expect(opened.model).toMatchObject({ screen: "retry", counted: false, reasons: ["took_too_long"] });
});

test("a session that ran out while the picture was taken says so", async () => {
  server.answers["GET session/"] = [ok(state()), { status: 410 }];
  const opened = await uploaded({ status: 410 });
  expect(opened.model).toMatchObject({ screen: "error", failure: { kind: "expired" } });
});

test("a conflict repeats the recording for the same step and attempt, and gives way to a decision", async () => {
  server.answers["GET session/"] = [ok(state()), ok(state()), ok(decided())];
  const opened = await uploaded({ status: 409 }, { status: 409 });
  expect(opened.model.screen).toBe("result");
  expect(server.keys).toHaveLength(2);
  expect(new Set(server.keys).size).toBe(1);
});

test("a recording for an earlier attempt is not sent for the next one", async () => {
  server.answers["GET session/"] = [ok(state()), ok(state({ step: step({ attempt: 2 }) }))];
  const opened = await uploaded({ status: 409 });
  expect(opened.model.screen).toBe("purpose");
  expect(server.keys).toHaveLength(1);
});

test("a refused picture is taken again, and an error that nobody expected is no fault of the person", async () => {
  expect((await uploaded({ status: 400 })).model).toMatchObject({ screen: "retry", reasons: ["other"], counted: false });
  expect((await uploaded({ status: 500 })).model).toMatchObject({ screen: "error", failure: { kind: "server" } });
});

test("completed is heard before the page leaves for the callback", async () => {
  const opened = await uploaded(ok(decided({ callback: "https://a.example/?x=1" })));
  expect(heard.at(-1)).toBe("didit:completed");
  opened.returnToCallback();
  expect(left).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(left).toEqual(["https://a.example/?x=1&verificationSessionId=6f1c&status=Approved"]);
  expect(heard.filter((type) => type === "didit:completed")).toHaveLength(1);
});

test("the alternative leads to the operator's address, and a report says what the server decided", async () => {
  const alternative = { url: "https://a.example/other" };
  server.answers = {
    "GET session/": [ok(state({ alternative }))],
    "POST start/": [ok(state({ alternative }))],
    "POST cancel/": [ok(decided({ status: "Abandoned" })), ok(decided({ status: "Declined" }))],
  };
  const opened = session();
  await opened.open();
  await opened.takeAlternative();
  expect(left).toEqual(["https://a.example/other?verificationSessionId=6f1c&status=Alternative"]);
  await opened.reportNotMe();
  expect(opened.model).toMatchObject({ screen: "cancelled", left: "not_me", capture: { status: "Declined" } });
});

test("the person can stop without a connection", async () => {
  server.answers = { "GET session/": [ok(state())], "POST start/": [ok(state())], "POST cancel/": ["lost"] };
  const opened = session();
  await opened.open();
  await opened.proceed();
  await opened.stop();
  expect(opened.model).toMatchObject({ screen: "cancelled", left: "cancelled" });
});

test("a workflow that allows no hand-off keeps the person where they are", async () => {
  server.answers = { "GET session/": [ok(state())], "POST start/": [ok(state())], "POST handoffs/": [{ status: 403 }] };
  const opened = session();
  await opened.open();
  await opened.offerHandoff();
  expect(opened.model).toMatchObject({ screen: "purpose", handoffRefused: true });
});

test("challenges and submissions name the action that the person saw, and no other", async () => {
  const shown = state({ action_hash: "seen" });
  const view = { challenge: "c", method: "ACTIVE_3D", phases: 1, index: 0, phase: null, expires_at: "" };
  server.answers = {
    "GET session/": [ok(shown)],
    "POST start/": [ok(shown)],
    "POST steps/feature_liveness/challenge/": [ok(view)],
    "UPLOAD steps/feature_liveness/": [ok(decided({ action_hash: "seen" }))],
  };
  const opened = session();
  await opened.open();
  await opened.proceed();
  await opened.openCamera();
  await opened.startChallenge("ACTIVE_3D");
  await opened.recorded(RECORDING);
  expect(opened.model.screen).toBe("result");
  expect(server.actions).toEqual(["seen", "seen"]);
});

test("an upload that is refused because the action changed leads to the new action and is not repeated", async () => {
  server.answers = {
    "GET session/": [ok(state({ action_hash: "one" })), ok(state({ action_hash: "other" }))],
    "POST start/": [ok(state({ action_hash: "one" }))],
    "UPLOAD steps/feature_liveness/": [{ status: 409, body: { detail: "other action" } }],
  };
  const opened = session();
  await opened.open();
  await opened.proceed();
  await opened.openCamera();
  await opened.recorded(RECORDING);
  expect(server.actions).toEqual(["one"]);
  expect(opened.model).toMatchObject({ screen: "purpose", seen: "other" });
});
