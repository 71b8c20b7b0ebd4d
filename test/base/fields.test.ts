import { expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { parseFiniteNumber, parseWholeNumber } from "../../src/base/table.ts";

const place = { file: "t.tsv", line: 7 };

test("whole numbers are digits", () => {
  expect(parseWholeNumber("0", "start", place)).toBe(0);
  expect(parseWholeNumber("248956422", "start", place)).toBe(248956422);
  expect(parseWholeNumber("-1", "summit", place, -1)).toBe(-1);
  expect(parseWholeNumber("-0", "summit", place, -1)).toBe(0);
});

test.each(["", " 1", "1.0", "1e3", "0x10", "+1", "NaN", "1_000", "99999999999999999"])(
  "%j is no whole number",
  (text) => {
    expect(() => parseWholeNumber(text, "start", place)).toThrow(FormatError);
    expect(() => parseWholeNumber(text, "start", place)).toThrow("is not a whole number");
  },
);

test("a whole number outside its range is named with the range", () => {
  expect(() => parseWholeNumber("-1", "start", place)).toThrow(
    'start "-1" is not from 0 to 9007199254740991',
  );
  expect(() => parseWholeNumber("9", "summit", place, -1, 8)).toThrow('summit "9" is not from -1 to 8');
});

test("numbers are decimal or scientific, and finite", () => {
  expect(
    ["1", "-1.5", "+.5", "2.", "1e-3", "1E+3"].map((text) => parseFiniteNumber(text, "q", place)),
  ).toEqual([1, -1.5, 0.5, 2, 0.001, 1000]);
  for (const text of ["", "NaN", "inf", "Infinity", "1e999", "0x1", "1 ", "."]) {
    expect(() => parseFiniteNumber(text, "q", place)).toThrow(`q ${JSON.stringify(text)} is not a number`);
  }
});
