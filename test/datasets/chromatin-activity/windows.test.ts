import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  countedPart,
  peakWindows,
  readActivityWindows,
  writeActivityWindows,
} from "../../../src/datasets/chromatin-activity/windows.ts";
import { openBigWig } from "../../../src/dna/genome/bigwig.ts";
import { readRegions } from "../../../src/models/chrombpnet/regions.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const HEADER = "chr\tinput_start\tinput_end\telem_start\telem_end\telem_relative_start\telem_relative_end\n";

async function written(text: string): Promise<string> {
  const file = join(temporaryFolder(), "table.bed");
  await writeFile(file, text);
  return file;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("tables of windows", () => {
  for (const name of ["K562_peaks", "K562_idr", "K562_nonpeaks"]) {
    testWithSharedData(`${name}: the original's bytes`, `task4/${name}.narrowPeak`, async (peaks) => {
      const file = join(temporaryFolder(), "made.bed");
      await writeActivityWindows(file, peakWindows(peaks));
      const golden = sharedData(`task4/${name}.bed`)!;
      expect(await readFile(file, "utf8")).toBe(await readFile(golden, "utf8"));
    });
  }

  test("reads what it writes", async () => {
    const file = join(temporaryFolder(), "table.bed");
    const windows = [
      { chrom: "chr2", start: 0, end: 2114 },
      { chrom: "chr1", start: 7, end: 2121 },
    ];
    await writeActivityWindows(file, windows);
    expect(await readActivityWindows(file)).toEqual(windows.map((window, index) => ({ index, ...window })));
    expect(countedPart(windows[1])).toEqual({ chrom: "chr1", start: 564, end: 1564 });
  });

  test.each([
    ["chr1\t0\t2113\t557\t1557\t557\t1557", "the window has 2113 bases; expected 2114"],
    ["chr1\t0\t2114\t556\t1557\t557\t1557", "elem_start is 556; expected 557"],
    ["chr1\t0\t2114\t557\t1557\t557\t1558", "elem_relative_end is 1558; expected 1557"],
    ["chr1\t-4\t2110\t553\t1553\t557\t1557", 'input_start "-4" is not from 0 to 4294967295'],
    ["\t0\t2114\t557\t1557\t557\t1557", "the chromosome's name is empty"],
    ["chr1\t0\t2114\t557", "the line has 4 fields, the header 7"],
  ])("rejects %j: %s", async (line, message) => {
    const file = await written(`${HEADER}${line}\n`);
    await expect(readActivityWindows(file)).rejects.toMatchObject({ message, place: { file, line: 2 } });
  });

  test("rejects a file without header", async () => {
    const file = await written("chr1\t0\t2114\t557\t1557\t557\t1557\n");
    await expect(readActivityWindows(file)).rejects.toThrow(/no column "chr"/);
  });

  test("rejects a peak without summit, skips one whose window starts before the chromosome", async () => {
    const file = await written(
      "chr1\t900\t1200\t.\t.\t.\t.\t.\t.\t157\nchr1\t900\t1200\t.\t.\t.\t.\t.\t.\t156\n",
    );
    const outside: number[] = [];
    const windows = await all(peakWindows(file, { onOutside: (line) => outside.push(line) }));
    expect(windows).toEqual([{ chrom: "chr1", start: 0, end: 2114 }]);
    expect(outside).toEqual([2]);
    const none = await written("chr1\t900\t1200\t.\t.\t.\t.\t.\t.\t-1\n");
    await expect(all(peakWindows(none))).rejects.toThrow(/the peak has no summit/);
  });

  test("does not take the block count of BED12 for a summit", async () => {
    const blocks = await written("chr1\t5000\t6000\tx\t0\t.\t5000\t6000\t0\t2\t100,100\t0,900\n");
    await expect(all(peakWindows(blocks))).rejects.toMatchObject({
      message: "the line has 12 columns; narrowPeak has 10",
      place: { file: blocks, line: 1 },
    });
    const genome = { path: "made.fa", chromosomes: new Map([["chr1", 9000]]) };
    expect(await readRegions(blocks, genome)).toEqual([{ chrom: "chr1", centre: 5500 }]);
  });
});

testWithSharedData(
  "counts are pyBigWig's in every window, also where one reaches beyond the chromosome",
  "task4/counts.golden.tsv",
  async (golden) => {
    const folder = join(golden, "..");
    const [, ...lines] = (await readFile(golden, "utf8")).trimEnd().split("\n");
    const rows = lines.map((line) => line.split("\t"));
    let compared = 0;
    for (const bigWig of ["signal", "cuts_ctcf"]) {
      const signal = await openBigWig(join(folder, `${bigWig}.chr22.bw`));
      for (const table of ["K562_peaks", "K562_idr", "K562_nonpeaks", "edge"]) {
        const windows = await readActivityWindows(join(folder, `${table}.bed`));
        const sums = await signal.sums(windows.map(countedPart));
        const expected = rows.filter(([of, by]) => of === table && by === bigWig);
        expect(expected).toHaveLength(windows.length);
        for (const [, , index, , , , sum, , , torch, numpy] of expected) {
          // The reference raises an error if nothing is left to count; this package gives 0.
          const value = sum.startsWith("ERROR") ? 0 : Number(sum);
          const ours = sums[Number(index)];
          expect(Math.abs(ours - value), `${table} ${index}`).toBeLessThanOrEqual(1e-9 * Math.max(1, value));
          // The target log(1 + counts) is float32 in the reference and rounded by two libraries.
          for (const log of sum.startsWith("ERROR") ? [] : [torch, numpy]) {
            expect(Math.log1p(ours), `${table} ${index}`).toBeCloseTo(Number(log), 5);
          }
          compared++;
        }
      }
      await signal.close();
    }
    expect(compared).toBe(5412);
  },
);
