import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { csvText } from "../../../src/report/export/csv.ts";
import type { Field, FieldTable, FieldValue } from "../../../src/report/export/field-table.ts";
import { parquetBytes } from "../../../src/report/export/parquet.ts";
import { parseCsv } from "./parse-csv.ts";

const FIELDS: readonly Field[] = [
  { name: "text, quoted", type: "text" },
  { name: "whole", type: "integer" },
  { name: "number", type: "number" },
  { name: "vector", type: "vector" },
];

const ROWS: readonly (readonly FieldValue[])[] = [
  ['a "b", c', 2 ** 31 - 1, 0.1 + 0.2, Float32Array.of(0.1, -2)],
  ["two\r\nlines", -(2 ** 31), -0, Float32Array.of()],
  ["", 0, 5e-324, null],
  [null, null, null, Float32Array.of(3)],
  ["µ≤中😀", 7, -1.7976931348623157e308, null],
];

/** Table of rows in blocks of two. */
const tableOf = (rows: typeof ROWS): FieldTable => ({
  name: "table",
  fields: FIELDS,
  length: rows.length,
  async *blocks() {
    for (let start = 0; start < rows.length; start += 2) {
      const some = rows.slice(start, start + 2);
      yield { length: some.length, columns: FIELDS.map((_, c) => some.map((row) => row[c])) };
    }
  },
});

async function all<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}

const text = async (table: FieldTable) => (await all(csvText(table))).join("");
const bytes = async (table: FieldTable) => {
  const whole = Buffer.concat(await all(parquetBytes(table, { key: "value" })));
  return whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.length) as ArrayBuffer;
};

describe("csvText", () => {
  test("quotes by RFC 4180, and distinguishes an empty text from a missing value", async () => {
    expect(await text(tableOf(ROWS))).toBe(
      [
        '"text, quoted",whole,number,vector',
        '"a ""b"", c",2147483647,0.30000000000000004,"[0.10000000149011612,-2]"',
        '"two\r\nlines",-2147483648,-0,"[]"',
        '"",0,5e-324,',
        ',,,"[3]"',
        "µ≤中😀,7,-1.7976931348623157e+308,",
        "",
      ].join("\r\n"),
    );
  });

  test("is read back field by field", async () => {
    const [, ...lines] = parseCsv(await text(tableOf(ROWS)));
    expect(lines.map(([first]) => first)).toEqual(ROWS.map(([first]) => first ?? ""));
    expect(lines.map(([, , number]) => (number === "" ? null : Number(number)))).toEqual(
      ROWS.map((row) => row[2]),
    );
  });
});

describe("parquetBytes", () => {
  test("is read back bit by bit, with nulls, lists and metadata", async () => {
    const file = await bytes(tableOf(ROWS));
    const rows = await parquetReadObjects({ file });
    const values = rows.map((row) => FIELDS.map(({ name }) => row[name] ?? null));
    expect(values).toEqual(
      ROWS.map((row) => row.map((value) => (value instanceof Float32Array ? [...value] : value))),
    );
    expect(Object.is(values[1][2], -0)).toBe(true);
    const { row_groups: groups, key_value_metadata: metadata } = parquetMetadata(file);
    expect(groups.map(({ num_rows: length }) => length)).toEqual([2n, 2n, 1n]);
    expect(metadata).toEqual([{ key: "key", value: "value" }]);
  });

  test("an empty table has its fields", async () => {
    const file = await bytes(tableOf([]));
    expect(await parquetReadObjects({ file })).toEqual([]);
    expect(
      parquetMetadata(file)
        .schema.slice(1, 4)
        .map(({ name }) => name),
    ).toEqual(["text, quoted", "whole", "number"]);
  });
});
