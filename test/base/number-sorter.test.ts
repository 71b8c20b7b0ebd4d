import { expect, test } from "vitest";
import { NumberSorter } from "../../src/base/number-sorter.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";

const rng = new Pcg64(5);
/** Every tenth value is one of three. */
const values = Float64Array.from({ length: 20_003 }, (_, i) =>
  i % 10 === 0 ? (i / 10) % 3 : 1e3 * (rng.nextFloat64() - 0.5),
);

function sortedBy(run: number, memory?: number): number[] {
  const sorter = new NumberSorter(100, run, memory);
  for (let at = 0; at < values.length; at += 3_001) sorter.append(values.subarray(at, at + 3_001));
  const sorted = sorter.sorted();
  return Array.from({ length: sorted.length }, (_, i) => sorted.at(i));
}

test.each([
  ["in memory", 1_000_000, undefined],
  ["in runs, the last of which is short", 7_000, undefined],
  ["in many runs in a file", 100, 0],
])("sorts numbers %s", (_, run, memory) => {
  expect(sortedBy(run, memory)).toEqual(Array.from(values.toSorted()));
});

test("sorts an empty list", () => {
  expect(new NumberSorter().sorted().length).toBe(0);
});
