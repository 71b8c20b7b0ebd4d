import { expect, test } from "vitest";
import { Pcg64 } from "../../../../src/base/pcg64.ts";
import type { ActivityWindow } from "../../../../src/datasets/chromatin-activity/windows.ts";
import type { Signal } from "../../../../src/dna/genome/bigwig.ts";
import { genomeInMemory } from "../../../../src/dna/genome/genome.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { chromatinActivity } from "../../../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import type { OpenTask } from "../../../../src/evaluation/tasks/task.ts";
import { scratchFiles } from "../../../scratch-files.ts";
import { writeExportedActivity } from "../../exported-activity.ts";

const scratch = scratchFiles();
const LENGTH = 30_000;
const NAMES = ["chr1", "chr6", "chr5"];
const rng = new Pcg64(3);
const genome = genomeInMemory(
  "made up",
  new Map(
    NAMES.map((name) => [
      name,
      Array.from({ length: LENGTH }, () => "ACGTN"[Math.floor(rng.nextFloat64() * 4.02)]).join(""),
    ]),
  ),
);
const signal: Signal = {
  path: "made up",
  chromosomes: new Map(NAMES.map((name) => [name, LENGTH])),
  sums: async (some) => Float64Array.from(some, ({ start }) => start % 17),
  values: async () => [],
  digest: async () => "0".repeat(64),
  close: async () => {},
};
/** Rows of the three splits in turn. */
const table = (rows: number, first: number): ActivityWindow[] =>
  Array.from({ length: rows }, (_, index) => {
    const start = first + 211 * index;
    return { index, chrom: NAMES[index % 3], start, end: start + 2114 };
  });
const inputs = {
  genome,
  signal,
  peaks: table(30, 100),
  idr: table(9, 900),
  nonpeaks: table(24, 1500),
  "cell-line": "K562",
};
const rowsOf = (task: OpenTask, split: "train" | "val" | "test") =>
  task.select({ split, purpose: "evaluate", limit: null }).rows.slice();

/** The original's export. */
async function exported(): Promise<string> {
  const plain = await chromatinActivity.open(inputs, { seed: 0 });
  const path = scratch.path("data.h5");
  await writeExportedActivity(path, { K562: plain });
  await plain.close();
  return path;
}

test("data.h5 in place of tables, genome and signal: the same rows, bases, codes and counts", async () => {
  const task = await chromatinActivity.open({ peaks: await exported(), "cell-line": "K562" }, { seed: 0 });
  const plain = await chromatinActivity.open(inputs, { seed: 0 });
  let compared = 0;
  for (const split of ["train", "val", "test"] as const) {
    const examplesOf = (of: OpenTask) => of.examples(rowsOf(of, split).filter((_, i) => i % 5 !== 2));
    const [ours, expected] = [await examplesOf(plain), await examplesOf(task)];
    expect(expected.map(({ row, sequences, codes }) => ({ row, sequences, codes }))).toEqual(
      ours.map(({ row, sequences, codes }) => ({ row, sequences, codes })),
    );
    for (const [i, { facts }] of expected.entries()) {
      expect(facts.set).toBe(ours[i].facts.set);
      expect(Number(facts.counts)).toBeCloseTo(Number(ours[i].facts.counts), 4);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(45);
  expect(task.select({ split: "all", purpose: "train", limit: null }).rows).toHaveLength(54);
  await plain.close();
  await task.close();
});

test("numbers from data.h5 have intervals over rows, and say so", async () => {
  const { metrics, notes, counts } = await evaluate({
    task: chromatinActivity,
    inputs: { peaks: await exported(), "cell-line": "K562" },
    model: { name: "A", predictActivity: (some) => some.map((bases) => bases.split("A").length) },
    setting: "predicted",
  });
  expect(metrics[0].intervals[0].method).toMatch(/^row-/);
  expect(notes.join(" ")).toContain("assume independent rows");
  expect(counts).not.toHaveProperty("genomicBlocks");
});

test("refuses a signal with negative sums, naming the window", async () => {
  for (const wrong of [-1, Number.POSITIVE_INFINITY]) {
    const odd = {
      ...signal,
      sums: async (some: readonly unknown[]) => new Float64Array(some.length).fill(wrong),
    };
    const task = await chromatinActivity.open({ ...inputs, signal: odd }, { seed: 0 });
    await expect(task.examples(rowsOf(task, "test").slice(0, 3))).rejects.toThrow(
      `the signal sums to ${wrong} over chr5:1079-2079 (peaks)`,
    );
    await task.close();
  }
});

test("a window of another width is refused", async () => {
  const peaks = [{ index: 0, chrom: "chr5", start: 10, end: 2000 }];
  await expect(chromatinActivity.open({ ...inputs, peaks }, { seed: 0 })).rejects.toThrow(
    "entry 0 of peaks is [10, 2000); expected 2114 bases",
  );
});

test("a cell line that data.h5 lacks is refused", async () => {
  const peaks = await exported();
  await expect(chromatinActivity.open({ peaks, "cell-line": "HeLa" }, { seed: 0 })).rejects.toThrow(
    /no cell line "HeLa"/,
  );
  await expect(chromatinActivity.open({ peaks, "cell-line": "IMR90" }, { seed: 0 })).rejects.toThrow(
    /there is no such array/,
  );
});
