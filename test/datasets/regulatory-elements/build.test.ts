import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  type BuildOptions,
  buildRegulatoryElements,
} from "../../../src/datasets/regulatory-elements/build.ts";
import {
  type RegulatoryElementRow,
  readRegulatoryElements,
  writeRegulatoryElements,
} from "../../../src/datasets/regulatory-elements/table.ts";
import { genomeInMemory, openGenome } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";

const files = scratchFiles();

async function built(bed: string, options: BuildOptions = {}): Promise<RegulatoryElementRow[]> {
  const rows: RegulatoryElementRow[] = [];
  for await (const row of buildRegulatoryElements(bed, options)) rows.push(row);
  return rows;
}

testWithSharedData(
  "the tables are those of the original, byte for byte",
  "task1/elements.bed",
  async (bed) => {
    await using genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    let lines = 0;
    for (const [golden, options] of [
      ["task1/elements_processed.tsv", {}],
      ["task1/elements_processed.2114_500.golden.tsv", { inputSize: 2114, maxJitter: 500 }],
    ] as const) {
      const path = files.path("built.tsv");
      await writeRegulatoryElements(path, buildRegulatoryElements(bed, { ...options, genome }));
      const [ours, theirs] = [await readFile(path, "utf8"), await readFile(sharedData(golden)!, "utf8")];
      expect(ours).toBe(theirs);
      lines += theirs.split("\n").length - 2;
      expect(await readRegulatoryElements(path, { genome })).toEqual(await built(bed, options));
    }
    expect(lines).toBe(2 * 1187);
  },
);

test("centres windows, with the extra base on the right", async () => {
  const bed = await files.write("two.bed", "chr1\t1000\t1200\nchr1\t1000\t1201\tname\n");
  const [even, odd] = await built(bed);
  expect(even).toMatchObject({
    index: 0,
    inputStart: 925,
    inputEnd: 1275,
    relativeStart: 75,
    relativeEnd: 275,
  });
  expect(odd).toMatchObject({
    index: 1,
    inputStart: 926,
    inputEnd: 1276,
    relativeStart: 74,
    relativeEnd: 275,
  });
});

test("another seed changes strands, not windows", async () => {
  const bed = await files.write("many.bed", "chr1\t1000\t1200\n".repeat(64));
  const flags = (rows: RegulatoryElementRow[]) => rows.map((row) => row.reverseComplement);
  const [first, again, other] = [
    await built(bed),
    await built(bed, { seed: 0 }),
    await built(bed, { seed: 1 }),
  ];
  expect(again).toEqual(first);
  expect(flags(other)).not.toEqual(flags(first));
  expect(other.map((row) => row.inputStart)).toEqual(first.map((row) => row.inputStart));
});

test("jitter stays within its range", async () => {
  const bed = await files.write("jitter.bed", "chr1\t10000\t10200\n".repeat(500));
  const starts = (await built(bed, { maxJitter: 3 })).map(({ inputStart }) => inputStart - (10000 - 75));
  expect(new Set(starts)).toEqual(new Set([-3, -2, -1, 0, 1, 2]));
});

test("rejects windows and options out of range", async () => {
  const early = await files.write("early.bed", "chr1\t500\t700\nchr1\t10\t200\n");
  const error = await built(early).catch((thrown: unknown) => thrown);
  expect((error as InputError).describe()).toMatch(
    /early\.bed:2: the window of 350 bases for chr1:10-200 would start at -70, before the chromosome\n {2}remove/,
  );
  const genome = genomeInMemory("g.fa", new Map([["chr1", "A".repeat(650)]]));
  await expect(built(early, { genome })).rejects.toThrow("end 700 lies beyond the end of chr1");
  await expect(built(early, { inputSize: 0 })).rejects.toThrow("window size 0 is not a whole number from 1");
  await expect(built(early, { maxJitter: 0.5 })).rejects.toThrow(InputError);
  await expect(built(early, { seed: -1 })).rejects.toThrow("seed -1");
});
