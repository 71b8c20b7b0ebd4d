import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { auroc, aurocOver } from "../../src/metrics/auroc.ts";
import { blockEstimate } from "../../src/metrics/block-estimate.ts";
import { type Blocks, blocksBy, genomicBlocks, singleRows } from "../../src/metrics/blocks.ts";
import { jackknifeError, leaveOutGroups } from "../../src/metrics/jackknife.ts";
import { meanEstimate, meanOver } from "../../src/metrics/mean.ts";

test("equals the t interval for the mean of single rows", () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(values, (x) => {
      const rows = singleRows(x.length);
      const jackknife = blockEstimate(rows, meanOver(x, rows));
      const expected = meanEstimate(x);
      expect(jackknife.basis!.dof).toBeCloseTo(x.length - 1, 9);
      if (new Set(x).size === 1) expect(jackknife.low).toBeNaN();
      else {
        expect(jackknife.low).toBeCloseTo(expected.low, 6);
        expect(jackknife.high).toBeCloseTo(expected.high, 6);
      }
    }),
  );
});

test("gives two blocks one degree of freedom, unequal ones too", () => {
  const equal = blocksBy(["a", "a", "b", "b"], "chromosome");
  const mean = meanOver([0, 0, 1, 1], equal);
  // Without one block the mean is 0 or 1; √(1/2 · (1/4 + 1/4)) = 1/2, t(1) = 12.706.
  const { without, basis } = leaveOutGroups(equal, mean);
  expect(jackknifeError(0.5, without)).toBe(0.5);
  expect(basis).toMatchObject({ blocks: 2, dof: 1 });
  expect(blockEstimate(equal, mean).high - 0.5).toBeCloseTo(12.706 / 2, 3);
  const unequal = blocksBy(["a", "a", "a", "a", "a", "b"], "chromosome");
  expect(leaveOutGroups(unequal, meanOver([0, 0, 0, 1, 1, 1], unequal)).basis.dof).toBe(1);
});

test("gives fewer degrees of freedom to unequal blocks and to a class in few blocks", () => {
  const sizes = [8, 1, 1, 1, 1];
  const keys = sizes.flatMap((size, block) => new Array<number>(size).fill(block));
  const blocks = blocksBy(keys, "background");
  const scores = keys.map((_, i) => i);
  expect(leaveOutGroups(blocks, meanOver(scores, blocks)).basis.dof).toBeCloseTo(144 / 68, 12);
  const alike = blocksBy(
    Array.from({ length: 40 }, (_, i) => i >> 2),
    "background",
  );
  // Eight positives in two of ten blocks.
  const labels = Array.from({ length: 40 }, (_, i) => (i < 8 ? 1 : 0));
  const values = labels.map((label, i) => label + ((i * 7) % 5));
  expect(leaveOutGroups(alike, aurocOver(values, labels, alike)).basis.dof).toBeCloseTo(2, 12);
});

test("gives no interval for an AUROC with all positives in one block", () => {
  const blocks = blocksBy(["a", "a", "b", "b"], "chromosome");
  const scores = [3, 1, 2, 0];
  const labels = [1, 1, 0, 0];
  expect(blockEstimate(blocks, aurocOver(scores, labels, blocks), { range: [0, 1] })).toMatchObject({
    value: auroc(scores, labels),
    low: Number.NaN,
    high: Number.NaN,
  });
});

test("gives no interval for one block or none", () => {
  const one = blocksBy(["a", "a"], "chromosome");
  expect(blockEstimate(one, meanOver([1, 2], one))).toMatchObject({
    value: 1.5,
    low: Number.NaN,
    basis: { dof: 0 },
  });
  const none = singleRows(0);
  expect(blockEstimate(none, meanOver([], none)).value).toBeNaN();
});

test("joins blocks without positions into at most 500 groups", () => {
  const rows = singleRows(1700);
  const values = Array.from({ length: 1700 }, (_, i) => (i * 37) % 101);
  const { basis, value } = leaveOutGroups(rows, meanOver(values, rows));
  expect(basis.blocks).toBe(425);
  expect(value).toBeCloseTo(meanEstimate(values).value, 12);
});

