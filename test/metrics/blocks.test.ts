import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import {
  blockMeans,
  blocksBy,
  chromosomeBlocks,
  genomicBlocks,
  singleRows,
} from "../../src/metrics/blocks.ts";

const rows = [
  { chrom: "chr5", start: 0, end: 350 },
  { chrom: "chr5", start: 999_900, end: 1_000_250 },
  { chrom: "chr5", start: 999_700, end: 1_000_050 },
  { chrom: "chr10", start: 100, end: 450 },
  { chrom: "chr5", start: 1_500_000, end: 1_500_350 },
];

test("assigns a row to the genomic block of its midpoint", () => {
  const blocks = genomicBlocks(rows);
  expect(blocks.of).toEqual(Int32Array.of(0, 1, 0, 2, 1));
  expect(blocks.sizes).toEqual(Int32Array.of(2, 2, 1));
  expect(blocks.kind).toBe("genomic-block");
});

test("assigns windows before the first base to a block", () => {
  expect(genomicBlocks([{ chrom: "chr5", start: -400, end: -50 }, ...rows]).sizes).toHaveLength(4);
});

test("chromosomes, keys and single rows as blocks", () => {
  expect(chromosomeBlocks(rows)).toEqual({
    of: Int32Array.of(0, 0, 0, 1, 0),
    sizes: Int32Array.of(4, 1),
    kind: "chromosome",
  });
  expect(blocksBy([7, 7, 3, "7"], "background").sizes).toEqual(Int32Array.of(2, 1, 1));
  expect(singleRows(3)).toEqual({ of: Int32Array.of(0, 1, 2), sizes: Int32Array.of(1, 1, 1), kind: "row" });
});

test("the mean of each block", () => {
  expect(blockMeans([1, 3, 10], blocksBy(["a", "a", "b"], "background"))).toEqual(Float64Array.of(2, 10));
});

test("rejects a width that is not a number of bases, and values of another length than the rows", () => {
  expect(() => genomicBlocks(rows, 0)).toThrow(InputError);
  expect(() => genomicBlocks(rows, 0.5)).toThrow(InputError);
  expect(() => blockMeans([1], singleRows(2))).toThrow(InputError);
});
