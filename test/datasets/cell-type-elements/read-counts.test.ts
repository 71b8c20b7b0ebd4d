import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { countReads } from "../../../src/datasets/cell-type-elements/read-counts.ts";
import { readBam } from "../../../src/dna/genome/bam.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

interface Expected {
  readonly references: Readonly<Record<string, number>>;
  readonly regions: readonly { chrom: string; start0: number; end: number; fetch_mapped: number }[];
  readonly total_records: number;
  readonly flag_counts: { unmapped: number; reverse: number; secondary: number; mapq30: number };
}

testWithSharedData("reads and counts agree with pysam", "formats/expected.json", async (file) => {
  const { note: _, ...cases } = JSON.parse(readFileSync(file, "utf8")).bam as Record<string, Expected>;
  let compared = 0;
  for (const [name, expected] of Object.entries(cases)) {
    const path = join(dirname(file), name);
    const seen = { unmapped: 0, reverse: 0, secondary: 0, mapq30: 0 };
    let records = 0;
    let references: ReadonlyMap<string, number> = new Map();
    await readBam(
      path,
      (found) => {
        references = found;
      },
      ({ flag, mappingQuality }) => {
        records++;
        if (flag & 4) seen.unmapped++;
        if (flag & 16) seen.reverse++;
        if (flag & 256) seen.secondary++;
        if (mappingQuality >= 30) seen.mapq30++;
      },
    );
    expect(Object.fromEntries(references)).toEqual(expected.references);
    expect(records).toBe(expected.total_records);
    expect(seen).toMatchObject(
      Object.fromEntries(Object.entries(expected.flag_counts).filter(([key]) => key in seen)),
    );
    // All regions at once, which overlap one another, and each alone.
    const intervals = expected.regions.map(({ chrom, start0: start, end }) => ({ chrom, start, end }));
    const counts = expected.regions.map(({ fetch_mapped }) => fetch_mapped);
    expect([...(await countReads(path, intervals))]).toEqual(counts);
    for (const [i, interval] of intervals.entries()) {
      expect([...(await countReads(path, [interval]))]).toEqual([counts[i]]);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(25);
  const [first] = Object.keys(cases);
  const stopped = AbortSignal.abort(new Error("enough"));
  await expect(countReads(join(dirname(file), first), [], stopped)).rejects.toThrow("enough");
});

testWithSharedData(
  "a chromosome that the file does not name, and a file cut off",
  "formats/bam/volvox-sorted.bam",
  async (path) => {
    await expect(countReads(path, [{ chrom: "chr1", start: 0, end: 5 }])).rejects.toThrow(/chr1/);
    const folder = temporaryFolder();
    const whole = readFileSync(path);
    for (const [name, bytes, message] of [
      ["no last block", whole.subarray(0, -28), /end-of-file block/],
      ["cut in the middle", whole.subarray(0, 200_000), /end-of-file block/],
      [
        "a piece missing, the end there",
        Buffer.concat([whole.subarray(0, 200_000), whole.subarray(-28)]),
        /damaged|truncated/,
      ],
      ["text", Buffer.from("@HD\tVN:1.6\n"), /not a BAM/],
    ] as const) {
      const file = join(folder, "x.bam");
      await writeFile(file, bytes);
      await expect(countReads(file, []), name).rejects.toThrow(message);
    }
  },
);

const LAST_BLOCK = Buffer.from("1f8b08040000000000ff0600424302001b0003000000000000000000", "hex");

/** A BAM file's text before its first read: one reference, chr1. */
function bamHead(text: Buffer): Buffer {
  const numbers = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);
  return Buffer.concat([
    Buffer.from("BAM\x01", "latin1"),
    numbers(text.length),
    text,
    numbers(1, 5),
    Buffer.from("chr1\0"),
    numbers(1000),
  ]);
}

/** A read at chr1:100 with this number of bytes in tags. */
function bamRead(tags: number): Buffer {
  const bytes = Buffer.alloc(4 + 32 + 1 + tags);
  bytes.writeInt32LE(bytes.length - 4, 0);
  bytes.writeInt32LE(100, 8);
  bytes.writeUInt8(1, 12);
  return bytes;
}

test("reads a header and a record of many megabytes without quadratic copying", async () => {
  const file = join(temporaryFolder(), "long.bam");
  const head = bamHead(Buffer.alloc(60 * 2 ** 20, "@CO\n"));
  const reads = [bamRead(0), bamRead(60 * 2 ** 20), bamRead(3), bamRead(2 ** 20)];
  await writeFile(file, Buffer.concat([gzipSync(Buffer.concat([head, ...reads]), { level: 1 }), LAST_BLOCK]));
  const starts: number[] = [];
  await readBam(
    file,
    (references) => expect([...references]).toEqual([["chr1", 1000]]),
    ({ start }) => starts.push(start),
  );
  expect(starts).toEqual([100, 100, 100, 100]);
}, 5000);

test("rejects a missing file", async () => {
  await expect(countReads("/nowhere/reads.bam", [])).rejects.toThrow(/no such file/);
});
