import { expect, test } from "vitest";
import { namesHint, suggestion } from "../../src/base/message-text.ts";

const NAMES = ["zero-shot", "zero-shot-embedding", "probed", "fine-tuned"];

test.each([
  ["zeroshot", "zero-shot"],
  ["zero-shto", "zero-shot"],
  ["Fine_Tuned", "fine-tuned"],
  ["probe", "probed"],
  ["zero-shot-embed", "zero-shot-embedding"],
])("%s: did you mean %s?", (given, name) => {
  expect(suggestion(given, NAMES)).toBe(`did you mean ${name}? `);
});

test.each(["", "?", "guessed", "x".repeat(1e6)])("nothing is close to %.20s", (given) => {
  expect(suggestion(given, NAMES)).toBe("");
});

test("a hint lists all names behind the suggestion", () => {
  expect(namesHint("settings", "prob", NAMES)).toBe(`did you mean probed? settings: ${NAMES.join(", ")}`);
});
