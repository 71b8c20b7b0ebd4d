import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FormatError, InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { openBigWig } from "../../../src/dna/genome/bigwig.ts";
import { bigWigBytes } from "../../../src/dna/genome/write-bigwig.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

async function written(signal: ReadonlyMap<string, ArrayLike<number>>): Promise<string> {
  const path = join(temporaryFolder(), "signal.bw");
  await writeFile(path, bigWigBytes(signal));
  return path;
}

/** Offsets of the chromosome tree and the data index. */
interface Places {
  readonly tree: number;
  readonly index: number;
}

const at = (chrom: string, start: number, end: number) => ({ chrom, start, end });

describe("bigWig sums", () => {
  test("equal the sums of the values for intervals in any order", async () => {
    const rng = new Pcg64(1);
    const draw = (length: number) =>
      Float32Array.from({ length }, () => Math.max(0, (rng.nextUint32() >>> 28) - 8) / 4);
    const values = new Map([
      ["chr1", draw(700_000)],
      ["chr2", draw(3000)],
    ]);
    const signal = await openBigWig(await written(values));
    const intervals = Array.from({ length: 300 }, () => {
      const chrom = rng.nextFloat64() < 0.8 ? "chr1" : "chr2";
      const start = Math.floor(rng.nextFloat64() * values.get(chrom)!.length) - 500;
      return at(chrom, start, start + 1 + Math.floor(rng.nextFloat64() * 3000));
    });
    const expected = intervals.map(({ chrom, start, end }) =>
      values
        .get(chrom)!
        .subarray(Math.max(start, 0), Math.max(end, 0))
        .reduce((a, b) => a + b, 0),
    );
    expect([...(await signal.sums(intervals))]).toEqual(expected);
    expect(await signal.sums([])).toEqual(new Float64Array(0));
    await signal.close();
  });

  test("are 0 off the chromosome and without values", async () => {
    const signal = await openBigWig(await written(new Map([["chr1", [0, 0, 2, 2, 0, 1]]])));
    expect(signal.chromosomes).toEqual(new Map([["chr1", 6]]));
    const sums = await signal.sums([
      at("chr1", -5, 3),
      at("chr1", 3, 50),
      at("chr1", 6, 50),
      at("chr1", -9, -2),
      at("chrY", 0, 5),
      at("chr1", 0, 2),
    ]);
    expect([...sums]).toEqual([2, 3, 0, 0, 0, 0]);
    await signal.close();
  });

  test.each([
    // Without the check the reader leaves an unhandled rejection, which ends Node.
    [
      "names more chromosomes than it holds",
      ({ tree }: Places, b: Buffer) => b.writeUInt16LE(900, tree + 34),
      /lists 900 chromosomes and declares 1/,
    ],
    // Without the check the reader ignores the node, and every sum is 0.
    [
      "has a node of no kind",
      ({ index }: Places, b: Buffer) => b.writeUInt8(2, index + 48),
      /unknown kind 2; expected 0 or 1/,
    ],
    // Without the check the reader loops forever.
    [
      "has a tree that bites its own tail",
      ({ index }: Places, b: Buffer) => {
        b.writeUInt8(0, index + 48);
        b.writeUInt16LE(1, index + 50);
        b.writeBigUInt64LE(BigInt(index + 48), index + 52 + 16);
      },
      /two nodes of its tree point to byte/,
    ],
    [
      "unpacks to gigabytes",
      (_: Places, b: Buffer) => b.writeUInt32LE(2 ** 31, 52),
      /decompress to up to 2147483648 bytes/,
    ],
    [
      "has values beyond its end",
      ({ index }: Places, b: Buffer) => b.writeBigUInt64LE(2n ** 40n, index + 52 + 24),
      /does not fit into the file/,
    ],
    [
      "gives a summary for its values",
      (_: Places, b: Buffer) => b.writeUInt16LE(1, 6),
      /a zoom level of \d+ bases/,
    ],
  ])("a file that %s is refused", async (_, damage, message) => {
    const path = await written(new Map([["chr1", Float32Array.from({ length: 5000 }, (_, i) => i % 7)]]));
    const bytes = await readFile(path);
    damage({ tree: Number(bytes.readBigUInt64LE(8)), index: Number(bytes.readBigUInt64LE(24)) }, bytes);
    if (bytes.readUInt16LE(6) === 1) bytes.writeUInt32LE(1, 64);
    await writeFile(path, bytes);
    const sums = async () => {
      const signal = await openBigWig(path);
      try {
        return await signal.sums([at("chr1", 0, 5000)]);
      } finally {
        await signal.close();
      }
    };
    await expect(sums()).rejects.toThrow(FormatError);
    await expect(sums()).rejects.toThrow(message);
  });

  test("refuse a file that is not bigWig or truncated, with its name", async () => {
    const path = await written(new Map([["chr1", Float32Array.from({ length: 5000 }, (_, i) => i % 7)]]));
    const bytes = await readFile(path);
    const other = join(temporaryFolder(), "other.bw");
    await writeFile(other, "chr1\t0\t5\t1\n");
    await expect(openBigWig(other)).rejects.toThrow(FormatError);
    await expect(openBigWig(other)).rejects.toThrow(/not a bigWig file/);
    await expect(openBigWig(join(temporaryFolder(), "none.bw"))).rejects.toThrow(InputError);
    for (let i = 1; i < 40; i++) {
      await writeFile(other, bytes.subarray(0, Math.floor((bytes.length * i) / 40)));
      const read = async () => {
        const signal = await openBigWig(other);
        try {
          return await signal.sums([at("chr1", 0, 5000)]);
        } finally {
          await signal.close();
        }
      };
      await expect(read(), `${i} of 40 parts`).rejects.toThrow(InputError);
    }
  });

  testWithSharedData("values equal those of pyBigWig", "task4/windows.golden.json", async (file) => {
    const golden = JSON.parse(await readFile(file, "utf8")) as Record<
      string,
      { chrom: string; start: number; end: number; values: number[] }
    >;
    let compared = 0;
    for (const [name, { chrom, start, values }] of Object.entries(golden)) {
      const bigWig = name.split(":")[2];
      const signal = await openBigWig(join(file, "..", `${bigWig}.chr22.bw`));
      const bases = values.map((_, i) => at(chrom, start + i, start + i + 1));
      const sums = await signal.sums(bases);
      const [together] = await signal.values([at(chrom, start, start + values.length)]);
      values.forEach((value, i) => {
        expect(sums[i], `${name} base ${i}`).toBe(Math.fround(value));
        expect(together[i], `${name} base ${i}`).toBe(Math.fround(value));
        compared++;
      });
      await signal.close();
    }
    expect(compared).toBe(10_000);
  });

  test("per base, 0 off the chromosome and without values", async () => {
    const signal = await openBigWig(await written(new Map([["chr1", [0, 2, 2, 0.5, 0, 7]]])));
    const values = await signal.values([
      at("chr1", 4, 8),
      at("chr1", -2, 3),
      at("chr2", 0, 2),
      at("chr1", 1, 4),
    ]);
    expect(values.map((each) => [...each])).toEqual([
      [0, 7, 0, 0],
      [0, 0, 0, 2, 2],
      [0, 0],
      [2, 2, 0.5],
    ]);
    await signal.close();
  });
});
