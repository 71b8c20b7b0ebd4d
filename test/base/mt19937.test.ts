import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InternalError } from "../../src/base/errors.ts";
import { legacyChoice2, legacyRandint, Mt19937 } from "../../src/base/mt19937.ts";
import { testWithSharedData } from "../shared-data.ts";

interface Golden {
  readonly raw32_first20: readonly number[];
  readonly choice_true_false_first100: readonly boolean[];
  readonly randint_1000_wide_then_choice_first30: readonly (readonly [number, boolean])[];
}

testWithSharedData(
  "numpy.random.seed(0) gives the same outputs, choices and integers",
  "task1/rng.golden.json",
  (file) => {
    const golden = JSON.parse(readFileSync(file, "utf8")).legacy_mt19937 as Golden;
    const outputs = Mt19937.fromSeed(0);
    expect(golden.raw32_first20.map(() => outputs.nextUint32())).toEqual(golden.raw32_first20);
    const flags = Mt19937.fromSeed(0);
    expect(golden.choice_true_false_first100.map(() => legacyChoice2(flags))).toEqual(
      golden.choice_true_false_first100,
    );
    const pairs = Mt19937.fromSeed(0);
    expect(
      golden.randint_1000_wide_then_choice_first30.map(() => [
        legacyRandint(pairs, 100, 1100),
        legacyChoice2(pairs),
      ]),
    ).toEqual(golden.randint_1000_wide_then_choice_first30);
    expect(golden.choice_true_false_first100).toHaveLength(100);
  },
);

test("the published test of the generator's authors: init_by_array, and outputs across two refills", () => {
  // mt19937ar.out: key {0x123, 0x234, 0x345, 0x456}; the first five and the last of 1000 outputs.
  const rng = Mt19937.fromKey([0x123, 0x234, 0x345, 0x456]);
  const outputs = Array.from({ length: 1000 }, () => rng.nextUint32());
  expect(outputs.slice(0, 5)).toEqual([1067595299, 955945823, 477289528, 4107218783, 4228976476]);
  expect(outputs.at(-1)).toBe(3460025646);
});

test("a range of one number draws nothing; no range is our mistake", () => {
  const rng = Mt19937.fromSeed(0);
  expect(legacyRandint(rng, 7, 8)).toBe(7);
  expect(rng.nextUint32()).toBe(2357136044);
  expect(() => legacyRandint(rng, 8, 8)).toThrow(InternalError);
  expect(() => Mt19937.fromKey([])).toThrow(InternalError);
});

test("a range of 2^32 uses every bit", () => {
  expect(legacyRandint(Mt19937.fromSeed(0), 0, 2 ** 32)).toBe(2357136044);
});
