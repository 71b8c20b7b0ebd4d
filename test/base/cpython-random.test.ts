import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { CPythonRandom } from "../../src/base/mt19937.ts";
import { testWithSharedData } from "../shared-data.ts";

interface Golden {
  readonly getrandbits32_first10: readonly number[];
  readonly shuffles_in_one_stream_seed0: readonly {
    readonly n: number;
    readonly shuffled: readonly number[];
  }[];
}

testWithSharedData(
  "random.Random(0) gives the same words, and shuffles one after the other",
  "task1/rng.golden.json",
  (file) => {
    const golden = JSON.parse(readFileSync(file, "utf8")).cpython_random as Golden;
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

test("shuffling nothing or one thing draws nothing", () => {
  const rng = new CPythonRandom(0);
  rng.shuffle([]);
  rng.shuffle([1]);
  expect(rng.nextUint32()).toBe(3626764237);
});

test("a draw below 1 still draws, as in CPython 3.11", () => {
  const rng = new CPythonRandom(0);
  expect(rng.randbelow(1)).toBe(0);
  expect(rng.nextUint32()).toBe(3255389356);
});

test("randbelow and seeds say what they need", () => {
  const rng = new CPythonRandom(0);
  expect(() => rng.randbelow(0)).toThrow(InputError);
  expect(() => rng.randbelow(2.5)).toThrow(InputError);
  expect(() => new CPythonRandom(0.5)).toThrow(InputError);
});
