import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { readBed, readNarrowPeaks } from "../../../src/dna/genome/bed.ts";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";

const files = scratchFiles();
const genome = genomeInMemory("tiny.fa", new Map([["chr1", "A".repeat(100)]]));

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

async function refusal(rows: AsyncIterable<unknown>): Promise<string> {
  try {
    for await (const _ of rows);
  } catch (error) {
    if (error instanceof InputError) return error.describe();
    throw error;
  }
  throw new Error("nothing was refused");
}

const TEXT = "#chrom\ntrack name=x\nbrowser hide all\nchr1\t0\t10\ta b\t5\r\n\nchr1 20 30\nchr2\t5\t6";

test("reads intervals, columns and line numbers, skipping comments and track lines", async () => {
  for (const data of [TEXT, gzipSync(TEXT)]) {
    const path = await files.write("some.bed", data);
    const rows = await all(readBed(path));
    expect(rows).toEqual([
      { chrom: "chr1", start: 0, end: 10, columns: ["chr1", "0", "10", "a b", "5"], line: 4 },
      { chrom: "chr1", start: 20, end: 30, columns: ["chr1", "20", "30"], line: 6 },
      { chrom: "chr2", start: 5, end: 6, columns: ["chr2", "5", "6"], line: 7 },
    ]);
  }
});

test.each([
  [
    "chr1\t900\t850",
    "x.bed:2: end 850 is before start 900\n  BED is 0-based and half-open; are columns 2 and 3 swapped?",
  ],
  ["chr1\t5.0\t9", 'x.bed:2: start "5.0" is not a whole number'],
  ["chr1\t-5\t9", 'x.bed:2: start "-5" is not from 0'],
  ["chr1\t5\t", 'x.bed:2: end "" is not a whole number'],
  ["chr1\t5", 'x.bed:2: the line has 2 columns; expected at least 3: "chr1\\t5"'],
  ["\t5\t6", "x.bed:2: the chromosome's name is empty"],
])("refuses %j with its line", async (line, message) => {
  const path = await files.write("x.bed", `chr1\t0\t1\n${line}\n`);
  expect(await refusal(readBed(path))).toContain(message);
});

test("accepts empty intervals, but not empty narrowPeak peaks", async () => {
  const path = await files.write("empty.bed", "chr1\t5\t5\tinsertion\nchr1\t100\t100\n");
  expect((await all(readBed(path, { genome }))).map(({ start, end }) => [start, end])).toEqual([
    [5, 5],
    [100, 100],
  ]);
  const peaks = await files.write("empty.narrowPeak", "chr1\t5\t5\t.\t0\t.\t0\t-1\t-1\t0\n");
  expect(await refusal(readNarrowPeaks(peaks))).toContain("end 5 is not after start 5");
});

test("requires intervals within the given genome", async () => {
  const path = await files.write("g.bed", "chr1\t90\t100\nchr1\t90\t101\n");
  expect(await refusal(readBed(path, { genome }))).toContain(
    "g.bed:2: end 101 lies beyond the end of chr1, which has 100 bases in tiny.fa",
  );
  const ensembl = await files.write("e.bed", "1\t90\t100\n");
  expect(await refusal(readBed(ensembl, { genome }))).toContain(
    'e.bed:1: the genome has no sequence "1", but has "chr1"',
  );
  expect(await all(readBed(ensembl))).toHaveLength(1);
});

testWithSharedData(
  "reads peaks of MACS2",
  "formats/narrowpeak/macs_ctcf_chr22.hg19.narrowPeak",
  async (path) => {
    const expected = JSON.parse(await readFile(sharedData("formats/expected.json")!, "utf8")).narrowpeak[
      "narrowpeak/macs_ctcf_chr22.hg19.narrowPeak"
    ];
    const peaks = await all(readNarrowPeaks(path));
    const sum = (value: (peak: (typeof peaks)[0]) => number) =>
      peaks.reduce((total, peak) => total + value(peak), 0);
    expect(peaks).toHaveLength(expected.rows);
    expect(sum(({ start }) => start)).toBe(expected.sum_start);
    expect(sum(({ end }) => end)).toBe(expected.sum_end);
    expect(sum(({ start, summit }) => start + summit)).toBe(expected.sum_summit);
    expect(sum(({ qValue }) => qValue)).toBeCloseTo(expected.sum_q, 4);
    const { chrom, start, end, name, score, strand, signalValue, pValue, qValue, summit } = peaks[0];
    expect([chrom, start, end, name, score, strand, signalValue, pValue, qValue, summit].map(String)).toEqual(
      expected.first,
    );
  },
);

test("accepts a summit of -1 or at the end, but not outside the peak", async () => {
  const line = (summit: string) => `chr1\t10\t20\tp\t0\t.\t1\t-1\t2e1\t${summit}\n`;
  const good = await files.write("good.narrowPeak", line("-1") + line("10"));
  expect((await all(readNarrowPeaks(good))).map(({ summit }) => summit)).toEqual([-1, 10]);
  for (const [summit, message] of [
    ["11", 'summit "11" is not from -1 to 10'],
    ["1.5", "is not a whole number"],
  ]) {
    const bad = await files.write("bad.narrowPeak", line(summit));
    expect(await refusal(readNarrowPeaks(bad))).toContain(message);
  }
  const short = await files.write("short.narrowPeak", "chr1\t1\t2\n");
  expect(await refusal(readNarrowPeaks(short))).toContain(
    "short.narrowPeak:1: the line has 3 columns; expected at least 10",
  );
  const word = await files.write("word.narrowPeak", line("1").replace("2e1", "high"));
  expect(await refusal(readNarrowPeaks(word))).toContain('q-value "high" is not a number');
});
