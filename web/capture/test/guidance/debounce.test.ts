import { expect, test } from "vitest";

import { CalmHint, KEEP_MS, PERSIST_MS } from "../../src/guidance/debounce";

test("a hint is shown once it lasted 300 ms", () => {
  const hint = new CalmHint();
  expect(hint.next("too_far", 0)).toBeNull();
  expect(hint.next("too_far", PERSIST_MS - 1)).toBeNull();
  expect(hint.next("too_far", PERSIST_MS)).toBe("too_far");
});

test("a shown hint stays at least 1.2 s", () => {
  const hint = new CalmHint();
  hint.next("too_far", 0);
  hint.next("too_far", 300);
  hint.next("too_dark", 310);
  expect(hint.next("too_dark", 300 + KEEP_MS - 1)).toBe("too_far");
  expect(hint.next("too_dark", 300 + KEEP_MS)).toBe("too_dark");
});

test("a hint that flickers is never shown", () => {
  const hint = new CalmHint();
  for (let now = 0; now < 5_000; now += 100) {
    expect(hint.next(now % 200 === 0 ? "move_left" : null, now)).toBeNull();
  }
});

test("a flicker in between does not replace the hint", () => {
  const hint = new CalmHint();
  hint.next("too_far", 0);
  hint.next("too_far", 300);
  hint.next("no_face", 2_000);
  expect(hint.next("too_far", 2_100)).toBe("too_far");
  expect(hint.next("too_far", 2_400)).toBe("too_far");
});

test("the hint goes away when all is well for a moment", () => {
  const hint = new CalmHint();
  hint.next("too_far", 0);
  hint.next("too_far", 300);
  hint.next(null, 2_000);
  expect(hint.next(null, 2_300)).toBeNull();
});
