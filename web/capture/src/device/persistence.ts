/**
 * The id this device keeps: 128 random bits in two stores, so that clearing one of them does not lose it. No cookie:
 * it would go with every request.
 */

export interface Store {
  read(): Promise<string | null>;
  write(id: string): Promise<void>;
}

export interface Kept {
  id: string;
  /** How many stores had it. */
  stores: number;
  /** One store had lost it. */
  healed: boolean;
}

const NAME = "ipse.device";
const FORM = /^[A-Za-z0-9_-]{22}$/;

/** Read the id, made now if no store has one, and write it wherever it is missing. Null where nothing can be kept. */
export async function keptId(stores: readonly Store[], random: () => string = randomId): Promise<Kept | null> {
  const found = await Promise.all(stores.map((store) => store.read().catch(() => null)));
  const known = found.filter((id): id is string => id !== null && FORM.test(id));
  const id = known[0] ?? random();
  const written = await Promise.all(
    stores.map((store, index) =>
      found[index] === id ? true : store.write(id).then(() => true, () => false),
    ),
  );
  if (!written.includes(true)) return null;
  const having = known.filter((one) => one === id).length;
  return { id, stores: having, healed: having > 0 && having < stores.length };
}

/** 22 characters of the URL-safe alphabet: 132 bits, of which 128 are random. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Both stores of a browser. Either may throw where the person forbids it. */
export function browserStores(): Store[] {
  return [LOCAL, new Database()];
}

const LOCAL: Store = {
  read: async () => localStorage.getItem(NAME),
  write: async (id) => localStorage.setItem(NAME, id),
};

class Database implements Store {
  #opened: Promise<IDBDatabase> | null = null;

  async read(): Promise<string | null> {
    const found = await done((await this.#table("readonly")).get(NAME));
    return typeof found === "string" ? found : null;
  }

  async write(id: string): Promise<void> {
    await done((await this.#table("readwrite")).put(id, NAME));
  }

  async #table(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    this.#opened ??= this.#open();
    return (await this.#opened).transaction(NAME, mode).objectStore(NAME);
  }

  #open(): Promise<IDBDatabase> {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore(NAME);
    return done(request);
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB refused."));
    if ("onblocked" in request) (request as unknown as IDBOpenDBRequest).onblocked = () => reject(new Error("blocked"));
  });
}
