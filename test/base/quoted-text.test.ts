import { expect, test } from "vitest";
import { quotedText, shownValue } from "../../src/base/message-text.ts";

test("a short text is in quotes, a long one cut, control characters are escaped", () => {
  expect(quotedText("chr5x")).toBe('"chr5x"');
  expect(quotedText("a".repeat(60))).toBe(`"${"a".repeat(60)}"`);
  expect(quotedText("a".repeat(61))).toBe(`"${"a".repeat(60)}"…`);
  expect(quotedText("\u001b[2J")).toBe('"\\u001b[2J"');
});

test("a value is shown as JSON, cut where it is long; none is absent", () => {
  expect(shownValue({ a: [1, null] })).toBe('{"a":[1,null]}');
  expect(shownValue("b".repeat(1000))).toBe(`"${"b".repeat(119)}…`);
  expect(shownValue(undefined)).toBe("absent");
});
