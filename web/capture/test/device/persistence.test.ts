import { expect, test } from "vitest";

import { keptId, randomId, type Store } from "../../src/device/persistence";

const ID = "AAAAAAAAAAAAAAAAAAAAAA";
const OTHER = "BBBBBBBBBBBBBBBBBBBBBB";

class Memory implements Store {
  constructor(
    public kept: string | null = null,
    private readonly refuses = false,
  ) {}

  async read(): Promise<string | null> {
    if (this.refuses) throw new DOMException("denied", "SecurityError");
    return this.kept;
  }

  async write(id: string): Promise<void> {
    if (this.refuses) throw new DOMException("full", "QuotaExceededError");
    this.kept = id;
  }
}

test("the first visit makes an id and keeps it in every store", async () => {
  const stores = [new Memory(), new Memory()];
  expect(await keptId(stores, () => ID)).toEqual({ id: ID, stores: 0, healed: false });
  expect(stores.map((store) => store.kept)).toEqual([ID, ID]);
});

test.each([0, 1])("a store that lost the id gets it back from the other", async (lost) => {
  const stores = [new Memory(ID), new Memory(ID)];
  stores[lost]!.kept = null;
  expect(await keptId(stores, () => OTHER)).toEqual({ id: ID, stores: 1, healed: true });
  expect(stores.map((store) => store.kept)).toEqual([ID, ID]);
});

test("an undamaged id stays as it is", async () => {
  expect(await keptId([new Memory(ID), new Memory(ID)])).toEqual({ id: ID, stores: 2, healed: false });
});

test("stores that disagree are brought to one id", async () => {
  const stores = [new Memory(ID), new Memory(OTHER)];
  expect(await keptId(stores)).toEqual({ id: ID, stores: 1, healed: true });
  expect(stores[1]!.kept).toBe(ID);
});

test("what is no id is not taken for one", async () => {
  expect((await keptId([new Memory("<script>"), new Memory()], () => ID))?.id).toBe(ID);
});

test("a browser that refuses one store keeps the id in the other", async () => {
  expect(await keptId([new Memory(null, true), new Memory()], () => ID)).toEqual({ id: ID, stores: 0, healed: false });
});

test("a browser that keeps nothing has no id, rather than a new one with every visit", async () => {
  expect(await keptId([new Memory(null, true), new Memory(null, true)])).toBeNull();
});

test("ids are of one form and differ", () => {
  const ids = Array.from({ length: 50 }, randomId);
  expect(ids.every((id) => /^[A-Za-z0-9_-]{22}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(50);
});
