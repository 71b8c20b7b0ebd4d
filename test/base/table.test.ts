import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { parseFiniteNumber, parseWholeNumber, readTable } from "../../src/base/table.ts";
import { scratchFiles } from "../scratch-files.ts";

const files = scratchFiles();

async function rows(data: string | Uint8Array, columns: readonly string[]) {
  const found: string[] = [];
  for await (const { fields, line } of readTable(await files.write("t.tsv", data), columns)) {
    found.push(`${line}: ${fields.join("|")}`);
  }
  return found;
}

const TEXT = "chr\tstart\tnote\r\n1\t5\t\r\n\r\n2\t6\tx y\r\n";

test("selects columns by name in the requested order", async () => {
  expect(await rows(TEXT, ["start", "chr"])).toEqual(["2: 5|1", "4: 6|2"]);
  expect(await rows(gzipSync(TEXT), ["note"])).toEqual(["2: ", "4: x y"]);
  expect(await rows("chr\n", ["chr"])).toEqual([]);
});

test("names a missing column or field", async () => {
  await expect(rows(TEXT, ["end"])).rejects.toThrow(
    'there is no column "end"; the header names chr, start, note',
  );
  await expect(rows("a\ta\n", ["a"])).rejects.toThrow('two columns are named "a"');
  await expect(rows("a\tb\n1\n", ["a"])).rejects.toThrow("the line has 1 fields, the header 2");
  await expect(rows("", ["a"])).rejects.toThrow(FormatError);
});

const place = { file: "t.tsv", line: 7 };

test("parseWholeNumber reads digits", () => {
  expect(parseWholeNumber("0", "start", place)).toBe(0);
  expect(parseWholeNumber("248956422", "start", place)).toBe(248956422);
  expect(parseWholeNumber("-1", "summit", place, -1)).toBe(-1);
  expect(parseWholeNumber("-0", "summit", place, -1)).toBe(0);
});

test.each(["", " 1", "1.0", "1e3", "0x10", "+1", "NaN", "1_000", "99999999999999999"])(
  "%j is not a whole number",
  (text) => {
    expect(() => parseWholeNumber(text, "start", place)).toThrow(FormatError);
    expect(() => parseWholeNumber(text, "start", place)).toThrow("is not a whole number");
  },
);

test("reports the range of a whole number", () => {
  expect(() => parseWholeNumber("-1", "start", place)).toThrow(
    'start "-1" is not from 0 to 9007199254740991',
  );
  expect(() => parseWholeNumber("9", "summit", place, -1, 8)).toThrow('summit "9" is not from -1 to 8');
});

test("parseFiniteNumber reads decimal and scientific notation", () => {
  expect(
    ["1", "-1.5", "+.5", "2.", "1e-3", "1E+3"].map((text) => parseFiniteNumber(text, "q", place)),
  ).toEqual([1, -1.5, 0.5, 2, 0.001, 1000]);
  for (const text of ["", "NaN", "inf", "Infinity", "1e999", "0x1", "1 ", "."]) {
    expect(() => parseFiniteNumber(text, "q", place)).toThrow(`q ${JSON.stringify(text)} is not a number`);
  }
});
