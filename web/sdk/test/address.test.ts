import { expect, test } from "vitest";

import { addressOf } from "../src/address";
import { textsFor } from "../src/texts";

const BASE = "https://shop.example/cart";

test("camera options come into the query beside what is there", () => {
  const options = { livenessCamera: "back", livenessCameraSwitch: false, documentCamera: "front" } as const;
  expect(addressOf("https://id.example/session/t?order=7", options, BASE).href).toBe(
    "https://id.example/session/t?order=7&document_camera=front&liveness_camera=back&liveness_camera_switch=false",
  );
});

test("an address of the same site may be relative", () => {
  expect(addressOf("/session/t", {}, BASE).href).toBe("https://shop.example/session/t");
});

test.each([
  ["/ar/session/t", ["de"], "ar"],
  ["/zh-CN/session/t", ["de"], "zh"],
  ["/xx/session/t", ["de"], "en"],
  ["/session/t", ["sv-SE", "pt-BR", "de"], "pt"],
  ["/session/t", ["sv"], "en"],
])("at %s a browser of %o is spoken to in %s", (path, preferred, language) => {
  expect(textsFor(new URL(path, BASE), preferred).language).toBe(language);
});
