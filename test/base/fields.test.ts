import { expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { finiteNumber, wholeNumber } from "../../src/base/fields.ts";

const place = { file: "t.tsv", line: 7 };

test("whole numbers are digits", () => {
  expect(wholeNumber("0", "start", place)).toBe(0);
  expect(wholeNumber("248956422", "start", place)).toBe(248956422);
  expect(wholeNumber("-1", "summit", place, -1)).toBe(-1);
  expect(wholeNumber("-0", "summit", place, -1)).toBe(0);
});

test.each(["", " 1", "1.0", "1e3", "0x10", "+1", "NaN", "1_000", "99999999999999999"])(
  "%j is no whole number",
  (text) => {
    expect(() => wholeNumber(text, "start", place)).toThrow(FormatError);
    expect(() => wholeNumber(text, "start", place)).toThrow("is not a whole number");
  },
);

test("a whole number outside its range is named with the range", () => {
  expect(() => wholeNumber("-1", "start", place)).toThrow('start "-1" is not from 0 to 9007199254740991');
  expect(() => wholeNumber("9", "summit", place, -1, 8)).toThrow('summit "9" is not from -1 to 8');
});

test("numbers are decimal or scientific, and finite", () => {
  expect(["1", "-1.5", "+.5", "2.", "1e-3", "1E+3"].map((text) => finiteNumber(text, "q", place))).toEqual([
    1, -1.5, 0.5, 2, 0.001, 1000,
  ]);
  for (const text of ["", "NaN", "inf", "Infinity", "1e999", "0x1", "1 ", "."]) {
    expect(() => finiteNumber(text, "q", place)).toThrow(`q ${JSON.stringify(text)} is not a number`);
  }
});
