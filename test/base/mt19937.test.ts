import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError, InternalError } from "../../src/base/errors.ts";
import { CPythonRandom, legacyChoice2, legacyRandint, Mt19937 } from "../../src/base/mt19937.ts";
import { testWithSharedData } from "../shared-data.ts";

interface Golden {
  readonly raw32_first20: readonly number[];
  readonly choice_true_false_first100: readonly boolean[];
  readonly randint_1000_wide_then_choice_first30: readonly (readonly [number, boolean])[];
}

testWithSharedData(
  "equals numpy.random.seed(0): outputs, choices and integers",
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

test("reproduces mt19937ar.out of the authors: init_by_array and outputs across two refills", () => {
  // mt19937ar.out: key {0x123, 0x234, 0x345, 0x456}; the first five and the last of 1000 outputs.
  const rng = Mt19937.fromKey([0x123, 0x234, 0x345, 0x456]);
  const outputs = Array.from({ length: 1000 }, () => rng.nextUint32());
  expect(outputs.slice(0, 5)).toEqual([1067595299, 955945823, 477289528, 4107218783, 4228976476]);
  expect(outputs.at(-1)).toBe(3460025646);
});

test("a range of one integer draws nothing; an empty range is an internal error", () => {
  const rng = Mt19937.fromSeed(0);
  expect(legacyRandint(rng, 7, 8)).toBe(7);
  expect(rng.nextUint32()).toBe(2357136044);
  expect(() => legacyRandint(rng, 8, 8)).toThrow(InternalError);
  expect(() => Mt19937.fromKey([])).toThrow(InternalError);
});

test("a range of 2^32 uses all bits", () => {
  expect(legacyRandint(Mt19937.fromSeed(0), 0, 2 ** 32)).toBe(2357136044);
});

interface CPythonGolden {
  readonly getrandbits32_first10: readonly number[];
  readonly shuffles_in_one_stream_seed0: readonly {
    readonly n: number;
    readonly shuffled: readonly number[];
  }[];
}

testWithSharedData(
  "equals random.Random(0): words and consecutive shuffles",
  "task1/rng.golden.json",
  (file) => {
    const golden = JSON.parse(readFileSync(file, "utf8")).cpython_random as CPythonGolden;
    const words = new CPythonRandom(0);
    expect(golden.getrandbits32_first10.map(() => words.nextUint32())).toEqual(golden.getrandbits32_first10);
    const rng = new CPythonRandom(0);
    for (const { n, shuffled } of golden.shuffles_in_one_stream_seed0) {
      const array = Array.from({ length: n }, (_, i) => i);
      rng.shuffle(array);
      expect(array).toEqual(shuffled);
    }
    expect(golden.shuffles_in_one_stream_seed0).toHaveLength(15);
  },
);

test("first shuffles of a fresh generator (CPython 3.11)", () => {
  const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  new CPythonRandom(0).shuffle(digits);
  expect(digits).toEqual([7, 8, 1, 5, 3, 4, 2, 0, 9, 6]);
  const letters = [..."ACGTTGCA"];
  new CPythonRandom(0).shuffle(letters);
  expect(letters.join("")).toBe("TCGGATAC");
});

test("seeds of two words and negative seeds (CPython 3.11: getrandbits(32))", () => {
  expect(new CPythonRandom(2 ** 40 + 12345).nextUint32()).toBe(1332995613);
  expect(new CPythonRandom(-3).nextUint32()).toBe(new CPythonRandom(3).nextUint32());
});

test("shuffling no or one item draws nothing", () => {
  const rng = new CPythonRandom(0);
  rng.shuffle([]);
  rng.shuffle([1]);
  expect(rng.nextUint32()).toBe(3626764237);
});

test("randbelow(1) draws, as in CPython 3.11", () => {
  const rng = new CPythonRandom(0);
  expect(rng.randbelow(1)).toBe(0);
  expect(rng.nextUint32()).toBe(3255389356);
});

test("randbelow and the constructor refuse invalid arguments", () => {
  const rng = new CPythonRandom(0);
  expect(() => rng.randbelow(0)).toThrow(InputError);
  expect(() => rng.randbelow(2.5)).toThrow(InputError);
  expect(() => new CPythonRandom(0.5)).toThrow(InputError);
});
