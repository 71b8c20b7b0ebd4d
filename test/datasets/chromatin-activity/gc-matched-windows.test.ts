import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { gcMatchedWindows } from "../../../src/datasets/chromatin-activity/gc-matched-windows.ts";
import { readActivityWindows } from "../../../src/datasets/chromatin-activity/windows.ts";
import { type Genome, openGenome } from "../../../src/dna/genome/genome.ts";
import type { Interval } from "../../../src/dna/genome/interval.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";

const WINDOW = 2114;
const LENGTH = 400_000;

/** Regions of 20,000 bases with different GC contents. */
function genomeOf(names: readonly string[], seed = 1): Genome {
  const rng = new Pcg64(seed);
  const letters = new Map(
    names.map((name) => {
      const bytes = new Uint8Array(LENGTH);
      let gc = 0.5;
      for (let i = 0; i < LENGTH; i++) {
        if (i % 20_000 === 0) gc = 0.35 + 0.3 * rng.nextFloat64();
        const letter = rng.nextFloat64() < gc ? "GC" : "AT";
        bytes[i] = letter.charCodeAt(rng.nextFloat64() < 0.5 ? 0 : 1);
      }
      return [name, bytes];
    }),
  );
  return {
    path: "made up",
    chromosomes: new Map(names.map((name) => [name, LENGTH])),
    chromosome: async (name: string) => letters.get(name)!,
  } as unknown as Genome;
}

async function gcOf(genome: Genome, { chrom, start, end }: Interval): Promise<number> {
  const letters = (await genome.chromosome(chrom)).subarray(start, end);
  return letters.filter((letter) => letter === 71 || letter === 67).length / (end - start);
}

const window = (chrom: string, start: number): Interval => ({ chrom, start, end: start + WINDOW });
const TRAIN = { chromosomes: ["chr1", "chr2"], perPeak: 2 };
const TEST = { chromosomes: ["chr5"], perPeak: 1 };

describe("GC-matched windows", () => {
  const genome = genomeOf(["chr1", "chr2", "chr5", "chrM"]);
  const rng = new Pcg64(5);
  const peaks = ["chr1", "chr2", "chr5"].flatMap((chrom) =>
    Array.from({ length: 15 }, () => window(chrom, Math.floor(rng.nextFloat64() * 390_000))),
  );
  const excluded = [
    ...peaks.map(({ chrom, start }) => ({ chrom, start: start + 957, end: start + 1157 })),
    { chrom: "chr5", start: 100_000, end: 130_000 },
  ];
  const options = { genome, peaks, excluded, folds: [TRAIN, TEST], seed: 0 };

  test("are distinct bins of the peak's fold, away from excluded regions", async () => {
    const { windows, skipped, missing } = await gcMatchedWindows(options);
    expect([skipped, missing]).toEqual([0, 0]);
    expect(windows).toHaveLength(2 * 30 + 15);
    expect(windows.filter(({ chrom }) => chrom === "chr5")).toHaveLength(15);
    expect(new Set(windows.map(({ chrom, start }) => `${chrom}:${start}`)).size).toBe(windows.length);
    for (const { chrom, start, end } of windows) {
      expect(start % 1000).toBe(0);
      expect(end - start).toBe(WINDOW);
      expect(end).toBeLessThan(LENGTH);
      for (const region of excluded) {
        const near = region.chrom === chrom && region.start - 1057 < end && region.end + 1057 > start;
        expect(near, `${chrom}:${start} and ${region.start}`).toBe(false);
      }
    }
  });

  test("have the peak's GC content within a few percent", async () => {
    const { windows } = await gcMatchedWindows({ ...options, folds: [{ ...TRAIN, perPeak: 1 }] });
    const differences: number[] = [];
    for (const [i, found] of windows.entries()) {
      differences.push(Math.abs((await gcOf(genome, found)) - (await gcOf(genome, peaks[i]))));
    }
    expect(differences).toHaveLength(30);
    const mean = differences.reduce((a, b) => a + b) / differences.length;
    expect(mean).toBeLessThan(0.01);
    expect(Math.max(...differences)).toBeLessThan(0.06);
  });

  test("depend on the seed only", async () => {
    const one = await gcMatchedWindows(options);
    expect(await gcMatchedWindows(options)).toEqual(one);
    expect((await gcMatchedWindows({ ...options, seed: 1 })).windows).not.toEqual(one.windows);
  });

  test("skip peaks outside the folds or beyond the chromosome's end", async () => {
    const strange = [window("chrM", 5000), window("chr1", -3), window("chr1", LENGTH - 2000), peaks[0]];
    const { windows, skipped } = await gcMatchedWindows({ ...options, peaks: strange });
    expect(skipped).toBe(3);
    expect(windows).toHaveLength(2);
  });

  test("count missing windows when all bins are used", async () => {
    const all = [{ chrom: "chr5", start: 0, end: LENGTH - 20_000 }];
    const { windows, missing } = await gcMatchedWindows({
      ...options,
      excluded: all,
      folds: [{ chromosomes: ["chr5"], perPeak: 2 }],
    });
    // Bins from 382,000 (380,000 plus half a window, at the next thousand) to the last within the chromosome.
    expect(windows).toHaveLength(16);
    expect(windows.length + missing).toBe(30);
  });
});

testWithSharedData("real peaks get windows of their GC content", "task4/K562_peaks.bed", async (table) => {
  await using genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
  const peaks = await readActivityWindows(table);
  const excluded = peaks.map(({ chrom, start }) => ({ chrom, start: start + 900, end: start + 1200 }));
  const given = peaks.filter((_, i) => i % 6 === 0);
  const { windows, missing } = await gcMatchedWindows({
    genome,
    peaks: given,
    excluded,
    folds: [{ chromosomes: ["chr22"], perPeak: 1 }],
    seed: 0,
  });
  expect(missing).toBe(0);
  expect(windows).toHaveLength(given.length);
  const average = async (some: readonly Interval[]) => {
    let sum = 0;
    for (const interval of some) sum += await gcOf(genome, interval);
    return sum / some.length;
  };
  expect(Math.abs((await average(windows)) - (await average(given)))).toBeLessThan(0.005);
});
