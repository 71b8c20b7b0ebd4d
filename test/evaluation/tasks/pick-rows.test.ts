import { expect, test } from "vitest";
import { PickOrder, pickRows } from "../../../src/evaluation/tasks/table-rows.ts";

const rows = Uint32Array.from({ length: 1000 }, (_, i) => 3 * i);

test("picks the requested number of rows, in table order; larger picks include smaller ones", () => {
  const few = pickRows(rows, 10).slice();
  const more = pickRows(rows, 200).slice();
  expect(few).toHaveLength(10);
  expect(more).toHaveLength(200);
  expect(few.every((row) => more.includes(row))).toBe(true);
  expect(more).toEqual(more.toSorted());
  expect(more.filter((row) => row < 1500).length).toBeGreaterThan(70);
  // These values must never change: machines that share a run must pick the same rows.
  expect([...pickRows(rows, 4)]).toMatchInlineSnapshot(`
    [
      1053,
      1293,
      2478,
      2814,
    ]
  `);
});

test("does not depend on the other rows of the table's order, and takes all when there are no more", () => {
  expect(new Set(pickRows(rows.toReversed(), 10))).toEqual(new Set(pickRows(rows, 10)));
  expect(pickRows(rows, null)).toBe(rows);
  expect(pickRows(rows, 1000)).toBe(rows);
});

test("digests that begin with the same digits are compared in full", () => {
  const whole = new PickOrder(rows);
  const short = new PickOrder(rows, 1);
  for (const [start, end] of [
    [0, 7],
    [7, 130],
    [130, 999],
    [5, 5],
  ] as const) {
    expect([...short.picked(start, end)]).toEqual([...whole.picked(start, end)]);
  }
  expect([...whole.picked(0, 1000)]).toEqual([...rows]);
});
