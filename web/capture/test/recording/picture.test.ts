import { expect, test } from "vitest";

import { digest, fitted } from "../../src/recording/picture";

test("a picture keeps its shape and is never enlarged", () => {
  expect(fitted(1920, 1080, 1280, "longer side")).toEqual([1280, 720]);
  expect(fitted(1080, 1920, 1280, "longer side")).toEqual([720, 1280]);
  expect(fitted(720, 1280, 480, "width")).toEqual([480, 853]);
  expect(fitted(320, 240, 480, "width")).toEqual([320, 240]);
});

test("the digest is SHA-256 in lower-case hex", async () => {
  // FIPS 180-2, appendix B.1.
  expect(await digest(new Blob(["abc"]))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
