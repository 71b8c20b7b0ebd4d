import fc from "fast-check";
import { expect, test } from "vitest";
import { type ColumnForm, decodeRows, encodeRows, type RowSet } from "../../src/report/row-format.ts";
import {
  fieldText,
  filterRows,
  locusOf,
  meritOf,
  openRowSet,
  sortKeys,
  sortRows,
  tsvOf,
} from "../../src/report/row-query.ts";

const score = { kind: "number", title: "m", model: "m" } as const;

test("whole numbers and codes keep their values, numbers three significant digits", () => {
  const columns: ColumnForm[] = [
    { kind: "integer", title: "start" },
    { kind: "text", title: "allele", texts: ["A", "C"] },
    score,
  ];
  const row = fc.tuple(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.double({ min: -1e30, max: 1e30, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 50 }), (rows) => {
      const values = columns.map((_, c) => rows.map((one) => one[c]));
      const [starts, codes, scores] = decodeRows(
        columns,
        encodeRows(columns, values, rows.length),
        rows.length,
      );
      expect([...starts]).toEqual(values[0]);
      expect([...codes]).toEqual(values[1]);
      values[2].forEach((value, i) => {
        expect(Math.abs(scores[i] - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -12 + 1e-37);
        if (Math.abs(value) > 1e-37) expect(Math.sign(scores[i])).toBe(Math.sign(value));
      });
    }),
  );
  expect([...decodeRows([score], encodeRows([score], [[Number.NaN, 0]], 2), 2)[0]]).toEqual([Number.NaN, 0]);
});

test("columns of another size are refused", () => {
  expect(() => decodeRows([score], new Uint8Array(5), 2)).toThrow("damaged");
});

const columns: ColumnForm[] = [
  { kind: "integer", title: "row" },
  { kind: "text", title: "chromosome", texts: ["chr10", "chr2"] },
  { kind: "integer", title: "start" },
  { kind: "integer", title: "length" },
  { kind: "text", title: "label", texts: ["QTL", "control"] },
  score,
];
const set: RowSet = {
  id: "rows-x",
  title: "x",
  rows: 5,
  evaluated: 5,
  columns,
  hasLoci: true,
  score: "difference",
  merit: { kind: "class", column: 4, positive: 1 },
};
const values = [
  [0, 1, 2, 3, 7],
  [1, 1, 2, 2, 2],
  [100, 50, 10, 5, 300],
  [10, 10, 10, 10, 10],
  [1, 2, 1, 2, 0],
  [0.5, -3, -2, Number.NaN, 2],
];
const rows = openRowSet(set, encodeRows(columns, values, 5));
const all = Uint32Array.from([0, 1, 2, 3, 4]);

test("filters by overlap, text and range; unknown numbers are in no range", () => {
  const texts = new Map<number, ReadonlySet<number>>();
  const of = (filter: Partial<Parameters<typeof filterRows>[1]>) => [
    ...filterRows(rows, { texts, ...filter }),
  ];
  expect(of({})).toEqual([0, 1, 2, 3, 4]);
  expect(of({ within: { chromosome: 1, from: 59, to: 60 } })).toEqual([1]);
  expect(of({ within: { chromosome: 1, from: 60, to: 100 } })).toEqual([]);
  expect(of({ within: { chromosome: 2, from: 0, to: 2 ** 32 } })).toEqual([2, 3, 4]);
  expect(of({ texts: new Map([[4, new Set([2])]]) })).toEqual([1, 3]);
  expect(of({ rows: new Set([7, 1, 9]) })).toEqual([1, 4]);
  expect(of({ range: { column: 5, least: -2, most: Number.POSITIVE_INFINITY } })).toEqual([0, 2, 4]);
});

test("sorts numbers with unknown ones last, loci by natural order and position", () => {
  expect([...sortRows(all, rows.values[5], false)]).toEqual([1, 2, 0, 4, 3]);
  expect([...sortRows(all, rows.values[5], true)]).toEqual([4, 0, 2, 1, 3]);
  expect([...sortRows(all, sortKeys(rows, 1) ?? [], false)]).toEqual([3, 2, 4, 1, 0]);
  expect([...sortRows(all, sortKeys(rows, 4) ?? [], false)]).toEqual([4, 1, 3, 0, 2]);
});

test("sorts as Array.sort does", () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true }), { maxLength: 200 }), fc.boolean(), (list, descending) => {
      const keys = Float32Array.from(list, (one) => one + 0);
      const places = Uint32Array.from(list.keys());
      const expected = [...places].sort(
        (a, b) => (descending ? -1 : 1) * (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0) || a - b,
      );
      expect([...sortRows(places, keys, descending)]).toEqual(expected);
    }),
  );
});

test("QTLs are better with large, controls with small scores; rows without label have no merit", () => {
  expect([...(meritOf(rows, 5) ?? [])]).toEqual([0.5, -3, 2, Number.NaN, Number.NaN]);
});

test("shows numbers with the decimals of their column, and copies four digits", () => {
  expect(fieldText(rows, 5, 1)).toBe("−3.00");
  expect(fieldText(rows, 5, 3)).toBe("");
  expect(fieldText(rows, 4, 4)).toBe("");
  expect(locusOf(rows, 2)).toEqual({ chromosome: "chr2", start: 10, end: 20 });
  expect(tsvOf(rows, Uint32Array.of(1, 3))).toBe(
    "row\tchromosome\tstart\tlength\tlabel\tm\n1\tchr10\t50\t10\tcontrol\t-3\n3\tchr2\t5\t10\tcontrol\t\n",
  );
});
