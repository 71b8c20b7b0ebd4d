import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  consensusPeaks,
  readConsensusPeaks,
  writeConsensusPeaks,
} from "../../../src/datasets/cell-type-elements/consensus-peaks.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { testWithSharedData } from "../../shared-data.ts";

const scratch = scratchFiles();

/** The order in which the original read its files. */
const FILES = ["GM12878", "HEPG2", "IMR90", "K562", "H1ESC"].map((line) => `${line}.narrowPeak`);

for (const [kind, folder, golden] of [
  ["no two peaks of equal q", "input_tiefree", "accepted_peaks_all.tiefree.golden.tsv"],
  ["ties in file order", "input", "accepted_peaks_all.stable.golden.tsv"],
] as const) {
  testWithSharedData(`the original's list, byte for byte: ${kind}`, `task3/${golden}`, async (file) => {
    const paths = FILES.map((name) => join(dirname(file), folder, name));
    const { accepted, read } = await consensusPeaks(paths);
    const out = scratch.path(golden);
    await writeConsensusPeaks(out, accepted);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(file, "utf8"));
    expect(await readConsensusPeaks(out)).toEqual(accepted);
    expect(read).toBe(folder === "input" ? 9325 : 2743);
  });
}

const peak = (summit: number, q: number) => `chr1\t${summit}\t${summit + 1}\tp\t0\t.\t0\t-1\t${q}\t0`;

test("peaks that touch on the left overlap, on the right they do not", async () => {
  const starts = async (second: number) => {
    const path = await scratch.write("two.narrowPeak", `${peak(5000, 9)}\n${peak(second, 1)}\n`);
    return (await consensusPeaks([path])).accepted.map(({ start }) => start);
  };
  expect(await starts(4500)).toEqual([4750]);
  expect(await starts(4499)).toEqual([4249, 4750]);
  expect(await starts(5500)).toEqual([4750, 5250]);
  expect(await starts(5499)).toEqual([4750]);
});

test("agrees with comparing each peak to all accepted ones", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ summit: fc.integer({ min: 250, max: 6000 }), q: fc.integer({ max: 5, min: 0 }) }),
        {
          maxLength: 60,
        },
      ),
      async (peaks) => {
        const path = await scratch.write(
          "random.narrowPeak",
          peaks.map(({ summit, q }) => `${peak(summit, q)}\n`).join(""),
        );
        const taken: { start: number; end: number }[] = [];
        for (const { summit } of peaks.slice().sort((x, y) => y.q - x.q)) {
          const b = { start: summit - 250, end: summit + 250 };
          const overlaps = taken.some(
            (a) => (b.start < a.start && b.end >= a.start) || (a.start <= b.start && b.start < a.end),
          );
          if (!overlaps) taken.push(b);
        }
        const { accepted } = await consensusPeaks([path]);
        expect(accepted.map(({ start }) => start)).toEqual(
          taken.map(({ start }) => start).sort((x, y) => x - y),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("skips a peak at the chromosome's start and rejects one without a summit", async () => {
  const early = await scratch.write("early.narrowPeak", `${peak(249, 9)}\n${peak(250, 1)}\n`);
  expect(await consensusPeaks([early])).toMatchObject({ read: 2, beforeChromosome: 1 });
  const none = await scratch.write("none.narrowPeak", `${peak(500, 1).replace(/0$/, "-1")}\n`);
  await expect(consensusPeaks([none])).rejects.toThrow(/no summit/);
});
