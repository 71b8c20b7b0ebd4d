import { expect, test } from "vitest";
import { CHROMOSOME_SPLIT, isInSplit, splitPartOf } from "../../../src/dna/genome/chromosome-split.ts";

test("each human chromosome is in one part: 16 train, 2 validation, 6 test", () => {
  const { train, val, test } = CHROMOSOME_SPLIT;
  expect([train.length, val.length, test.length]).toEqual([16, 2, 6]);
  const human = [...Array.from({ length: 22 }, (_, i) => `chr${i + 1}`), "chrX", "chrY"];
  expect([...train, ...val, ...test].sort()).toEqual(human.sort());
});

test("splitPartOf requires the exact name", () => {
  expect([splitPartOf("chr2"), splitPartOf("chr21"), splitPartOf("chr20")]).toEqual(["train", "val", "test"]);
  for (const other of ["chrM", "2", "chr1_KI270706v1_random", "CHR1", ""]) {
    expect(splitPartOf(other)).toBeUndefined();
    expect(isInSplit(other, "train")).toBe(false);
    expect(isInSplit(other, "all")).toBe(true);
  }
  expect(isInSplit("chr20", "test")).toBe(true);
  expect(isInSplit("chr20", "val")).toBe(false);
});