describe("the length of genomic blocks follows from the data", () => {
  /** A row in each megabase of some chromosomes, with values that are constant over a number of megabases. */
  function along(chromosomes: number, megabases: number, alike: number) {
    const rng = new Pcg64(11);
    const rows = [];
    const values: number[] = [];
    for (let chrom = 0; chrom < chromosomes; chrom++) {
      let value = 0;
      for (let at = 0; at < megabases; at++) {
        if (at % alike === 0) value = normal(rng);
        rows.push({ chrom: `chr${chrom}`, start: at * 1_000_000, end: at * 1_000_000 + 100 });
        values.push(value + 0.3 * normal(rng));
      }
    }
    return { blocks: genomicBlocks(rows), values };
  }
  const basisOf = ({ blocks, values }: { readonly blocks: Blocks; readonly values: number[] }) =>
    leaveOutGroups(blocks, meanOver(values, blocks)).basis;

  test("takes the longest that leaves twenty blocks, where neighbours are independent", () => {
    expect(basisOf(along(6, 100, 1))).toMatchObject({ length: "16 Mb", blocks: 36 });
    expect(basisOf(along(1, 100, 1))).toMatchObject({ length: "4 Mb", blocks: 25 });
    for (const chromosomes of [1, 6]) expect(basisOf(along(chromosomes, 100, 1)).unreliable).toBeUndefined();
  });

  test("takes longer ones where neighbours depend on each other", () => {
    const { length, neighbourCorrelation } = basisOf(along(6, 100, 40));
    expect(length).toBe("chromosome");
    expect(neighbourCorrelation).toBeUndefined();
    expect(basisOf(along(2, 100, 16))).toMatchObject({ length: "16 Mb", blocks: 12 });
  });

  test("flags an interval where dependence cannot be excluded", () => {
    expect(basisOf(along(1, 15, 1)).unreliable).toBe("too little genome: 15 blocks of 1 Mb");
    expect(basisOf(along(3, 100, 50)).unreliable).toMatch(
      /^neighbouring blocks of 16 Mb have a correlation of 0\.\d\d$/,
    );
    expect(basisOf(along(6, 1, 1))).toMatchObject({ length: "chromosome", blocks: 6 });
    expect(basisOf(along(6, 1, 1)).unreliable).toBeUndefined();
    expect(basisOf(along(3, 1, 1)).unreliable).toBe("3 blocks");
  });
});

test("joins scaffolds of a genome of more than 1,000 sequences, and no parts of chromosomes", () => {
  const chromosome = Array.from({ length: 300 }, (_, i) => ({ chrom: "chr1", start: i * 160_000 }));
  const scaffolds = Array.from({ length: 2400 }, (_, i) => ({ chrom: `scaffold${i >> 1}`, start: i & 1 }));
  const rows = [...scaffolds.slice(0, 2), ...chromosome, ...scaffolds.slice(2)].map((row) => ({
    ...row,
    end: row.start + 350,
  }));
  const rng = new Pcg64(4);
  const values = rows.map(() => normal(rng));
  const blocks = genomicBlocks(rows);
  const { without, sizes, basis } = leaveOutGroups(blocks, meanOver(values, blocks));
  // 2,700 rows / 500 = 5.4: two scaffolds of two rows, the first of which has no neighbour to join.
  const groupOf = rows.map(({ chrom, start }) =>
    chrom === "chr1"
      ? `part ${Math.floor((Math.floor((start + 175) / 1e6) * 3) / 48)}`
      : `pair ${Math.ceil(Number(chrom.slice(8)) / 2)}`,
  );
  const groups = [...new Set(groupOf)];
  expect(basis).toMatchObject({ blocks: 604, length: "16 Mb" });
  expect([...sizes]).toEqual(groups.map((group) => groupOf.filter((other) => other === group).length));
  groups.forEach((group, i) => {
    const rest = values.filter((_, row) => groupOf[row] !== group);
    expect(without[i]).toBeCloseTo(rest.reduce((sum, value) => sum + value, 0) / rest.length, 12);
  });
});
