import { expect, test } from "vitest";
import { counted, namesHint, quotedText, shownValue, suggestion } from "../../src/base/message-text.ts";

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

test.each(["", "?", "guessed", "x".repeat(1e6)])("no suggestion for %.20s", (given) => {
  expect(suggestion(given, NAMES)).toBe("");
});

test("the hint lists all names after the suggestion", () => {
  expect(namesHint("settings", "prob", NAMES)).toBe(`did you mean probed? settings: ${NAMES.join(", ")}`);
});

test("quotes text, truncates long text and escapes control characters", () => {
  expect(quotedText("chr5x")).toBe('"chr5x"');
  expect(quotedText("a".repeat(60))).toBe(`"${"a".repeat(60)}"`);
  expect(quotedText("a".repeat(61))).toBe(`"${"a".repeat(60)}"…`);
  expect(quotedText("\u001b[2J")).toBe('"\\u001b[2J"');
});

test("prints a value as truncated JSON, and undefined as absent", () => {
  expect(shownValue({ a: [1, null] })).toBe('{"a":[1,null]}');
  expect(shownValue("b".repeat(1000))).toBe(`"${"b".repeat(119)}…`);
  expect(shownValue(undefined)).toBe("absent");
});

test.each([
  [0, "0 rows"],
  [1, "1 row"],
  [2, "2 rows"],
  [12_034, "12,034 rows"],
])("%d rows", (value, text) => expect(counted(value, "row")).toBe(text));

test("irregular plural", () => {
  expect([1, 2].map((n) => counted(n, "stretch", "stretches"))).toEqual(["1 stretch", "2 stretches"]);
});
