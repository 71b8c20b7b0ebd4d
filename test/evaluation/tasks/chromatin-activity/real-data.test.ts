import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type ActivityWindow,
  readActivityWindows,
} from "../../../../src/datasets/chromatin-activity/windows.ts";
import { openBigWig, type Signal } from "../../../../src/dna/genome/bigwig.ts";
import { type Genome, openGenome } from "../../../../src/dna/genome/genome.ts";
import type { Interval } from "../../../../src/dna/genome/interval.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { chromatinActivity } from "../../../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import type { ActivitySet } from "../../../../src/evaluation/tasks/chromatin-activity/columns.ts";
import { auroc } from "../../../../src/metrics/auroc.ts";
import { reduceMean } from "../../../../src/net/graph/build.ts";
import { sharedData, testWithSharedData } from "../../../shared-data.ts";
import { baseCountModel } from "../../classified-task.ts";

// All rows of the test bed lie on chr22. Parts of it are given other names here, so that the split by
// chromosomes applies.

const CHROMOSOME_OF = { train: "chr1", val: "chr6", test: "chr5" } as const;
const real = <T extends Interval>(interval: T): T => ({ ...interval, chrom: "chr22" });

function renamedGenome(genome: Genome): Genome {
  const length = genome.chromosomes.get("chr22")!;
  return {
    ...genome,
    chromosomes: new Map(Object.values(CHROMOSOME_OF).map((name) => [name, length])),
    chromosome: () => genome.chromosome("chr22"),
    sequence: (interval) => genome.sequence(real(interval)),
  };
}

function renamedSignal(signal: Signal): Signal {
  const length = signal.chromosomes.get("chr22")!;
  return {
    ...signal,
    chromosomes: new Map(Object.values(CHROMOSOME_OF).map((name) => [name, length])),
    sums: (intervals) => signal.sums(intervals.map(real)),
  };
}

async function renamedTables(split: string) {
  const [, ...lines] = (await readFile(split, "utf8")).trimEnd().split("\n");
  const parts = new Map(
    lines.map((line) => {
      const [table, index, part] = line.split("\t");
      return [`${table} ${index}`, part];
    }),
  );
  const tableOf = async (set: ActivitySet) => {
    const rows = await readActivityWindows(sharedData(`task4/K562_${set}.bed`)!);
    return rows
      .map((row): ActivityWindow => {
        const part = parts.get(`K562_${set} ${row.index}`);
        return {
          ...row,
          chrom: part === "none" ? "none" : CHROMOSOME_OF[part as keyof typeof CHROMOSOME_OF],
        };
      })
      .filter(({ chrom }) => chrom !== "none");
  };
  return {
    peaks: await tableOf("peaks"),
    idr: await tableOf("idr"),
    nonpeaks: await tableOf("nonpeaks"),
  };
}

/** Activity predicted from base composition only. */
const composition = baseCountModel("composition", (x) => reduceMean(x, [1]));

testWithSharedData(
  "on real windows, split by position, a network trains, is chosen and asked on the parts that are theirs",
  "task4/position_split.tsv",
  async (split) => {
    await using genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const signal = await openBigWig(join(split, "..", "signal.chr22.bw"));
    const { training, counts, metrics } = await evaluate({
      task: chromatinActivity,
      inputs: {
        ...(await renamedTables(split)),
        genome: renamedGenome(genome),
        signal: renamedSignal(signal),
        "cell-line": "K562",
      },
      model: composition,
      setting: "ab-initio",
      recipe: { epochs: 6, learningRate: 0.1 },
    });
    await signal.close();
    expect(training).toMatchObject({ trainRows: 1133 + 344, valRows: 378 + 113 });
    expect(counts).toMatchObject({
      rows: 258 + 62 + 233,
      peaks: 258,
      highConfidencePeaks: 62,
      nonPeaks: 233,
    });
    const losses = training!.epochs.map(({ validation }) => validation.val_loss!);
    expect(Math.min(...losses)).toBeLessThan(losses[0]);
    expect(metrics.every(({ value }) => value !== null)).toBe(true);
  },
);

testWithSharedData(
  "counts distinguish high-confidence peaks, and all peaks, from non-peaks as well as stated in the data's notes",
  "task4/signal.chr22.bw",
  async (file) => {
    // AUROC of the plain sums, as given with the data.
    for (const [bigWig, idr, peaks] of [
      ["signal", 0.843, 0.72],
      ["cuts_ctcf", 0.804, 0.607],
    ] as const) {
      const table = (name: string) => join(file, "..", `K562_${name}.bed`);
      const task = await chromatinActivity.open(
        {
          genome: sharedData("genome/mini.hg38.fa.gz")!,
          peaks: table("peaks"),
          idr: table("idr"),
          nonpeaks: table("nonpeaks"),
          signal: join(file, "..", `${bigWig}.chr22.bw`),
          "cell-line": "K562",
        },
        { seed: 0 },
      );
      const { rows } = task.select({ split: "test", purpose: "evaluate", limit: null });
      const examples = await task.examples(rows.slice());
      await task.close();
      const countsOf = (set: string) =>
        examples.filter(({ facts }) => facts.set === set).map(({ facts }) => Number(facts.counts));
      const against = (set: string) => {
        const [positives, negatives] = [countsOf(set), countsOf("nonpeaks")];
        const labels = [...positives.map(() => 1), ...negatives.map(() => 0)];
        return auroc([...positives, ...negatives], labels);
      };
      expect(against("idr"), bigWig).toBeCloseTo(idr, 3);
      expect(against("peaks"), bigWig).toBeCloseTo(peaks, 3);
    }
  },
);

test("reports a table without training rows", async () => {
  const window = (index: number) => ({
    index,
    chrom: "chr22",
    start: 5000 * index,
    end: 5000 * index + 2114,
  });
  const rows = [window(1), window(2)];
  const signal: Signal = {
    path: "made up",
    chromosomes: new Map([["chr22", 50_000]]),
    sums: async (some) => new Float64Array(some.length),
    values: async () => [],
    digest: async () => "0".repeat(64),
    close: async () => {},
  };
  const genome: Genome = {
    path: "made up",
    chromosomes: new Map([["chr22", 50_000]]),
    sequence: async ({ start, end }: Interval) => "A".repeat(end - start),
    chromosome: async () => new Uint8Array(50_000).fill(65),
    digest: async () => "1".repeat(64),
    close: async () => {},
  } as unknown as Genome;
  const evaluated = evaluate({
    task: chromatinActivity,
    inputs: { genome, signal, peaks: rows, idr: rows, nonpeaks: rows, "cell-line": "K562" },
    model: composition,
    setting: "ab-initio",
  });
  await expect(evaluated).rejects.toThrow(/no row on the chromosomes of the train split/);
});
