import { expect, test } from "vitest";

import { Announcer, POLITE_EVERY_MS, type Clock } from "../src/announcer";

function listening() {
  const heard: string[] = [];
  let time = 0;
  let due: { at: number; then: () => void } | null = null;
  const clock: Clock = {
    now: () => time,
    after: (ms, then) => {
      due = { at: time + ms, then };
      return () => (due = null);
    },
  };
  const advance = (ms: number) => {
    time += ms;
    if (due !== null && due.at <= time) {
      const { then } = due;
      due = null;
      then();
    }
  };
  const announcer = new Announcer(({ polite, assertive }) => heard.push(assertive ? `!${assertive}` : polite), clock);
  return { announcer, advance, heard };
}

test("hints are heard at most every two seconds, and of those between only the last", () => {
  const { announcer, advance, heard } = listening();
  announcer.polite("come closer");
  announcer.polite("move left");
  advance(500);
  announcer.polite("hold still");
  expect(heard).toEqual(["come closer"]);
  advance(POLITE_EVERY_MS);
  expect(heard).toEqual(["come closer", "hold still"]);
});

test("a result is heard at once and no old hint after it", () => {
  const { announcer, advance, heard } = listening();
  announcer.polite("come closer");
  announcer.polite("hold still");
  announcer.assertive("done");
  advance(10 * POLITE_EVERY_MS);
  expect(heard).toEqual(["come closer", "!done"]);
});
