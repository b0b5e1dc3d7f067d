import { expect, test } from "vitest";

import { readAddress, sessionPath } from "../src/address";

const read = (pathname: string, search = "") => readAddress({ pathname, search });

test("each kind of link names its session, hand-off or workflow", () => {
  expect(read("/session/tok_1").entry).toEqual({ kind: "session", token: "tok_1" });
  expect(read("/h/tok_2/").entry).toEqual({ kind: "handoff", token: "tok_2" });
  expect(read("/u/AAAAAAAAAAAAAAAAAAAAAA").entry).toEqual({ kind: "share", workflow: "AAAAAAAAAAAAAAAAAAAAAA" });
  expect(read("/session/").entry).toEqual({ kind: "none" });
  expect(read("/other/tok").entry).toEqual({ kind: "none" });
});

test("a language before the link is forced, and no kind of link is taken for a language", () => {
  expect(read("/pt-BR/session/tok").language).toBe("pt-BR");
  expect(read("/cnr/h/tok").entry).toEqual({ kind: "handoff", token: "tok" });
  expect(read("/session/en").language).toBeNull();
  expect(read("/h/session").entry).toEqual({ kind: "handoff", token: "session" });
});

test("a broken escape in the address is read as it stands", () => {
  expect(read("/session/%E0%A4%A").entry).toEqual({ kind: "session", token: "%E0%A4%A" });
});

test("the query chooses the camera", () => {
  expect(read("/session/t").camera).toEqual({ facing: "user", maySwitch: true });
  const chosen = read("/session/t", "?liveness_camera=back&liveness_camera_switch=false");
  expect(chosen.camera).toEqual({ facing: "environment", maySwitch: false });
});

test("a session that was made from a link is found again after a reload, in the same language and with the same query", () => {
  const address = read("/ar/h/once", "?liveness_camera=back");
  const path = sessionPath(address, "device_token", "?liveness_camera=back");
  expect(path).toBe("/ar/session/device_token?liveness_camera=back");
  expect(readAddress(new URL(path, "http://localhost")).entry).toEqual({ kind: "session", token: "device_token" });
});
