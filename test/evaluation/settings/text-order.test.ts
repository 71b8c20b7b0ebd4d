import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { textOrder } from "../../../src/evaluation/settings/sequence-files.ts";
import { testWithSharedData } from "../../shared-data.ts";

const orderOf = (lines: number, batchSize: number) => {
  const at = textOrder(lines, batchSize);
  return Array.from({ length: lines }, (_, place) => at(place));
};

test("sorts batches of 64 of 1,300 sequences by name", () => {
  const order = orderOf(1300, 64);
  const starts = order.filter((line) => line % 64 === 0);
  expect(starts.slice(0, 12)).toEqual([0, 1024, 1088, 1152, 1216, 1280, 128, 192, 256, 320, 384, 448]);
  // The last batch, of 20, is the sixth in the order of names.
  expect(order.slice(5 * 64 - 1, 5 * 64 + 21)).toEqual([
    1279,
    ...Array.from({ length: 20 }, (_, i) => 1280 + i),
    128,
  ]);
});

testWithSharedData("the order is the HDF5 library's own", "formats/expected.json", (file) => {
  const expected = JSON.parse(readFileSync(file, "utf8")) as { hdf5: Record<string, unknown> };
  const names = namesOf(expected.hdf5["hdf5/dart_layout.h5"]);
  const order = orderOf(320, 32);
  expect(names).toEqual(
    Array.from({ length: 10 }, (_, batch) => `emb_${order[32 * batch]}_${order[32 * batch] + 32}`),
  );
});

/** The names of batches in the group `seq`, as the library listed them. */
function namesOf(tree: unknown): readonly string[] {
  const groups = tree as Record<string, { readonly keys_in_library_order: readonly string[] }>;
  const [, group] = Object.entries(groups).find(([path]) => path.endsWith("seq"))!;
  return group.keys_in_library_order.filter((name) => name.startsWith("emb_"));
}

test("64 of the 577,400 sequences of the published footprints keep their place", () => {
  const at = textOrder(577_400, 64);
  let kept = 0;
  for (let place = 0; place < 577_400; place++) if (at(place) === place) kept++;
  expect(kept).toBe(64);
});

test("is a permutation", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 300 }), (lines, batchSize) => {
      expect(orderOf(lines, batchSize).sort((a, b) => a - b)).toEqual([...Array(lines).keys()]);
    }),
    { numRuns: 60 },
  );
});
